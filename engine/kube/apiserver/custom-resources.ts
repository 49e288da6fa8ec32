// Models the controllers of the extensions server: which names a definition gets, when its resources are served, what its
// conditions say, and how its objects go with it. All of them work on one definition at a time.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { isConflict, isNotFound } from '../machinery/api-error.ts';
import { saysTheSame, withCondition, withoutCondition } from '../registry/apiextensions/conditions.ts';
import { customResource } from '../registry/apiextensions/custom-resource.ts';
import { approvalOf, isProtectedGroup } from '../registry/apiextensions/definition-validation.ts';
import { namesFor } from '../registry/apiextensions/names.ts';
import { openApiOf, type OpenApiPart } from '../registry/apiextensions/open-api.ts';
import { structuralErrors, unsupported } from '../registry/apiextensions/structural.ts';
import {
  CLEANUP_FINALIZER,
  type Condition,
  conditionOf,
  type CustomResourceDefinition,
  type DefinitionStatus,
  effectiveVersion,
  EXTENSIONS_GROUP,
  isConditionTrue,
  type Names,
  type Spec,
  versionsOf,
} from '../registry/apiextensions/types.ts';
import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';
import type { WriteContext } from './resource-endpoint.ts';
import type { ResourceStore } from './resource-store.ts';
import type { ApiServer } from './server.ts';

const PLURAL = 'customresourcedefinitions';
/** The server as its own client. */
const SELF = { name: 'system:apiserver', groups: ['system:masters'] };
/** How often the finalizer looks whether the last object is gone, and how long it waits before it starts over. */
const POLL_MS = 5000;
const WAIT_MS = 60_000;
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 1000_000;

interface Installed {
  readonly uid: string;
  readonly definition: ResourceDefinition;
  /** What it was made of: another spec or other names make another resource. */
  readonly spec: Spec;
  readonly names: Names;
  isTerminating: boolean;
}

type Given = Omit<Condition, 'lastTransitionTime'>;

export class CustomResources {
  readonly #serverOf: () => ApiServer;
  readonly #clock: Clock;
  readonly #installed = new Map<string, Installed>();
  readonly #queue = new Set<string>();
  readonly #finalizing = new Set<string>();
  readonly #failures = new Map<string, number>();
  #wake: (() => void) | undefined;
  #openApi: OpenApiPart | undefined;

  constructor(options: { readonly server: () => ApiServer; readonly clock: Clock }) {
    this.#serverOf = options.server;
    this.#clock = options.clock;
  }

  /** What the OpenAPI document says of the kinds served; the same object until they change. */
  get openApi(): OpenApiPart {
    if (this.#openApi !== undefined) return this.#openApi;
    const schemas: Record<string, OpenApiPart['schemas'][string]> = {};
    const paths: OpenApiPart['paths'][number][] = [];
    for (const { spec, names } of this.#installed.values()) {
      const part = openApiOf(spec, names);
      Object.assign(schemas, part.schemas);
      paths.push(...part.paths);
    }
    this.#openApi = { schemas, paths };
    return this.#openApi;
  }

  /** Serves what is defined, now and from now on. */
  async follow(signal: AbortSignal): Promise<void> {
    background(this.#work(signal));
    while (!signal.aborted) {
      await this.#store.whenReady;
      let ended!: () => void;
      const end = new Promise<void>((resolve) => (ended = resolve));
      signal.addEventListener('abort', ended, { once: true });
      const known = new Set(this.#installed.keys());
      const stop = this.#store.watch(undefined, {
        event: ({ type, stored }) => {
          const definition = stored.object as unknown as CustomResourceDefinition;
          if (type === 'delete') this.#uninstall(definition.metadata.name);
          else this.#serve(definition);
          this.#add(definition.metadata.name);
        },
        end: ended,
      });
      for (const { object } of this.#store.list()) {
        known.delete(object.metadata.name);
        this.#serve(object as unknown as CustomResourceDefinition);
        this.#add(object.metadata.name);
      }
      for (const name of known) this.#uninstall(name);
      await end;
      stop();
    }
  }

  get #server(): ApiServer {
    return this.#serverOf();
  }

