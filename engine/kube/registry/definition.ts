// What the API server has to know of a kind: one ResourceDefinition for each, one file for each that needs more than the usual.

import type { FieldError } from '../machinery/field-errors.ts';
import { dns1123Subdomain } from '../machinery/names.ts';
import type { KubeObject } from '../machinery/types.ts';
import type { NameRule } from './meta-validation.ts';

/** An object while the API server works on it. */
export type ApiObject = KubeObject & Record<string, unknown>;
export type Json = Record<string, unknown>;

export interface ColumnDefinition {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** Above 0: shown with -o wide only. */
  readonly priority?: number;
}

export interface TableDefinition<T> {
  readonly columns: readonly ColumnDefinition[];
  cells(object: T, nowMs: number): readonly unknown[];
  /** Why a row is done with (`Succeeded`), for clients that grey such rows. */
  conditions?(object: T): readonly RowCondition[];
  /** The order of rows where it is not that of the list. */
  order?(a: T, b: T): number;
}

export interface RowCondition {
  readonly type: 'Completed';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

export interface StrategyContext {
  readonly nowMs: number;
  /** The version of the request. */
  readonly served: ServedVersion;
  /** Who asks. */
  readonly user: {
    readonly name: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/** Errors of the metadata of an update. */
export interface MetaErrors {
  /** ValidateObjectMeta of the new object. */
  readonly object: readonly FieldError[];
  /** ValidateObjectMetaUpdate. */
  readonly update: readonly FieldError[];
}

/** Rules of an update through a subresource of the kind's own; what it may not touch is the current object's already, but for the status. */
export interface SubresourceStrategy<T extends KubeObject> {
  prepare(next: T, current: T, nowMs: number): void;
  validate(next: T, current: T, meta: MetaErrors, served: ServedVersion): readonly FieldError[];
}

export interface Strategy<T extends KubeObject> {
  /** What is wrong with a name; dns1123Subdomain if left out. */
  nameProblems?(name: string, isPrefix: boolean): readonly string[];
  /** Fills in what the API promises; runs on everything a client sends. `served` is the version it was sent in. */
  setDefaults?(object: T, served: ServedVersion): void;
  /** Clears what a client may not set. Runs before validation. */
  prepareForCreate?(object: T, context: StrategyContext): void;
  /** What is wrong besides the metadata, which is looked at before. */
  validate?(object: T, served: ServedVersion): readonly FieldError[];
  /** The metadata is looked at only when nothing else is wrong (events). */
  readonly validatesMetaLast?: boolean;
  /** For an update of the object itself; its status is already the old one when the kind has a status subresource. */
  prepareForUpdate?(next: T, current: T, served: ServedVersion): void;
  /** `meta` are the errors of the metadata, to be put where upstream repeats them; those every kind has come first anyway. */
  validateUpdate?(next: T, current: T, meta: MetaErrors, served: ServedVersion): readonly FieldError[];
  /** For an update of the status subresource; its spec is already the old one. */
  prepareForStatusUpdate?(next: T, current: T, nowMs: number): void;
  validateStatusUpdate?(next: T, current: T, meta: MetaErrors, served: ServedVersion): readonly FieldError[];
  readonly subresources?: Readonly<Record<string, SubresourceStrategy<T>>>;
  /** Seconds the object may take to go; undefined: it goes at once. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined;
  /** What a delete that names no policy does to dependents; left out: they are collected. */
  readonly garbageCollection?: 'OrphanDependents' | 'Unsupported';
  /** The object as the first request to delete it leaves it, when the kind has its own way of waiting for its end. */
  markDeleted?(object: T, nowMs: number): T;
  /** Finalizers need no domain (kinds that are not of the core). */
  readonly hasFreeFinalizers?: boolean;
  /** PUT on a name that does not exist creates it. */
  readonly allowsCreateOnUpdate?: boolean;
  /** Conflicting writes are refused even without a resourceVersion in the request. */
  readonly requiresVersionOnUpdate?: boolean;
}

export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  /** From what is stored to what this version shows, and back; left out where they only differ in their name. */
  readonly fromStorage?: (object: ApiObject) => ApiObject;
  readonly toStorage?: (object: ApiObject) => ApiObject;
  /** The schema of a custom resource's version, by which server-side apply merges. */
  readonly mergeSchema?: object | undefined;
  /** What decoding makes of a request's object in this version; in place of the Go types, which custom kinds have none of. */
  readonly decode?: (object: ApiObject) => ApiObject;
  /** Versions may differ in these; where left out, the definition's hold. */
  readonly hasStatus?: boolean;
  readonly hasScale?: boolean;
  readonly table?: TableDefinition<ApiObject>;
  /** What a client that uses this version is warned of. */
  readonly warning?: string;
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface ResourceDefinition<T extends KubeObject = ApiObject> {
  readonly group: string;
  /** The version that is stored and served first. */
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly isNamespaced: boolean;
  readonly verbs: readonly Verb[];
  /** Other groups and versions that serve the same objects. */
  readonly alsoServedAs: readonly ServedVersion[];
  /** `/registry/` and this: where etcd keeps them. */
  readonly storagePrefix: string;
  readonly hasStatus: boolean;
  /** metadata.generation counts changes of the spec. */
  readonly hasGeneration: boolean;
  readonly hasScale: boolean;
  readonly otherSubresources: readonly SubresourceDefinition[];
  readonly strategy: Strategy<T>;
  readonly table: TableDefinition<T>;
  /** Fields besides metadata.name and metadata.namespace that field selectors may name. */
  readonly fields: Readonly<Record<string, (object: T) => string>>;
  /** A delete answers with the object instead of a Status. */
  readonly returnsDeleted: boolean;
  /** Seconds after which etcd forgets it (events). */
  readonly ttlSeconds: number | undefined;
  readonly isCustom: boolean;
  /** As on ServedVersion, for the version that is stored. */
  readonly mergeSchema?: object | undefined;
  /** Custom resources whose definition says preserveUnknownFields. */
  readonly keepsUnknownFields?: boolean;
  /** The version whose hash discovery shows as the stored one, where v1.20 encodes another than it prefers. */
  readonly hashedVersion: string | undefined;
  /** Nothing is stored: requests are answered by a handler of their own. */
  readonly discoveryOnly: boolean;
  /** The version that is stored is not served itself (custom kinds). */
  readonly isStorageHidden?: boolean;
  /** Verbs that discovery tells of, when they change; left out: `verbs`. */
  readonly discoveryVerbs?: () => readonly string[];
  /** Between what etcd keeps and what the server works with; left out: the same. Both leave their argument alone. */
  readonly fromEtcd?: (object: ApiObject) => ApiObject;
  readonly toEtcd?: (object: ApiObject) => ApiObject;
  readonly decode?: (object: ApiObject) => ApiObject;
  /** What the scale subresource reads and writes (custom kinds). */
  readonly scaleOf?: (served: ServedVersion) => ScalePaths | undefined;
  readonly warning?: string;
}

/** JSON paths in dot notation. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** Every version a definition serves. */
export function servedVersions(definition: ResourceDefinition): readonly ServedVersion[] {
  return definition.isStorageHidden === true ? definition.alsoServedAs : [definition, ...definition.alsoServedAs];
}

export interface SubresourceDefinition {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

type Required = 'group' | 'version' | 'kind' | 'plural' | 'isNamespaced';

/** Fills a definition with what is usual. */
export function defineResource<T extends KubeObject>(
  given: Pick<ResourceDefinition<T>, Required> & Partial<Omit<ResourceDefinition<T>, Required>>,
): ResourceDefinition {
  const filled: ResourceDefinition<T> = {
    singular: given.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: ALL_VERBS,
    alsoServedAs: [],
    storagePrefix: given.plural,
    hasStatus: false,
    hasGeneration: false,
    hasScale: false,
    otherSubresources: [],
    strategy: {},
    table: NAME_AND_AGE,
    fields: {},
    returnsDeleted: false,
    ttlSeconds: undefined,
    isCustom: false,
    hashedVersion: undefined,
    discoveryOnly: false,
    ...given,
  };
  // A definition's own functions see only objects of its kind, so the server may treat all definitions alike.
  return filled as unknown as ResourceDefinition;
}

export const NAME_COLUMN: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: http://kubernetes.io/docs/user-guide/identifiers#names',
};
export const AGE_COLUMN: ColumnDefinition = {
  name: 'Age',
  type: 'string',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
};

/** Columns of kinds that print nothing of their own. */
const NAME_AND_AGE: TableDefinition<KubeObject> = {
  columns: [
    NAME_COLUMN,
    {
      name: 'Created At',
      type: 'date',
      description: AGE_COLUMN.description!,
    },
  ],
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp],
};

export function nameRuleOf(definition: ResourceDefinition): NameRule {
  return definition.strategy.nameProblems ?? dns1123Subdomain;
}
