// Models protobuf as a representation: requests whose body is protobuf and clients that would rather be answered in it. Inside,
// everything is JSON; what has no protobuf form (tables, custom resources, plain texts) stays what it is.

import { concat, utf8 } from '../../sim/bytes.ts';
import type { HttpRequest, HttpResponder } from '../../net/http.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { isRecord } from '../machinery/deep.ts';
import { DecodeError, normalize } from '../machinery/schema/codec.ts';
import { decodeMessage, encodeObject, encodeWatchFrame, openEnvelope } from '../machinery/schema/protobuf.ts';
import { ProtoError } from '../machinery/schema/proto-wire.ts';
import { hasStruct, structOf } from '../machinery/schema/schema.ts';
import { badRequest, entityTooLarge } from '../machinery/status.ts';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const MAX_BODY_BYTES = 3 * 1024 * 1024;

function mediaType(value: string | undefined): string {
  return (value ?? '').split(';')[0]!.trim().toLowerCase();
}

/** Whether the first representation of an Accept header that we have is protobuf. */
export function prefersProtobuf(accept: string | undefined): boolean {
  for (const clause of (accept ?? '').split(',')) {
    const type = mediaType(clause);
    // A table has no protobuf form.
    if (type === PROTOBUF) {
      if (!/;\s*as=Table\b/.test(clause)) return true;
    } else if (['application/json', 'application/yaml', 'application/*', '*/*'].includes(type)) return false;
  }
  return false;
}

/** The struct a kind is written as; undefined for kinds that have no protobuf form. */
function structOfKind(apiVersion: unknown, kind: unknown): string | undefined {
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const [version, group = ''] = apiVersion.split('/').reverse() as [string, string | undefined];
  const own = group === 'meta.k8s.io' ? undefined : structOf(group, version, kind);
  if (own !== undefined) return own;
  const shared = `meta/v1.${kind}`;
  return kind !== 'Table' && hasStruct(shared) ? shared : undefined;
}

/** Undefined when it has no protobuf form. */
function encoded(object: unknown): Uint8Array | undefined {
  if (!isRecord(object)) return undefined;
  const { apiVersion, kind } = object;
  const struct = structOfKind(apiVersion, kind);
  return struct === undefined ? undefined : encodeObject(struct, { apiVersion: String(apiVersion), kind: String(kind) }, object);
}

/** Sends in protobuf what is sent as JSON and has such a form. */
export function inProtobuf(respond: HttpResponder): HttpResponder {
  return {
    get signal() {
      return respond.signal;
    },
    send(head, body) {
      if (mediaType(head.headers?.['content-type']) === 'application/json' && typeof body === 'string') {
        const bytes = encoded(JSON.parse(body));
        if (bytes !== undefined) return respond.send({ ...head, headers: { ...head.headers, 'content-type': PROTOBUF } }, bytes);
      }
      return respond.send(head, body);
    },
    async stream(head) {
      // A watch of what has no protobuf form is not asked for in it.
      if (mediaType(head.headers?.['content-type']) !== 'application/json') return respond.stream(head);
      const out = await respond.stream({ ...head, headers: { ...head.headers, 'content-type': `${PROTOBUF};stream=watch` } });
      return {
        write(chunk) {
          if (typeof chunk !== 'string') return out.write(chunk);
          const frames: Uint8Array[] = [];
          for (const line of chunk.split('\n')) {
            if (line === '') continue;
            const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: unknown };
            frames.push(encodeWatchFrame(type, encoded(object) ?? utf8(JSON.stringify(object))));
          }
          return out.write(concat(frames));
        },
        end: () => out.end(),
      };
    },
    upgrade: (head) => respond.upgrade(head),
  };
}

export function isProtobufBody(request: HttpRequest): boolean {
  return mediaType(request.headers.get('content-type')) === PROTOBUF;
}

/** The same request with its body in JSON. */
export async function withJsonBody(request: HttpRequest): Promise<HttpRequest> {
  const bytes = await readAllBytes(request.body);
  if (bytes.length > MAX_BODY_BYTES) throw entityTooLarge(`limit is ${MAX_BODY_BYTES}`);
  const body = bytes.length === 0 ? bytes : utf8(JSON.stringify(decodedBody(bytes)));
  let isRead = false;
  return {
    ...request,
    headers: new Map([...request.headers, ['content-type', 'application/json']]),
    body: {
      read: () => {
        const chunk = isRead || body.length === 0 ? undefined : body;
        isRead = true;
        return Promise.resolve(chunk);
      },
    },
  };
}

function decodedBody(bytes: Uint8Array): unknown {
  try {
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    const struct = structOfKind(apiVersion, kind);
    if (struct === undefined) {
      throw badRequest(
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`,
      );
    }
    return normalize(struct, { kind, apiVersion, ...decodeMessage(struct, raw) });
  } catch (error) {
    // Texts that are no quantities are noticed late; what nests without end exhausts whoever reads it.
    if (error instanceof ProtoError || error instanceof DecodeError) throw badRequest(error.message);
    if (error instanceof RangeError) throw badRequest('proto: nested too deeply');
    throw error;
  }
}
