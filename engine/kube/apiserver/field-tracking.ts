// managedFields of one resource: its versions and types, and the API's errors for what server-side apply refuses.

import { ApiError } from '../machinery/api-error.ts';
import { ElementError, TypedError } from '../machinery/managed-fields/elements.ts';
import { showPath } from '../machinery/managed-fields/field-set.ts';
import type { ManagedFieldsEntry } from '../machinery/managed-fields/managers.ts';
import { trackApply, trackCreate, trackUpdate, type AppliedObject, type ShapeCache } from '../machinery/managed-fields/tracker.ts';
import { DEDUCED, typeOfSchema, typeOfStruct, type MergeSchema, type TypedNode } from '../machinery/managed-fields/typed-schema.ts';
import { ApplyConflict, type Conflict, type Converter } from '../machinery/managed-fields/updater.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import { structOf } from '../machinery/schema/schema.ts';
import { badRequest, plainError } from '../machinery/status.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { ApiObject, ResourceDefinition, ServedVersion } from '../registry/definition.ts';
import { typedBody } from './typed-body.ts';
import { fromStorage, isStorage, servedVersion, toStorage } from './version-conversion.ts';

type Json = Record<string, unknown>;
type Entries = readonly ManagedFieldsEntry[] | undefined;

interface Write {
  readonly manager: string;
  readonly served: ServedVersion;
  readonly subresource: string;
  readonly nowMs: number;
}

export class FieldTracking {
  readonly #definition: ResourceDefinition;
  readonly #converter: Converter;
  readonly #types = new Map<string, TypedNode | undefined>();
  readonly #empties = new Map<string, Json>();
  readonly #shapes = new Map<string, ShapeCache>();
  #time = { ms: NaN, text: '' };

  constructor(definition: ResourceDefinition) {
    this.#definition = definition;
    this.#converter = {
      typeOf: (apiVersion) => this.#typeOf(apiVersion),
      convert: (object, from, to) => (from === to ? object : this.#convert(object as ApiObject, from, to)),
    };
  }

