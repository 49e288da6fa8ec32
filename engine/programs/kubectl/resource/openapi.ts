// Models kubectl's use of the server's OpenAPI document: the definition of a kind, and what its fields are.

import type { Context } from '../context.ts';
import { isObject, type JsonObject } from '../printers/json.ts';

export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

const REF = '#/definitions/';

/** A schema with the path that messages call it by: `io.k8s.api.core.v1.Container.image`. */
export interface Model {
  readonly schema: Schema;
  readonly path: string;
}

export class OpenApi {
  readonly #definitions: Readonly<Record<string, Schema>>;

  constructor(document: JsonObject) {
    this.#definitions = (isObject(document['definitions']) ? document['definitions'] : {}) as Readonly<Record<string, Schema>>;
  }

  static async load(context: Context): Promise<OpenApi> {
    return new OpenApi(await context.rest.json('GET', '/openapi/v2?timeout=32s', { accept: 'application/json' }));
  }

  /** The model of a kind; undefined when the document has none. */
  kind(apiVersion: string, kind: string): Model | undefined {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const name = Object.keys(this.#definitions).find((key) =>
      this.#definitions[key]?.['x-kubernetes-group-version-kind']?.some(
        (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
      ),
    );
    return name === undefined ? undefined : { schema: this.#definitions[name] ?? {}, path: name };
  }

  /** Follows a reference; others stay under `path`. */
  resolve(schema: Schema, path: string): Model {
    if (schema.$ref === undefined) return { schema, path };
    const name = schema.$ref.slice(REF.length);
    return { schema: this.#definitions[name] ?? {}, path: name };
  }

  field(model: Model, name: string): Model | undefined {
    const schema = model.schema.properties?.[name];
    return schema === undefined ? undefined : this.resolve(schema, `${model.path}.${name}`);
  }
}
