// The fields of the built-in kinds: names, Go types, what is left out when empty, how lists merge. Read from fields.json,
// which scripts/api-fields.mjs makes from the Go types of the API.

import fields from './fields.json' with { type: 'json' };

export type TypeRef =
  | { readonly kind: 'struct'; readonly name: string }
  | { readonly kind: 'pointer'; readonly to: TypeRef }
  | { readonly kind: 'slice'; readonly of: TypeRef }
  | { readonly kind: 'map'; readonly key: string; readonly of: TypeRef }
  /** `go` is the name Go prints; for named types the one they were given. */
  | { readonly kind: 'string' | 'bool' | 'int' | 'float' | 'bytes'; readonly go: string }
  | { readonly kind: 'quantity' | 'time' | 'microtime' | 'intstr' | 'duration' | 'fields' }
  /** `go` names types that read and write themselves (apiextensions' JSON and its kin). */
  | { readonly kind: 'raw'; readonly go?: string; readonly name?: string };

export interface Field {
  readonly goName: string;
  readonly json: string;
  readonly type: TypeRef;
  /** How Go prints the declared type: `*v1.PodSecurityContext`. */
  readonly goType: string;
  readonly isInline: boolean;
  readonly omitsEmpty: boolean;
  readonly isOptional: boolean;
  /** Lists that strategic merge patch merges: by this key, or as sets of plain values when it is ''. */
  readonly patchKey: string | undefined;
  readonly retainsKeys: boolean;
  /** What server-side apply makes of it. */
  readonly listType: 'map' | 'set' | 'atomic';
  /** The same where the type says so itself. */
  readonly declaredListType: 'map' | 'set' | 'atomic' | undefined;
  readonly mapKeys: readonly string[];
  readonly isAtomicStruct: boolean;
}

type Package = Readonly<Record<string, string | readonly string[]>>;
const PACKAGES = fields as unknown as Readonly<Record<string, Package>>;

const structs = new Map<string, readonly Field[]>();

/** Fields of a struct (`core/v1.PodSpec`), inlined ones included as they are declared. */
export function declaredFields(name: string): readonly Field[] {
  let known = structs.get(name);
  if (known === undefined) {
    const [pkg, type] = split(name);
    const lines = PACKAGES[pkg]?.[type];
    if (lines === undefined || typeof lines === 'string') throw new Error(`no struct ${name}`);
    known = lines.map((line) => parseField(pkg, line));
    structs.set(name, known);
  }
  return known;
}

const flattened = new Map<string, readonly Field[]>();

/** Fields of a struct as JSON has them: inlined structs are opened up. */
export function jsonFields(name: string): readonly Field[] {
  let known = flattened.get(name);
  if (known === undefined) {
    known = declaredFields(name).flatMap((field) => {
      const inner = field.type.kind === 'pointer' ? field.type.to : field.type;
      return field.isInline && inner.kind === 'struct' ? jsonFields(inner.name) : [field];
    });
    flattened.set(name, known);
  }
  return known;
}

const byName = new Map<string, ReadonlyMap<string, Field>>();

export function fieldOf(structName: string, json: string): Field | undefined {
  let known = byName.get(structName);
  if (known === undefined) {
    known = new Map(jsonFields(structName).map((field) => [field.json, field]));
    byName.set(structName, known);
  }
  return known.get(json);
}

/** The struct that an API kind is, `core/v1.Pod`; undefined for kinds that are not built in. */
export function structOf(group: string, version: string, kind: string): string | undefined {
  const name = `${PACKAGE_OF_GROUP[group] ?? group.split('.')[0]!}/${version}`;
  return PACKAGES[name]?.[kind] === undefined || typeof PACKAGES[name][kind] === 'string' ? undefined : `${name}.${kind}`;
}

/** Whether a struct is in the tables, `meta/v1.Status`. */
export function hasStruct(name: string): boolean {
  const [pkg, type] = split(name);
  const lines = PACKAGES[pkg]?.[type];
  return lines !== undefined && typeof lines !== 'string';
}

const PACKAGE_OF_GROUP: Readonly<Record<string, string>> = {
  '': 'core',
  'rbac.authorization.k8s.io': 'rbac',
  'flowcontrol.apiserver.k8s.io': 'flowcontrol',
};

function split(name: string): readonly [string, string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}

function parseField(pkg: string, line: string): Field {
  const [goName = '', json = '', goType = '', flags = ''] = line.split('|');
  const given = new Map(flags.split(',').map((flag) => flag.split('=') as [string, string | undefined]));
  const type = parseType(pkg, goType);
  const patchKey = given.has('m') ? (given.get('m') ?? '') : undefined;
  const listType =
    (given.get('l') as Field['listType'] | undefined) ?? (patchKey === undefined ? 'atomic' : patchKey === '' ? 'set' : 'map');
  return {
    goName,
    json,
    type,
    goType: printType(pkg, goType),
    isInline: given.has('i'),
    omitsEmpty: given.has('o'),
    isOptional: given.has('?') || given.has('o'),
    patchKey,
    retainsKeys: given.has('r'),
    listType,
    declaredListType: given.get('l') as Field['listType'] | undefined,
    mapKeys: given.get('k')?.split('+') ?? (patchKey === undefined || patchKey === '' ? [] : [patchKey]),
    isAtomicStruct: given.get('s') === 'atomic',
  };
}

