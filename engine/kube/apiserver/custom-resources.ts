// Models the extensions server: definitions of custom resources, and the resources they define.
// Not modelled: conversion webhooks; every version of a custom resource shows the same object.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import { ageOf, rfc3339 } from '../machinery/time.ts';
import { pathValue } from '../registry/apiextensions/custom-columns.ts';
import {
  AGE_COLUMN,
  ALL_VERBS,
  defineResource,
  NAME_COLUMN,
  type ApiObject,
  type ColumnDefinition,
  type ResourceDefinition,
} from '../registry/definition.ts';
import { validateAgainstSchema, type JsonSchema } from '../registry/apiextensions/custom-schema.ts';
import type { ApiServer } from './server.ts';

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: { readonly status?: object; readonly scale?: object };
  readonly additionalPrinterColumns?: readonly Column[];
}
interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}
interface Names {
  readonly plural: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly kind: string;
  readonly listKind?: string;
  readonly categories?: readonly string[];
}
interface Spec {
  readonly group: string;
  readonly names: Names;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly versions: readonly Version[];
}

const GROUP = 'apiextensions.k8s.io';
const PLURAL = 'customresourcedefinitions';

export class CustomResources {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #installed = new Map<string, { readonly definition: ResourceDefinition; readonly version: string }>();

  constructor(options: { readonly server: ApiServer; readonly clock: Clock }) {
    this.#server = options.server;
    this.#clock = options.clock;
  }

  /** Installs what is defined, now and from now on. */
  async follow(signal: AbortSignal): Promise<void> {
    const store = this.#server.store(GROUP, PLURAL);
    while (!signal.aborted) {
      await store.whenReady;
      let ended!: () => void;
      const end = new Promise<void>((resolve) => (ended = resolve));
      signal.addEventListener('abort', () => ended(), { once: true });
      const stop = store.watch(undefined, {
        event: (event) => {
          if (event.type === 'delete') this.#remove(event.stored.object);
          else this.#put(event.stored.object);
        },
        end: () => ended(),
      });
      for (const { object } of store.list()) this.#put(object);
      await end;
      stop();
    }
  }

  #put(object: ApiObject): void {
    const { name } = object.metadata;
    if (object.metadata.deletionTimestamp !== undefined) return;
    const key = JSON.stringify(object['spec']);
    if (this.#installed.get(name)?.version !== key) {
      this.#remove(object);
      const definition = definitionOf(object['spec'] as Spec);
      this.#server.install(definition);
      this.#installed.set(name, { definition, version: key });
    }
    const status = object['status'] as { conditions?: readonly { type: string; status: string }[] } | undefined;
    if (status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') === true) return;
    background(this.#establish(name));
  }

  #remove(object: ApiObject): void {
    const { name } = object.metadata;
    const installed = this.#installed.get(name);
    if (installed === undefined) return;
    this.#installed.delete(name);
    this.#server.uninstall(installed.definition);
  }

  async #establish(name: string): Promise<void> {
    const endpoint = this.#server.endpoint(GROUP, PLURAL);
    if (endpoint.store.get(undefined, name) === undefined) return;
    const now = rfc3339(this.#clock.now());
    await endpoint.rewrite('', name, (object) => {
      const spec = object['spec'] as Spec;
      const storage = spec.versions.find((version) => version.storage)?.name ?? spec.versions[0]!.name;
      return {
        ...object,
        status: {
          conditions: [
            { type: 'NamesAccepted', status: 'True', lastTransitionTime: now, reason: 'NoConflicts', message: 'no conflicts found' },
            {
              type: 'Established',
              status: 'True',
              lastTransitionTime: now,
              reason: 'InitialNamesAccepted',
              message: 'the initial names have been accepted',
            },
          ],
          acceptedNames: spec.names,
          storedVersions: [storage],
        },
      };
    });
  }
}

function definitionOf(spec: Spec): ResourceDefinition {
  const served = spec.versions.filter((version) => version.served);
  const storage = spec.versions.find((version) => version.storage) ?? spec.versions[0]!;
  const { names, group } = spec;
  const schema = storage.schema?.openAPIV3Schema;
  const columns = storage.additionalPrinterColumns ?? [];
  const hasOwnAge = columns.length > 0;
  return defineResource<ApiObject>({
    group,
    version: storage.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    isNamespaced: spec.scope === 'Namespaced',
    // The extensions server lists its verbs in an order of its own.
    verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'].filter(
      (verb): verb is (typeof ALL_VERBS)[number] => (ALL_VERBS as readonly string[]).includes(verb),
    ),
    alsoServedAs: served
      .filter((version) => version.name !== storage.name)
      .map((version) => ({ group, version: version.name, mergeSchema: version.schema?.openAPIV3Schema })),
    storagePrefix: `${group}/${names.plural}`,
    hasStatus: storage.subresources?.status !== undefined,
    hasGeneration: true,
    isCustom: true,
    mergeSchema: schema,
    strategy: { validate: (object) => (schema === undefined ? [] : validateAgainstSchema(schema, object, '')) },
    table: {
      columns: [NAME_COLUMN, ...columns.map(columnOf), ...(hasOwnAge ? [] : [AGE_COLUMN])],
      cells: (object, nowMs) => [
        object.metadata.name,
        ...columns.map((column) => cellOf(column, object, nowMs)),
        ...(hasOwnAge ? [] : [ageOf(object.metadata.creationTimestamp, nowMs)]),
      ],
    },
  });
}

function columnOf(column: Column): ColumnDefinition {
  return {
    name: column.name,
    type: column.type as ColumnDefinition['type'],
    ...(column.format === undefined ? {} : { format: column.format }),
    ...(column.description === undefined ? {} : { description: column.description }),
    ...(column.priority === undefined ? {} : { priority: column.priority }),
  };
}

function cellOf(column: Column, object: ApiObject, nowMs: number): unknown {
  const value = pathValue(object, column.jsonPath);
  if (value === undefined || value === null) return null;
  if (column.type === 'date') return ageOf(String(value), nowMs);
  if (column.type === 'integer' || column.type === 'number') return Number(value);
  if (column.type === 'boolean') return value === true;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