  /** managedFields for a new object, as it is stored but before admission. */
  created(object: ApiObject, given: Entries, write: Write): Entries {
    const live = this.#emptyOf(write.served);
    const tracked = { ...this.#write(write), live, isCreate: true, liveManagers: undefined };
    const next = this.#shown(object, write.served);
    if (given !== undefined && given !== null) return trackUpdate(tracked, next, given, { ignoresGiven: false });
    let shapes = this.#shapes.get(tracked.apiVersion);
    if (shapes === undefined) this.#shapes.set(tracked.apiVersion, (shapes = new Map()));
    return trackCreate(tracked, next, shapes);
  }

  /** managedFields after an update; `next` and `current` as they are stored. */
  updated(next: ApiObject, current: ApiObject, given: Entries, write: Write): Entries {
    const live = this.#shown(current, write.served);
    const isCreate = false;
    return trackUpdate(
      { ...this.#write(write), live, isCreate, liveManagers: managersOf(current) },
      this.#shown(next, write.served),
      given,
      {
        ignoresGiven: write.subresource !== '',
      },
    );
  }

  /** Server-side apply: the object in the served version as it should become. */
  applied(config: Json, current: ApiObject | undefined, write: Write & { readonly force: boolean }): AppliedObject {
    const { served, force } = write;
    const apiVersion = apiVersionOf(served);
    const given = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : '';
    if (given !== apiVersion) {
      throw badRequest(`Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${apiVersion}`);
    }
    const metadata = config['metadata'];
    if (typeof metadata === 'object' && metadata !== null && Array.isArray((metadata as Json)['managedFields'])) {
      throw badRequest('metadata.managedFields must be nil');
    }
    const { kind } = this.#definition;
    if (config['kind'] !== kind && !this.#definition.isCustom) {
      throw plainError(`failed to create typed patch object: no corresponding type for ${apiVersion}, Kind=${shownKind(config['kind'])}`);
    }
    const live = current === undefined ? this.#emptyOf(served) : this.#shown(current, served);
    const liveManagers = current === undefined ? undefined : managersOf(current);
    try {
      return trackApply({ ...this.#write(write), live, isCreate: current === undefined, liveManagers }, config, { force });
    } catch (error) {
      if (error instanceof ApplyConflict) throw conflictError(error.conflicts);
      if (error instanceof TypedError || error instanceof ElementError) throw plainError(error.message);
      throw error;
    }
  }

  #write({ manager, served, nowMs }: Write): {
    readonly manager: string;
    readonly apiVersion: string;
    readonly time: string;
    readonly converter: Converter;
    readonly empty: Json;
  } {
    return {
      manager: manager === '' ? 'unknown' : manager,
      apiVersion: apiVersionOf(served),
      time: this.#shownTime(nowMs),
      converter: this.#converter,
      empty: this.#emptyOf(served),
    };
  }

  #shownTime(ms: number): string {
    if (this.#time.ms !== ms) this.#time = { ms, text: rfc3339(ms) };
    return this.#time.text;
  }

  #typeOf(apiVersion: string): TypedNode | undefined {
    if (this.#types.has(apiVersion)) return this.#types.get(apiVersion);
    const served = this.#servedAs(apiVersion);
    const type = served === undefined ? undefined : this.#typeOfVersion(served);
    this.#types.set(apiVersion, type);
    return type;
  }

  #typeOfVersion(served: ServedVersion): TypedNode {
    const { kind, isCustom } = this.#definition;
    if (isCustom) {
      const schema = served.mergeSchema ?? this.#definition.mergeSchema;
      return schema === undefined ? DEDUCED : typeOfSchema(schema as MergeSchema, this.#definition.keepsUnknownFields === true);
    }
    const struct = structOf(served.group, served.version, kind);
    return struct === undefined ? DEDUCED : typeOfStruct(struct);
  }

  #servedAs(apiVersion: string): ServedVersion | undefined {
    const [version, group] = apiVersion.split('/').reverse() as [string, string | undefined];
    return servedVersion(this.#definition, group ?? '', version);
  }

  #convert(object: ApiObject, from: string, to: string): unknown {
    const [source, target] = [this.#servedAs(from), this.#servedAs(to)];
    if (source === undefined || target === undefined || object === undefined || object === null) return object;
    return this.#shown(this.#normalized(toStorage(object, this.#definition, source), this.#definition), target);
  }

  /** In a version's own form and without managedFields. */
  #shown(stored: ApiObject, served: ServedVersion): Json {
    const object = withoutManagers(stored);
    if (isStorage(this.#definition, served)) return object;
    return withoutManagers(this.#normalized(fromStorage(object, this.#definition, served), served));
  }

  #normalized(object: ApiObject, served: ServedVersion): ApiObject {
    const struct = this.#definition.isCustom ? undefined : structOf(served.group, served.version, this.#definition.kind);
    // Numbers of an apply may be too great for the type, which only shows when it is decoded.
    return struct === undefined ? object : typedBody(struct, object);
  }

  #emptyOf(served: ServedVersion): Json {
    const apiVersion = apiVersionOf(served);
    let empty = this.#empties.get(apiVersion);
    if (empty === undefined) {
      const { kind, isCustom } = this.#definition;
      const bare = { kind, apiVersion, ...(isCustom ? {} : { metadata: {} }) } as unknown as ApiObject;
      empty = this.#normalized(bare, served);
      this.#empties.set(apiVersion, empty);
    }
    return empty;
  }
}

function withoutManagers(object: ApiObject): ApiObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as ApiObject['metadata'] };
}

function managersOf(object: ApiObject): Entries {
  return object.metadata.managedFields as unknown as Entries;
}

function shownKind(kind: unknown): string {
  return typeof kind === 'string' ? kind : '';
}

function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${shownManager(manager)}`,
    field: showPath(path),
  }));
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: conflictMessage(conflicts),
    reason: 'Conflict',
    details: { causes },
    code: 409,
  });
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  if (conflicts.length === 1) {
    const { manager, path } = conflicts[0]!;
    return `Apply failed with 1 conflict: conflict with ${shownManager(manager)}: ${showPath(path)}`;
  }
  const byManager = new Map<string, string[]>();
  for (const { manager, path } of conflicts) {
    const name = shownManager(manager);
    byManager.set(name, [...(byManager.get(name) ?? []), `- ${showPath(path)}`]);
  }
  const lines = [...byManager].flatMap(([name, paths]) => [`conflicts with ${name}:`, ...paths]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function shownManager({ name, operation, apiVersion }: Conflict['manager']): string {
  return operation === 'Update' ? `${JSON.stringify(name)} using ${apiVersion}` : JSON.stringify(name);
}
