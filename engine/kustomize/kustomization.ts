// Models kustomization.yaml: its fields, read as strictly as Go's decoder reads them.

import { compareBytes, isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { decodeYaml, YamlError } from '../kube/machinery/yaml-decode.ts';
import { text } from '../sim/bytes.ts';
import { KustomizeError } from './error.ts';
import type { Loader } from './loader.ts';

export interface GeneratorArgs {
  readonly namespace?: string;
  readonly name?: string;
  readonly behavior?: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly env?: string;
  /** Of secrets. */
  readonly type?: string;
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
}

export interface ImageChange {
  readonly name?: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface JsonPatchArgs {
  readonly target?: {
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly path?: string;
}

export interface Variable {
  readonly name?: string;
  readonly objref?: {
    readonly apiVersion?: string;
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly name?: string;
  };
  readonly fieldref?: { readonly fieldPath?: string };
}

export interface Kustomization {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly JsonPatchArgs[];
  readonly images?: readonly ImageChange[];
  readonly vars?: readonly Variable[];
  readonly resources?: readonly string[];
  readonly crds?: readonly string[];
  readonly bases?: readonly string[];
  readonly configMapGenerator?: readonly GeneratorArgs[];
  readonly secretGenerator?: readonly GeneratorArgs[];
  readonly generatorOptions?: GeneratorOptions;
  readonly configurations?: readonly string[];
}

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const API_VERSION = 'kustomize.config.k8s.io/v1beta1';

/** A field's type: with the name Go's messages have for it. */
type Shape =
  | { readonly go: 'string' | 'bool' | (string & {}) }
  | { readonly go: string; readonly list: Shape }
  | { readonly go: string; readonly map: true }
  | { readonly go: string; readonly fields: Readonly<Record<string, Shape>> };

const STRING: Shape = { go: 'string' };
const STRINGS: Shape = { go: '[]string', list: STRING };
const STRING_MAP: Shape = { go: 'map[string]string', map: true };
const struct = (go: string, fields: Readonly<Record<string, Shape>>): Shape => ({ go, fields });
const listOf = (shape: Shape): Shape => ({ go: `[]${shape.go}`, list: shape });

const GVK = { group: STRING, version: STRING, kind: STRING };
const GENERATOR = { namespace: STRING, name: STRING, behavior: STRING, literals: STRINGS, files: STRINGS, env: STRING };

const KUSTOMIZATION = struct('types.Kustomization', {
  kind: STRING,
  apiVersion: STRING,
  namePrefix: STRING,
  nameSuffix: STRING,
  namespace: STRING,
  commonLabels: STRING_MAP,
  commonAnnotations: STRING_MAP,
  patchesStrategicMerge: listOf({ go: 'patch.StrategicMerge' }),
  patchesJson6902: listOf(
    struct('patch.Json6902', { target: struct('patch.Target', { ...GVK, namespace: STRING, name: STRING }), path: STRING }),
  ),
  images: listOf(struct('image.Image', { name: STRING, newName: STRING, newTag: STRING, digest: STRING })),
  vars: listOf(
    struct('types.Var', {
      name: STRING,
      objref: struct('types.Target', { apiVersion: STRING, ...GVK, name: STRING }),
      fieldref: struct('types.FieldSelector', { fieldPath: STRING }),
    }),
  ),
  resources: STRINGS,
  crds: STRINGS,
  bases: STRINGS,
  configMapGenerator: listOf(struct('types.ConfigMapArgs', GENERATOR)),
  secretGenerator: listOf(struct('types.SecretArgs', { ...GENERATOR, type: STRING })),
  generatorOptions: struct('types.GeneratorOptions', {
    labels: STRING_MAP,
    annotations: STRING_MAP,
    disableNameSuffixHash: { go: 'bool' },
  }),
  configurations: STRINGS,
});

/** Finds and reads the file. */
export function readKustomization(loader: Loader): Kustomization {
  const found: string[] = [];
  for (const name of FILE_NAMES) {
    try {
      found.push(text(loader.load(name)));
    } catch (error) {
      // Whatever is the matter with one name, another may do.
      if (!(error instanceof KustomizeError)) throw error;
    }
  }
  if (found.length > 1) throw new KustomizeError(`Found multiple kustomization files under: ${loader.root}\n`);
  const [contents] = found;
  if (contents === undefined) {
    throw new KustomizeError(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
    );
  }
  const renamed = contents.replaceAll('patches:', 'patchesStrategicMerge:').replaceAll('imageTags:', 'images:');
  const kustomization = strictly(parsed(renamed)) as Kustomization;
  const errors: string[] = [];
  if ((kustomization.apiVersion ?? '') !== '' && kustomization.apiVersion !== API_VERSION)
    errors.push(`apiVersion should be ${API_VERSION}`);
  if ((kustomization.kind ?? '') !== '' && kustomization.kind !== 'Kustomization') errors.push('kind should be Kustomization');
  if (errors.length > 0) throw new KustomizeError(`Failed to read kustomization file under ${loader.root}:\n${errors.join('\n')}`);
  return kustomization;
}

/** The JSON value of a YAML text. */
export function parsed(source: string): unknown {
  try {
    return decodeYaml(source) ?? null;
  } catch (error) {
    if (error instanceof YamlError) throw new KustomizeError(`yaml: ${error.message}`);
    throw error;
  }
}

/** Go remembers the first wrong type and reads on, but an unknown field stops it. */
function strictly(value: unknown): unknown {
  const problems: string[] = [];
  const out = decode(value, KUSTOMIZATION, { struct: '', path: [] }, problems);
  const [first] = problems;
  if (first !== undefined) throw new KustomizeError(`json: ${first}`);
  return out ?? {};
}

interface Place {
  readonly struct: string;
  readonly path: readonly string[];
}

function decode(value: unknown, shape: Shape, place: Place, problems: string[]): unknown {
  if (value === null) return undefined;
  const wrong = (go: string): undefined => {
    const target = place.struct === '' ? `value of type ${go}` : `struct field ${place.struct}.${place.path.join('.')} of type ${go}`;
    problems.push(`cannot unmarshal ${jsonType(value)} into Go ${target}`);
  };
  if ('list' in shape) {
    if (!Array.isArray(value)) return wrong(shape.go);
    return value.map((item: unknown) => decode(item, shape.list, place, problems) ?? emptyOf(shape.list));
  }
  if ('map' in shape) {
    if (!isObject(value)) return wrong(shape.go);
    const out: JsonObject = {};
    for (const key of Object.keys(value).sort(compareBytes)) out[key] = decode(value[key], STRING, place, problems) ?? '';
    return out;
  }
  if ('fields' in shape) {
    if (!isObject(value)) return wrong(shape.go);
    const out: JsonObject = {};
    for (const key of Object.keys(value).sort(compareBytes)) {
      const name =
        shape.fields[key] === undefined ? Object.keys(shape.fields).find((field) => field.toLowerCase() === key.toLowerCase()) : key;
      const field = name === undefined ? undefined : shape.fields[name];
      if (name === undefined || field === undefined) {
        problems.push(`unknown field ${JSON.stringify(key)}`);
        continue;
      }
      const inner = decode(value[key], field, { struct: shape.go.slice(shape.go.indexOf('.') + 1), path: [...place.path, name] }, problems);
      if (inner !== undefined) out[name] = inner;
    }
    return out;
  }
  const wanted = shape.go === 'bool' ? 'boolean' : 'string';
  return typeof value === wanted ? value : wrong(shape.go);
}

function emptyOf(shape: Shape): unknown {
  return 'fields' in shape ? {} : '';
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}