  get #store(): ResourceStore {
    return this.#server.store(EXTENSIONS_GROUP, PLURAL);
  }

  #find(name: string): CustomResourceDefinition | undefined {
    return this.#store.get(undefined, name)?.object as unknown as CustomResourceDefinition | undefined;
  }

  /** The resource is there as soon as its names are accepted. */
  #serve(definition: CustomResourceDefinition): void {
    const { name, uid } = definition.metadata;
    const old = this.#installed.get(name);
    if (!isConditionTrue(definition, 'NamesAccepted') && !isConditionTrue(definition, 'Established')) {
      if (old !== undefined && old.uid !== uid) this.#uninstall(name);
      return;
    }
    const names = definition.status.acceptedNames;
    const isTerminating = isConditionTrue(definition, 'Terminating');
    if (old !== undefined && old.uid === uid && isDeepEqual(old.spec, definition.spec) && isDeepEqual(old.names, names)) {
      old.isTerminating = isTerminating;
      return;
    }
    this.#uninstall(name);
    const made = customResource({ spec: definition.spec, names, isTerminating: () => this.#installed.get(name)?.isTerminating === true });
    if (made === undefined) return;
    this.#installed.set(name, { uid, definition: made, spec: definition.spec, names, isTerminating });
    this.#server.install(made);
    this.#openApi = undefined;
  }

  #uninstall(name: string): void {
    const installed = this.#installed.get(name);
    if (installed === undefined) return;
    this.#installed.delete(name);
    this.#server.uninstall(installed.definition);
    this.#openApi = undefined;
  }

  #add(name: string): void {
    this.#queue.add(name);
    this.#wake?.();
  }

  async #work(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    while (!signal.aborted) {
      const [name] = this.#queue;
      if (name === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#queue.delete(name);
      await this.#attempt(name, () => this.#sync(name, signal), signal);
    }
  }

  /** Runs `step`, and again later when it fails for a reason that may pass. */
  async #attempt(name: string, step: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await step();
      this.#failures.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Error)) throw error;
      // Somebody else changed or removed it: an event brings us back.
      if (isConflict(error) || isNotFound(error)) return;
      const failures = this.#failures.get(name) ?? 0;
      this.#failures.set(name, failures + 1);
      this.#clock.setTimer(Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS), () => this.#add(name));
    }
  }

  async #sync(name: string, signal: AbortSignal): Promise<void> {
    if (this.#find(name) === undefined) {
      // Its names are free again for others of the group.
      this.#addGroupOf(name);
      return;
    }
    await this.#acceptNames(name);
    await this.#setCondition(name, 'NonStructuralSchema', nonStructural);
    await this.#setCondition(name, 'KubernetesAPIApprovalPolicyConformant', approval);
    const definition = this.#find(name);
    if (definition === undefined) return;
    if (isConditionTrue(definition, 'NamesAccepted') && !isConditionTrue(definition, 'Established')) {
      await this.#update(name, (status, now) =>
        withCondition(
          status,
          { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
          now,
        ),
      );
    }
    if (needsCleanup(this.#find(name)) && !this.#finalizing.has(name)) {
      this.#finalizing.add(name);
      background(this.#attempt(name, () => this.#finalize(name, signal), signal).finally(() => this.#finalizing.delete(name)));
    }
  }

  #addGroupOf(name: string): void {
    const group = name.slice(name.indexOf('.') + 1);
    for (const { object } of this.#store.list())
      if (object.metadata.name !== name && (object['spec'] as Spec).group === group) this.#add(object.metadata.name);
  }

  async #acceptNames(name: string): Promise<void> {
    const definition = this.#find(name);
    if (definition === undefined || isDeepEqual(definition.spec.names, definition.status.acceptedNames)) return;
    const others = this.#store
      .list()
      .map(({ object }) => object as unknown as CustomResourceDefinition)
      .filter((other) => other.spec.group === definition.spec.group && other.metadata.name !== name)
      .map((other) => other.status.acceptedNames);
    const { names, accepted, established } = namesFor(definition, [definition.status.acceptedNames, ...others]);
    if (isDeepEqual(names, definition.status.acceptedNames) && saysTheSame(accepted, conditionOf(definition, 'NamesAccepted'))) return;
    await this.#update(name, (status, now) =>
      withCondition(withCondition({ ...status, acceptedNames: names }, accepted, now), established, now),
    );
    this.#addGroupOf(name);
  }

  async #setCondition(name: string, type: string, compute: (definition: CustomResourceDefinition) => Given | undefined): Promise<void> {
    const definition = this.#find(name);
    if (definition === undefined) return;
    const wanted = compute(definition);
    if (saysTheSame(wanted, conditionOf(definition, type))) return;
    await this.#update(name, (status, now) => (wanted === undefined ? withoutCondition(status, type) : withCondition(status, wanted, now)));
  }

  /** The objects go first, then the definition. */
  async #finalize(name: string, signal: AbortSignal): Promise<void> {
    const terminating = (status: 'True' | 'False', reason: string, message: string): Given => ({
      type: 'Terminating',
      status,
      reason,
      message,
    });
    const set = (condition: Given, isLast = false): Promise<void> =>
      this.#update(name, (status, now) => withCondition(status, condition, now), isLast);
    await set(terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress'));
    const definition = this.#find(name);
    if (definition === undefined) return;
    if (!isConditionTrue(definition, 'Established')) {
      await set(terminating('False', 'NeverEstablished', 'resource was never established'), true);
      return;
    }
    const resource = this.#installed.get(name)?.definition;
    if (resource !== undefined) {
      const endpoint = this.#server.endpoint(resource.group, resource.plural);
      await endpoint.store.whenReady;
      const context: WriteContext = { user: SELF, served: resource, namespace: '', isDryRun: false, manager: '', subresource: '' };
      for (const { object } of endpoint.store.list()) {
        try {
          await endpoint.delete(object.metadata.name, {}, { ...context, namespace: object.metadata.namespace ?? '' });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      for (let waited = 0; endpoint.store.list().length > 0; waited += POLL_MS) {
        if (waited >= WAIT_MS) {
          const why = 'timed out waiting for the condition';
          await set(terminating('True', 'InstanceDeletionCheck', `could not confirm zero CustomResources remaining: ${why}`));
          throw new Error(why);
        }
        await this.#clock.sleep(POLL_MS, signal);
      }
    }
    await set(terminating('False', 'InstanceDeletionCompleted', 'removed all instances'), true);
  }

  /** Writes the status as any client would, through the status subresource of v1. */
  async #update(
    name: string,
    change: (status: DefinitionStatus, nowMs: number) => DefinitionStatus,
    removesFinalizer = false,
  ): Promise<void> {
    const endpoint = this.#server.endpoint(EXTENSIONS_GROUP, PLURAL);
    const served = endpoint.definition.alsoServedAs[0]!;
    const context: WriteContext = { user: SELF, served, namespace: '', isDryRun: false, manager: 'kube-apiserver', subresource: 'status' };
    await endpoint.change(
      name,
      (current) => {
        const metadata = { ...current.metadata };
        if (removesFinalizer) metadata.finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
        return { ...current, metadata, status: change(current['status'] as DefinitionStatus, this.#clock.now()) } as ApiObject;
      },
      context,
    );
  }
}

function needsCleanup(definition: CustomResourceDefinition | undefined): boolean {
  return definition?.metadata.deletionTimestamp !== undefined && (definition.metadata.finalizers ?? []).includes(CLEANUP_FINALIZER);
}

function nonStructural({ spec }: CustomResourceDefinition): Given | undefined {
  const type = 'NonStructuralSchema';
  const errors: string[] = [];
  if (spec.preserveUnknownFields === true) errors.push('spec.preserveUnknownFields: Invalid value: true: must be false');
  for (const [index, version] of versionsOf(spec).entries()) {
    const schema = effectiveVersion(spec, version).schema?.openAPIV3Schema;
    if (schema === undefined) continue;
    const reason = unsupported(schema);
    if (reason !== undefined) {
      const message = `failed to check validation schema for version ${version.name}: ${reason}`;
      return { type, status: 'Unknown', reason: 'StructuralError', message };
    }
    errors.push(...structuralErrors(schema, `spec.versions[${index}].schema.openAPIV3Schema`).map((error) => error.toString()));
  }
  const unique = [...new Set(errors)];
  if (unique.length === 0) return undefined;
  return { type, status: 'True', reason: 'Violations', message: unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]` };
}

function approval(definition: CustomResourceDefinition): Given | undefined {
  if (!isProtectedGroup(definition.spec.group)) return undefined;
  const [state, message] = approvalOf(definition.metadata.annotations);
  const reason = {
    Invalid: 'InvalidAnnotation',
    Missing: 'MissingAnnotation',
    Approved: 'ApprovedAnnotation',
    Bypassed: 'UnapprovedAnnotation',
  };
  return {
    type: 'KubernetesAPIApprovalPolicyConformant',
    status: state === 'Approved' ? 'True' : 'False',
    reason: reason[state],
    message,
  };
}
