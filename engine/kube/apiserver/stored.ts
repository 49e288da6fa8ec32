// An object as it lies in etcd: its text, and the object itself as soon as somebody looks into it.

import type { KeyValue } from '../../etcd/protocol.ts';
import type { ApiObject } from '../registry/definition.ts';

export interface Stored {
  readonly key: string;
  readonly revision: number;
  /** Never changed in place. */
  readonly object: ApiObject;
  /** The object in JSON. */
  readonly json: string;
}

const UID = '"uid":"';

/** A value of etcd, which has no version in it; it goes in behind the uid, where the API's field order has it. */
export class StoredObject implements Stored {
  readonly key: string;
  readonly revision: number;
  /** As etcd has it. */
  readonly value: string;
  #object: ApiObject | undefined;
  /** The object as it was written, until somebody wants it with its version. */
  #written: ApiObject | undefined;
  readonly #convert: ((object: ApiObject) => ApiObject) | undefined;
  /** The object is not what the text says: converting changed it. */
  #differs = false;

  /** `convert` makes what the server works with of what lies there; `object` is converted already. */
  constructor(kv: Pick<KeyValue, 'key' | 'value' | 'mod'>, object?: ApiObject, convert?: (object: ApiObject) => ApiObject) {
    this.key = kv.key;
    this.revision = kv.mod;
    this.value = kv.value;
    this.#convert = convert;
    this.#written = object;
  }

  get json(): string {
    const { value } = this;
    if (this.#convert !== undefined && this.#object === undefined && this.#written === undefined) void this.object;
    const at = this.#differs ? -1 : endOfUid(value);
    if (at < 0) return JSON.stringify(this.object);
    return `${value.slice(0, at)},"resourceVersion":"${this.revision}"${value.slice(at)}`;
  }

  get object(): ApiObject {
    if (this.#object !== undefined) return this.#object;
    if (this.#written !== undefined) {
      this.#object = withVersion(this.#written, this.revision);
      this.#written = undefined;
      return this.#object;
    }
    const at = endOfUid(this.value);
    const parsed =
      at < 0
        ? withVersion(JSON.parse(this.value) as ApiObject, this.revision)
        : (JSON.parse(`${this.value.slice(0, at)},"resourceVersion":"${this.revision}"${this.value.slice(at)}`) as ApiObject);
    this.#object = this.#convert?.(parsed) ?? parsed;
    this.#differs = this.#object !== parsed;
    return this.#object;
  }

  /** The same object as the write at `revision` left or took it. */
  at(revision: number): StoredObject {
    const same = new StoredObject({ key: this.key, value: this.value, mod: revision }, this.#object ?? this.#written, this.#convert);
    same.#differs = this.#differs;
    return same;
  }
}

/** Whether a value can be an object: what was put there by hand may not be one. */
export function isObjectValue(value: string): boolean {
  if (value.startsWith('{"kind":"') && value.endsWith('}') && endOfUid(value) > 0) return true;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && 'metadata' in parsed && typeof parsed.metadata === 'object';
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

/** Behind the uid of the object's own metadata; -1 when it has none. */
function endOfUid(value: string): number {
  const meta = value.indexOf('"metadata":{');
  if (meta < 0) return -1;
  const uid = value.indexOf(UID, meta);
  if (uid < 0) return -1;
  // Objects within objects (an owner, a label) come after the creation time.
  const created = value.indexOf('"creationTimestamp":', meta);
  if (created < uid) return -1;
  return value.indexOf('"', uid + UID.length) + 1;
}

function withVersion(object: ApiObject, revision: number): ApiObject {
  const version = String(revision);
  const metadata: Record<string, unknown> = {};
  let isPlaced = false;
  for (const field in object.metadata) {
    if (field === 'resourceVersion') continue;
    metadata[field] = object.metadata[field as keyof typeof object.metadata];
    if (field !== 'uid') continue;
    metadata['resourceVersion'] = version;
    isPlaced = true;
  }
  if (!isPlaced) metadata['resourceVersion'] = version;
  return { ...object, metadata } as unknown as ApiObject;
}
