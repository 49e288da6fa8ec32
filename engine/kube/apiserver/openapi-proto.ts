// Writes an OpenAPI document as gnostic's protobuf, which is what kubectl reads.

import { utf8 } from '../../sim/bytes.ts';
import { GVK, type Kind, type Schema } from './openapi-schema.ts';
import { ProtoWriter } from './proto-writer.ts';

/** A path whose objects can be patched; clients look there whether a kind knows dry runs. */
export interface Path {
  readonly path: string;
  readonly kind: Kind;
}

export function encodeDocument(schemas: Readonly<Record<string, Schema>>, paths: readonly Path[]): Uint8Array {
  const writer = new ProtoWriter();
  writer.string(1, '2.0');
  writer.message(2, (info) => {
    info.string(1, 'Kubernetes');
    info.string(2, 'v1.20.2');
  });
  writer.message(8, (all) => {
    for (const { path, kind } of paths) {
      all.message(2, (entry) => {
        entry.string(1, path);
        entry.message(2, (item) =>
          item.message(8, (operation) => {
            operation.message(8, (parameters) =>
              parameters.message(1, (parameter) =>
                parameter.message(2, (nonBody) =>
                  nonBody.message(3, (query) => {
                    query.string(2, 'query');
                    query.string(4, 'dryRun');
                    query.string(6, 'string');
                  }),
                ),
              ),
            );
            operation.message(9, (responses) =>
              responses.message(1, (response) => {
                response.string(1, '200');
                response.message(2, (value) => value.message(1, (ok) => ok.string(1, 'OK')));
              }),
            );
            extension(operation, 13, GVK, kind);
          }),
        );
      });
    }
  });
  writer.message(9, (definitions) => {
    for (const [name, schema] of Object.entries(schemas)) {
      definitions.message(1, (entry) => {
        entry.string(1, name);
        entry.message(2, (value) => encodeSchema(value, schema));
      });
    }
  });
  return writer.finish();
}

function encodeSchema(writer: ProtoWriter, schema: Schema): void {
  if (schema.$ref !== undefined) writer.string(1, schema.$ref);
  if (schema.format !== undefined) writer.string(2, schema.format);
  if (schema.description !== undefined) writer.string(4, schema.description);
  for (const name of schema.required ?? []) writer.string(19, name);
  const { additionalProperties, items, properties, type } = schema;
  if (additionalProperties !== undefined)
    writer.message(21, (item) => item.message(1, (inner) => encodeSchema(inner, additionalProperties)));
  if (type !== undefined) writer.message(22, (item) => item.string(1, type));
  if (items !== undefined) writer.message(23, (item) => item.message(1, (inner) => encodeSchema(inner, items)));
  if (properties !== undefined) {
    writer.message(25, (all) => {
      for (const [name, property] of Object.entries(properties)) {
        all.message(1, (entry) => {
          entry.string(1, name);
          entry.message(2, (inner) => encodeSchema(inner, property));
        });
      }
    });
  }
  for (const [name, value] of Object.entries(schema)) if (name.startsWith('x-')) extension(writer, 31, name, value);
}

/** A vendor extension carries its value as YAML, of which JSON is a part. */
function extension(writer: ProtoWriter, field: number, name: string, value: unknown): void {
  writer.message(field, (named) => {
    named.string(1, name);
    named.message(2, (any) => any.bytes(2, utf8(JSON.stringify(value))));
  });
}