const BASIC: Readonly<Record<string, TypeRef>> = {
  string: { kind: 'string', go: 'string' },
  bool: { kind: 'bool', go: 'bool' },
  int: { kind: 'int', go: 'int' },
  int32: { kind: 'int', go: 'int32' },
  int64: { kind: 'int', go: 'int64' },
  float64: { kind: 'float', go: 'float64' },
  '[]byte': { kind: 'bytes', go: '[]byte' },
  'resource.Quantity': { kind: 'quantity' },
  'metav1.Time': { kind: 'time' },
  'metav1.MicroTime': { kind: 'microtime' },
  'intstr.IntOrString': { kind: 'intstr' },
  'runtime.RawExtension': { kind: 'raw' },
  'runtime.Object': { kind: 'raw' },
  'metav1.Duration': { kind: 'duration' },
  'types.UID': { kind: 'string', go: 'types.UID' },
  'types.NodeName': { kind: 'string', go: 'types.NodeName' },
  'metav1.FieldsV1': { kind: 'fields' },
};

/** Types of meta/v1 that are not plain structs. */
const META: Readonly<Record<string, TypeRef>> = {
  Time: { kind: 'time' },
  MicroTime: { kind: 'microtime' },
  Duration: { kind: 'duration' },
  FieldsV1: { kind: 'fields' },
};

function parseType(pkg: string, go: string): TypeRef {
  const basic = BASIC[go];
  if (basic !== undefined) return basic;
  if (go.startsWith('*')) return { kind: 'pointer', to: parseType(pkg, go.slice(1)) };
  if (go.startsWith('[]')) return { kind: 'slice', of: parseType(pkg, go.slice(2)) };
  const map = /^map\[([^\]]+)\](.*)$/.exec(go);
  if (map !== null) return { kind: 'map', key: printType(pkg, map[1]!), of: parseType(pkg, map[2]!) };
  const dot = go.indexOf('.');
  const home = dot < 0 ? pkg : packageOf(pkg, go.slice(0, dot));
  const type = dot < 0 ? go : go.slice(dot + 1);
  if (home === 'meta/v1' && META[type] !== undefined) return META[type];
  const found = PACKAGES[home]?.[type];
  if (found === undefined) {
    // Free-form JSON (apiextensions' JSON and JSONSchemaPropsOr... types) is kept as it comes.
    return { kind: 'raw' };
  }
  if (typeof found !== 'string')
    return isRaw(home, type) ? { kind: 'raw', go: type, name: `${home}.${type}` } : { kind: 'struct', name: `${home}.${type}` };
  const base = parseType(home, found.slice(1));
  return base.kind === 'string' || base.kind === 'int' ? { kind: base.kind, go: printType(home, type) } : base;
}

function isRaw(pkg: string, type: string): boolean {
  return pkg.startsWith('apiextensions/') && /^JSON/.test(type) && type !== 'JSONSchemaProps';
}

/** The package an import alias stands for. */
function packageOf(pkg: string, alias: string): string {
  if (alias === 'metav1') return 'meta/v1';
  if (alias === 'v1' && (pkg.startsWith('apiextensions/') || pkg.startsWith('apiregistration/'))) return 'meta/v1';
  if (alias === 'v1' || alias === 'corev1' || alias === 'apiv1' || alias === 'core') return 'core/v1';
  if (alias === 'batchv1') return 'batch/v1';
  if (alias === 'v1beta1') return 'extensions/v1beta1';
  return alias;
}

/** The type as Go prints it: packages by their last name. */
function printType(pkg: string, go: string): string {
  if (go.startsWith('*')) return `*${printType(pkg, go.slice(1))}`;
  if (go.startsWith('[]')) return go === '[]byte' ? '[]uint8' : `[]${printType(pkg, go.slice(2))}`;
  const map = /^map\[([^\]]+)\](.*)$/.exec(go);
  if (map !== null) return `map[${printType(pkg, map[1]!)}]${printType(pkg, map[2]!)}`;
  if (/^(string|bool|int|int32|int64|float64)$/.test(go)) return go;
  const dot = go.indexOf('.');
  if (dot < 0) return `${pkg.split('/').at(-1)!}.${go}`;
  const alias = go.slice(0, dot);
  return `${alias === 'metav1' || alias === 'corev1' ? 'v1' : alias}.${go.slice(dot + 1)}`;
}
