// The API server's internal types, which its messages print: names and order of fields, and where the JSON of the stored version keeps
// them. Read from internal-fields.json, which scripts/internal-fields.mjs makes from the Go types.

import internalFields from './internal-fields.json' with { type: 'json' };
import { jsonFields, structOf } from './schema.ts';

export interface GoField {
  readonly name: string;
  /** The member of the JSON object; undefined for an embedded struct, whose members are the object's own. */
  readonly json: string | undefined;
  readonly type: GoType;
}

interface Named {
  /** As Go prints it: `[]core.Container`. */
  readonly name: string;
}

export type GoType =
  | (Named & { readonly kind: 'struct'; readonly fields: readonly GoField[] })
  | (Named & { readonly kind: 'pointer'; readonly to: GoType })
  | (Named & { readonly kind: 'slice'; readonly of: GoType })
  | (Named & { readonly kind: 'map'; readonly of: GoType })
  | (Named & { readonly kind: 'string' | 'bool' | 'int' | 'float' | 'bytes' | 'time' | 'quantity' | 'intstr' | 'other' });

type Package = Readonly<Record<string, string | readonly string[]>>;
const PACKAGES = internalFields as unknown as Readonly<Record<string, Package>>;

/** The versions whose JSON is stored, for the names of members. */
const STORED: Readonly<Record<string, readonly [group: string, version: string]>> = {
  core: ['', 'v1'],
  apps: ['apps', 'v1'],
  batch: ['batch', 'v1'],
  policy: ['policy', 'v1beta1'],
  scheduling: ['scheduling.k8s.io', 'v1'],
};

const BASIC: Readonly<Record<string, GoType['kind']>> = {
  string: 'string',
  bool: 'bool',
  int: 'int',
  int32: 'int',
  int64: 'int',
  float64: 'float',
  '[]byte': 'bytes',
  'types.UID': 'string',
  'types.NodeName': 'string',
  'v1.Time': 'time',
  'v1.MicroTime': 'time',
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intstr',
};

const known = new Map<string, GoType>();

/** `core.PodSpec`, `[]core.Container`, `*int64`, `map[string]string`. */
export function internalType(name: string): GoType {
  let type = known.get(name);
  if (type === undefined) {
    type = resolve(name);
    known.set(name, type);
  }
  return type;
}

/** What `field` holds in the JSON of the struct around it. */
export function memberOf(struct: GoType, field: GoField, holder: Readonly<Record<string, unknown>>): unknown {
  if (field.json === undefined) return holder;
  const value = holder[field.json];
  if (field.name !== 'SecurityContext' || struct.name !== 'core.PodSpec') return value;
  // What the pod shares with its host is part of the internal security context.
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = holder;
  if (value === undefined && hostNetwork !== true && hostPID !== true && hostIPC !== true && shareProcessNamespace === undefined)
    return value;
  return { ...(value as object | undefined), hostNetwork, hostPID, hostIPC, shareProcessNamespace };
}

function resolve(name: string): GoType {
  const basic = BASIC[name];
  if (basic !== undefined) return { kind: basic, name } as GoType;
  if (name.startsWith('*')) return lazily({ kind: 'pointer', name }, 'to', () => internalType(name.slice(1)));
  if (name.startsWith('[]')) return lazily({ kind: 'slice', name }, 'of', () => internalType(name.slice(2)));
  const map = /^map\[[^\]]+\](.*)$/.exec(name);
  if (map !== null) return lazily({ kind: 'map', name }, 'of', () => internalType(map[1]!));
  const [home = '', type = ''] = name.split('.');
  const lines = home === 'v1' ? metaLines(type) : PACKAGES[home]?.[type];
  // What meta/v1 has besides structs are words.
  if (lines === undefined) return { kind: home === 'v1' && type !== 'FieldsV1' ? 'string' : 'other', name };
  if (typeof lines === 'string') {
    const base = internalType(qualify(home, lines.slice(1)));
    return base.kind === 'map' || base.kind === 'slice'
      ? lazily({ kind: base.kind, name }, 'of', () => base.of)
      : ({ kind: base.kind, name } as GoType);
  }
  return lazily({ kind: 'struct', name }, 'fields', () => lines.map((line) => fieldOf(home, type, line)));
}

/** Types refer to each other in circles: what they are made of is looked up when it is first wanted. */
function lazily(base: object, key: string, make: () => unknown): GoType {
  Object.defineProperty(base, key, {
    configurable: true,
    get() {
      const value = make();
      Object.defineProperty(base, key, { value });
      return value;
    },
  });
  return base as GoType;
}

function fieldOf(home: string, struct: string, line: string): GoField {
  const [given = '', declared = ''] = line.split('|');
  const type = internalType(qualify(home, declared));
  const name = given === '' ? declared.split('.').at(-1)! : given;
  if (given === '' && name === 'ObjectMeta') return { name, json: 'metadata', type };
  return { name, json: given === '' ? undefined : jsonName(home, struct, name), type };
}

const jsonNames = new Map<string, ReadonlyMap<string, string>>();

function jsonName(home: string, struct: string, name: string): string {
  const stored = home === 'v1' ? (['meta', 'v1'] as const) : STORED[home];
  if (stored !== undefined) {
    const of = structOf(stored[0], stored[1], struct);
    if (of !== undefined) {
      let names = jsonNames.get(of);
      if (names === undefined) {
        names = new Map(jsonFields(of).map((field) => [field.goName, field.json]));
        jsonNames.set(of, names);
      }
      const json = names.get(name);
      if (json !== undefined) return json;
    }
  }
  // Acronyms at the start are lower case as a whole: `HTTPGet`, `TTY`.
  return name.replace(/^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/, (head) => head.toLowerCase());
}

function metaLines(type: string): readonly string[] | undefined {
  const of = structOf('meta', 'v1', type);
  return of === undefined ? undefined : jsonFields(of).map((field) => `${field.goName}|${field.goType}`);
}

const PLAIN = /^(string|bool|int|int32|int64|float64|byte)$/;

function qualify(home: string, type: string): string {
  if (BASIC[type] !== undefined) return type;
  if (type.startsWith('*')) return `*${qualify(home, type.slice(1))}`;
  if (type.startsWith('[]')) return `[]${qualify(home, type.slice(2))}`;
  const map = /^map\[([^\]]+)\](.*)$/.exec(type);
  if (map !== null) return `map[${qualify(home, map[1]!)}]${qualify(home, map[2]!)}`;
  return type.includes('.') || PLAIN.test(type) ? type : `${home}.${type}`;
}
