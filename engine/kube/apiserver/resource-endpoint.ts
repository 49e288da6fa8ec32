// Models the generic registry: create, update, patch and delete of one resource.

import type { Clock } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import { TOO_LARGE } from '../../etcd/protocol.ts';
import { ApiError } from '../machinery/api-error.ts';
import { deepCopy, isDeepEqual, isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { rfc3339 } from '../machinery/time.ts';
import { goValue } from '../machinery/go-value.ts';
import type { ManagedFieldsEntry } from '../machinery/managed-fields/managers.ts';
import { DecodeError, normalize } from '../machinery/schema/codec.ts';
import { structOf } from '../machinery/schema/schema.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  notFound,
  OBJECT_WAS_MODIFIED,
  plainError,
  serverTimeout,
} from '../machinery/status.ts';
import type { ObjectMeta } from '../machinery/types.ts';
import type { ApiObject, ResourceDefinition, ServedVersion } from '../registry/definition.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { deletionStep, isToBeRemoved, type DeleteRequest } from './deletion.ts';
import { dedupOwners } from './owner-references.ts';
import { FieldTracking } from './field-tracking.ts';
import { generateName, orderMeta, randomUid, validateMeta, validateMetaUpdate } from './meta.ts';
import { Overtaken, type ResourceStore, type Stored } from './resource-store.ts';
import type { User } from './user.ts';
import { fromStorage, toStorage } from './version-conversion.ts';

export type { DeleteRequest } from './deletion.ts';

export interface WriteContext {
  readonly user: User;
  readonly served: ServedVersion;
  readonly namespace: string;
  readonly isDryRun: boolean;
  readonly manager: string;
  readonly subresource: string;
  /** The text of the body, for messages that quote it. */
  readonly body?: string;
  /** Something the client should know though the request is through. */
  readonly warn?: (text: string) => void;
  /** Throws unless the user may create what an apply or update finds missing. */
  readonly authorizeCreate?: () => void;
  /** A patch is being applied: what does not fit is then its fault. `strategic` is the patch itself when it is of that type. */
  readonly patch?: { readonly strategic: unknown };
}

/** How often a write that goes by what is there is tried again when others write too; upstream never gives up. */
const MAX_TRIES = 100;

type Entries = readonly ManagedFieldsEntry[] | undefined;

/** An object and who owns its fields, as server-side apply made them. */
interface AppliedState {
  readonly object: ApiObject;
  readonly managedFields: Entries;
}

interface Changed {
  readonly object: ApiObject;
  readonly owners: AppliedState | undefined;
}
type Change = (current: ApiObject | undefined) => Changed | Promise<Changed>;

interface ChangeOptions {
  readonly mayCreate?: boolean;
  /** A PUT, which some kinds want to name the version it replaces. */
  readonly isReplacement?: boolean;
  /** Only an object of that uid is changed. */
  readonly uid?: string | undefined;
  /** What is written was made from what was read, so that it may be made again when others write in between. */
  readonly isDerived?: boolean;
}

export class ResourceEndpoint {
  readonly definition: ResourceDefinition;
  readonly store: ResourceStore;
  /** `deployments.apps`. */
  readonly name: string;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #admission: readonly AdmissionPlugin[];
  readonly #hooks: WriteHooks;
  readonly #struct: string | undefined;
  readonly #tracking: FieldTracking;

  constructor(options: {
    readonly store: ResourceStore;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly admission: readonly AdmissionPlugin[];
    readonly hooks?: WriteHooks | undefined;
  }) {
    this.store = options.store;
    this.definition = options.store.definition;
    this.name = `${this.definition.plural}.${this.definition.group}`;
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.#admission = options.admission;
    this.#hooks = options.hooks ?? {};
    this.#tracking = new FieldTracking(this.definition);
    const { group, version, kind } = this.definition;
    this.#struct = this.definition.isCustom ? undefined : structOf(group, version, kind);
  }

  /** What is true now; 404 when there is no such object. */
  async read(namespace: string, name: string): Promise<Stored> {
    const stored = await this.store.read(namespace, name);
    if (stored === undefined) throw notFound(this.#names, name);
    return stored;
  }

  /** From the cache. */
  find(namespace: string, name: string): Stored {
    const stored = this.store.get(namespace, name);
    if (stored === undefined) throw notFound(this.#names, name);
    return stored;
  }

  create(given: ApiObject, context: WriteContext): Promise<Stored> {
    return this.#create(given, context, undefined);
  }

  /** `applied` are the managers of an object that server-side apply makes. */
  async #create(given: ApiObject, context: WriteContext, applied: { readonly managedFields: Entries } | undefined): Promise<Stored> {
    const { definition } = this;
    const { bare, entries } = splitManagers(given);
    // What was read from a request is nobody else's.
    const object = this.#stored(applied === undefined && context.body !== undefined ? bare : deepCopy(bare), context);
    // Defaults may reach into the metadata: some kinds are labelled as their template is.
    definition.strategy.setDefaults?.(object, context.served);
    const meta = { ...object.metadata } as unknown as Record<string, unknown>;
    this.#checkNamespace(meta, context.namespace);
    const version = Number(meta['resourceVersion'] ?? 0);
    for (const field of SET_BY_SERVER) if (field in meta) delete meta[field];
    const base = meta['generateName'];
    const isNameless = (meta['name'] ?? '') === '' && typeof base === 'string' && base !== '';
    meta['uid'] = randomUid(this.#rng);
    meta['creationTimestamp'] = rfc3339(this.#clock.now());
    if (definition.isNamespaced) meta['namespace'] = context.namespace;
    else delete meta['namespace'];
    if (definition.hasGeneration) meta['generation'] = 1;
    object.metadata = orderMeta(meta);
    const nowMs = this.#clock.now();
    dedupOwners(object, context.warn, '');
    // Before strategy and admission: what they fill in belongs to nobody.
    const owners =
      applied === undefined ? this.#tracking.created(object, entries ?? managersOf(object), { ...context, nowMs }) : applied.managedFields;
    setManagers(object, owners);

    await this.#admit(this.#admissionRequest('CREATE', object, undefined, context));
    // The strategy sees what admission made of it: a pod's class of service counts the limits it was given.
    definition.strategy.prepareForCreate?.(object, { nowMs, user: context.user, served: context.served });
    dedupOwners(object, context.warn, ' after mutating admission happens');
    // Plugins that change the object see it before it has its name.
    if (isNameless) object.metadata.name = generateName(this.#rng, base);
    replaceFields(object, this.#decode(object));
    const request = this.#admissionRequest('CREATE', object, undefined, context);
    object.metadata = orderMeta(object.metadata as unknown as Record<string, unknown>);
    // A name that is missing is the empty one to those who look at it; validation says what is wrong with it.
    if ((object.metadata as Partial<ObjectMeta>).name === undefined) object.metadata.name = '';
    const errors = [...(definition.strategy.validate?.(object, context.served) ?? [])];
    if (definition.strategy.validatesMetaLast !== true) errors.unshift(...validateMeta(definition, object));
    else if (errors.length === 0) errors.push(...validateMeta(definition, object));
    if (errors.length > 0) throw invalid(definition, object.metadata.name ?? '', errors);
    await this.#validate(request);
    if (this.store.get(context.namespace, object.metadata.name) !== undefined) throw await this.#exists(object, context);
    const release = await this.#hooks.beforeCreate?.(object, context.isDryRun);
    object.metadata = orderMeta(object.metadata as unknown as Record<string, unknown>);
    try {
      if (context.isDryRun) {
        if ((await this.store.read(context.namespace, object.metadata.name)) !== undefined) throw await this.#exists(object, context);
        return this.#unsaved(object);
      }
      if (version > 0) throw plainError('resourceVersion should not be set on objects to be created');
      let stored;
      try {
        stored = await this.store.create(object);
      } catch (error) {
        if (!isTooLarge(error) || object.metadata.managedFields === undefined) throw error;
        // The record of who set what can be large and is not worth losing the object for.
        delete object.metadata.managedFields;
        stored = await this.store.create(object);
      }
      if (stored instanceof Overtaken) throw await this.#exists(object, context);
      return stored;
    } finally {
      release?.();
    }
  }

  async #exists({ metadata }: ApiObject, context: WriteContext): Promise<ApiError> {
    if ((metadata.generateName ?? '') !== '') {
      return serverTimeout(this.definition, 'POST');
    }
    const { status } = alreadyExists(this.#names, metadata.name);
    const there = await this.store.read(context.namespace, metadata.name);
    if (there?.object.metadata.deletionTimestamp === undefined) return new ApiError(status);
    return new ApiError({ ...status, message: `object is being deleted: ${status.message}` });
  }

  /** PUT: `given` replaces the object (or its status). */
  update(name: string, given: ApiObject, context: WriteContext): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
    this.#checkName(given, name, context.namespace);
    // The body is not decoded yet: a uid that is no text is refused with the rest of it.
    const { uid } = given.metadata as { readonly uid?: unknown };
    return this.change(name, () => given, context, {
      mayCreate: this.definition.strategy.allowsCreateOnUpdate === true && context.subresource === '',
      isReplacement: true,
      uid: typeof uid === 'string' && uid !== '' ? uid : undefined,
    });
  }

  /**
   * Reads, changes and writes, again when others write in between and `change` names no resourceVersion.
   * `change` gets the object in the served version and must not alter it.
   */
  change(
    name: string,
    change: (current: ApiObject) => ApiObject | Promise<ApiObject>,
    context: WriteContext,
    options: ChangeOptions = {},
  ): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
    const { definition } = this;
    const missing = { apiVersion: '', kind: '', metadata: { name } } as unknown as ApiObject;
    return this.#change(
      name,
      async (current) => ({
        object: await change(current === undefined ? missing : fromStorage(current, definition, context.served)),
        owners: undefined,
      }),
      context,
      options,
    );
  }

  /** Server-side apply: `config` is what the manager in `context` wants. */
  apply(
    name: string,
    config: Readonly<Record<string, unknown>>,
    context: WriteContext,
    options: { readonly force: boolean },
  ): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
    const { served, manager, subresource } = context;
    const write = { served, manager, subresource, nowMs: this.#clock.now(), force: options.force };
    return this.#change(
      name,
      (current) => {
        const { object, managedFields } = this.#tracking.applied(config, current, write);
        const made = object as unknown as ApiObject;
        made.metadata = (made.metadata as ObjectMeta | undefined) ?? ({} as ObjectMeta);
        if (current === undefined && (made.metadata.uid ?? '') !== '') {
          const why = `uid mismatch: the provided object specified uid ${made.metadata.uid}, and no existing object was found`;
          throw conflict(this.#names, name, why);
        }
        if (current === undefined) this.#checkName(made, name, context.namespace);
        return { object: made, owners: { object: made, managedFields } };
      },
      context,
      { mayCreate: true, isDerived: true },
    );
  }

  async #change(
    name: string,
    change: Change,
    context: WriteContext,
    options: ChangeOptions,
  ): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
    let current = this.store.get(context.namespace, name);
    // The cache may be behind: a refusal counts only when it stands against what etcd has.
    let isSure = false;
    for (let attempt = 0; ; attempt++) {
      try {
        const written = await this.#tryChange(name, current, change, context, options);
        if (!(written instanceof Overtaken)) return written;
        current = written.current;
        isSure = true;
        if (attempt === MAX_TRIES) throw conflict(this.#names, name, OBJECT_WAS_MODIFIED);
      } catch (error) {
        if (isSure || !(error instanceof ApiError)) throw error;
        const there = await this.store.read(context.namespace, name);
        if (there?.revision === current?.revision) throw error;
        current = there;
        isSure = true;
      }
    }
  }

  async #tryChange(
    name: string,
    current: Stored | undefined,
    change: Change,
    context: WriteContext,
    options: ChangeOptions,
  ): Promise<{ readonly stored: Stored; readonly isNew: boolean } | Overtaken> {
    const { definition } = this;
    const { uid } = options;
    if (uid !== undefined && uid !== (current?.object.metadata.uid ?? '')) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current?.object.metadata.uid ?? ''}`;
      const key = this.store.keyOf(context.namespace, name);
      throw conflict(
        this.#names,
        name,
        `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
      );
    }
    if (current === undefined) {
      if (options.mayCreate !== true) throw notFound(this.#names, name);
      const { object, owners } = await change(undefined);
      context.authorizeCreate?.();
      // A version in it does not matter here: there is nothing it could be a version of.
      const { resourceVersion: _version, ...fresh } = object.metadata;
      return { stored: await this.#create({ ...object, metadata: fresh } as ApiObject, context, owners), isNew: true };
    }
    const { object: given, owners } = await change(current.object);
    if (options.isDerived === true) this.#checkName(given, name, context.namespace);
    const { bare, entries } = splitManagers(given);
    const next = this.#stored(deepCopy(bare), context);
    const version = next.metadata.resourceVersion ?? '';
    const isUnconditional = version === '' || version === '0';
    if (!isUnconditional && version !== current.object.metadata.resourceVersion) throw conflict(this.#names, name, OBJECT_WAS_MODIFIED);
    if (isUnconditional && options.isReplacement === true && definition.strategy.requiresVersionOnUpdate === true) {
      // The resource stands where the kind belongs, as upstream has it.
      throw invalid({ group: definition.group, kind: definition.plural }, name, [VERSION_REQUIRED]);
    }
    await this.#prepareUpdate(next, current.object, context, owners ?? entries ?? managersOf(next));
    // A status comes past what goes with writes of the object itself.
    const release = context.subresource === 'status' ? undefined : await this.#hooks.beforeUpdate?.(next, current.object, context.isDryRun);
    try {
      if (context.isDryRun) return { stored: this.#unsaved(next, current.object.metadata.resourceVersion), isNew: false };
      let stored;
      try {
        stored = await this.#commit(current, next);
      } catch (error) {
        if (!isTooLarge(error) || next.metadata.managedFields === undefined) throw error;
        delete next.metadata.managedFields;
        stored = await this.#commit(current, next);
      }
      return stored instanceof Overtaken ? stored : { stored, isNew: false };
    } finally {
      release?.();
    }
  }

  /**
   * A write of the server itself (a binding, a finalisation): no strategy, no admission, tried again when others write too.
   * `change` returns the new object, or undefined to leave it; what it throws goes to the caller. A dry run only shows the result.
   */
  async rewrite(
    namespace: string,
    name: string,
    change: (current: ApiObject) => ApiObject | undefined,
    options: { readonly isDryRun?: boolean } = {},
  ): Promise<Stored> {
    let current = await this.store.read(namespace, name);
    for (let attempt = 0; ; attempt++) {
      if (current === undefined) throw notFound(this.#names, name);
      const next = change(current.object);
      if (next === undefined) return current;
      const ordered = { ...next, metadata: orderMeta(next.metadata as unknown as Record<string, unknown>) };
      if (options.isDryRun === true) return this.#unsaved(ordered, current.object.metadata.resourceVersion);
      const stored = await this.#commit(current, ordered);
      if (!(stored instanceof Overtaken)) return stored;
      current = stored.current;
      if (attempt === MAX_TRIES) throw conflict(this.#names, name, OBJECT_WAS_MODIFIED);
    }
  }

  /** Writes, or removes what has nothing left to wait for. */
  async #commit(current: Stored, next: ApiObject): Promise<Stored | Overtaken> {
    if (isToBeRemoved(next, current.object)) {
      const removed = await this.store.delete(current);
      if (removed instanceof Overtaken) return removed;
      await this.#hooks.afterDelete?.(removed.object);
      // Who took the last finalizer away gets the object as it left it.
      return this.#unsaved(next, current.object.metadata.resourceVersion);
    }
    // A write that changes nothing keeps the version.
    return isDeepEqual(next, current.object) ? current : this.store.update(current, next);
  }

  /** Lets an object go, at once or when what it waits for is done. */
  async delete(
    name: string,
    request: DeleteRequest,
    context: WriteContext,
  ): Promise<{ readonly stored: Stored; readonly outcome: 'gone' | 'waiting' | 'pending' }> {
    let current = await this.store.read(context.namespace, name);
    for (;;) {
      if (current === undefined) throw notFound(this.#names, name);
      this.#checkPreconditions(current.object, request);
      const admission = this.#admissionRequest('DELETE', undefined, current.object, context, name);
      await this.#admit(admission);
      await this.#validate(admission);
      const step = deletionStep(this.definition, current.object, request, this.#clock.now());
      if (step.kind === 'pending') return { stored: current, outcome: step.isShown ? 'waiting' : 'pending' };
      if (step.kind === 'mark' && context.isDryRun) {
        const outcome = step.goesAtOnce ? 'gone' : 'waiting';
        return { stored: this.#unsaved(step.object, current.object.metadata.resourceVersion), outcome };
      }
      if (context.isDryRun) return { stored: current, outcome: 'gone' };
      if (step.kind === 'mark') {
        const marked: Stored | Overtaken = isDeepEqual(step.object, current.object)
          ? current
          : await this.store.update(current, step.object);
        if (marked instanceof Overtaken) {
          current = marked.current;
          continue;
        }
        if (!step.goesAtOnce) return { stored: marked, outcome: 'waiting' };
        current = marked;
      }
      const removed: Stored | Overtaken = await this.store.delete(current);
      if (removed instanceof Overtaken) {
        current = removed.current;
        continue;
      }
      await this.#hooks.afterDelete?.(removed.object);
      return { stored: removed, outcome: 'gone' };
    }
  }

  #checkPreconditions({ metadata }: ApiObject, { preconditions }: DeleteRequest): void {
    const { uid, resourceVersion } = preconditions ?? {};
    const names = { group: this.definition.group, resource: this.definition.kind };
    if (uid !== undefined && uid !== null && uid !== metadata.uid) {
      throw conflict(
        names,
        metadata.name,
        `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
      );
    }
    if (resourceVersion !== undefined && resourceVersion !== null && resourceVersion !== metadata.resourceVersion) {
      throw conflict(
        names,
        metadata.name,
        `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
      );
    }
  }

  /** `owners` are the managers as server-side apply made them, or as the request's object has them. */
  async #prepareUpdate(next: ApiObject, current: ApiObject, context: WriteContext, owners: AppliedState | Entries): Promise<void> {
    const { definition } = this;
    const { strategy } = definition;
    const nowMs = this.#clock.now();
    const meta = { ...next.metadata } as unknown as Record<string, unknown>;
    this.#checkNamespace(meta, context.namespace);
    // Left out by a client, these keep what they were.
    meta['name'] ??= current.metadata.name;
    if (definition.isNamespaced) meta['namespace'] = context.namespace;
    else delete meta['namespace'];
    for (const field of ['uid', 'deletionGracePeriodSeconds'] as const) {
      if ((meta[field] ?? '') === '') meta[field] = current.metadata[field];
    }
    // These are the server's, whatever a client says.
    meta['creationTimestamp'] = current.metadata.creationTimestamp;
    if (current.metadata.deletionTimestamp !== undefined) meta['deletionTimestamp'] = current.metadata.deletionTimestamp;
    delete meta['selfLink'];
    meta['resourceVersion'] = current.metadata.resourceVersion;
    if (current.metadata.generation !== undefined) meta['generation'] = current.metadata.generation;
    else delete meta['generation'];
    next.metadata = orderMeta(meta);
    strategy.setDefaults?.(next, context.served);
    if (context.patch === undefined) dedupOwners(next, context.warn, '');
    // Before strategy and admission, which may take back what was asked for: as v1.20 does.
    if (owners !== undefined && 'object' in owners) setManagers(next, owners.managedFields);
    else if (context.manager === '') setManagers(next, managersOf(current));
    else setManagers(next, this.#tracking.updated(next, current, owners, { ...context, nowMs }));
    const errors = [];
    const own = strategy.subresources?.[context.subresource];
    if (context.subresource === 'status' || own !== undefined) {
      for (const key of Object.keys(next)) if (!['kind', 'apiVersion', 'metadata', 'status'].includes(key)) delete next[key];
      for (const key of Object.keys(current)) if (!['kind', 'apiVersion', 'metadata', 'status'].includes(key)) next[key] = current[key];
      if (own !== undefined) own.prepare(next, current, nowMs);
      else strategy.prepareForStatusUpdate?.(next, current, nowMs);
      sortFields(next);
    } else {
      if (context.served.hasStatus ?? definition.hasStatus) {
        if (current['status'] === undefined) delete next['status'];
        else next['status'] = current['status'];
      }
      strategy.prepareForUpdate?.(next, current, context.served);
      sortFields(next);
      if (definition.hasGeneration && !isDeepEqual(withoutMetaAndStatus(next), withoutMetaAndStatus(current))) {
        next.metadata.generation = (current.metadata.generation ?? 0) + 1;
      }
    }
    const request = this.#admissionRequest('UPDATE', next, current, context);
    await this.#admit(request);
    dedupOwners(next, context.warn, ' after mutating admission happens');
    replaceFields(next, this.#decode(next));
    sortFields(next);
    next.metadata = orderMeta(next.metadata as unknown as Record<string, unknown>);
    const { common, meta: metaErrors } = validateMetaUpdate(definition, next, current);
    errors.push(...common);
    if (own !== undefined) errors.push(...own.validate(next, current, metaErrors, context.served));
    else if (context.subresource === 'status')
      errors.push(...(strategy.validateStatusUpdate?.(next, current, metaErrors, context.served) ?? metaErrors.update));
    else if (strategy.validateUpdate !== undefined) errors.push(...strategy.validateUpdate(next, current, metaErrors, context.served));
    else errors.push(...metaErrors.update, ...metaErrors.object, ...(strategy.validate?.(next, context.served) ?? []));
    if (errors.length > 0) throw invalid(definition, next.metadata.name, errors);
    await this.#validate(request);
  }

  /** What a client sent in the version it speaks, as it is stored. */
  #stored(given: ApiObject, context: WriteContext): ApiObject {
    try {
      return this.#asStored(given, context);
    } catch (error) {
      // What the versions' own conversion found.
      if (!(error instanceof DecodeError)) throw error;
      const { kind } = this.definition;
      throw badRequest(`${kind} in version "${context.served.version}" cannot be handled as a ${kind}: ${error.message}`);
    }
  }

  #asStored(given: ApiObject, context: WriteContext): ApiObject {
    const { definition } = this;
    const { group, version, toStorage: convert, decode } = context.served;
    if (decode !== undefined) return toStorage(decode(given), definition, context.served);
    if (convert === undefined || definition.isCustom) return this.#decode(toStorage(given, definition, context.served), context);
    const decoded = this.#decode(given, context, structOf(group, version, definition.kind));
    return this.#decode(toStorage(decoded, definition, context.served));
  }

  /** As the Go types keep it; custom objects are kept as they are. */
  #decode(object: ApiObject, context?: WriteContext, struct: string | undefined = this.#struct): ApiObject {
    if (struct === undefined) return object;
    try {
      return normalize(struct, object);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const { kind } = this.definition;
      const { version } = context?.served ?? this.definition;
      if (context?.patch !== undefined) {
        const { strategic } = context.patch;
        const text = JSON.stringify(object);
        const [value, why] = strategic === undefined ? [text, error.describe(text)] : [goValue(strategic), error.conversion];
        throw invalid({ group: '', kind: '' }, '', [FieldError.invalid('patch', value, why)]);
      }
      throw badRequest(
        `${kind} in version "${version}" cannot be handled as a ${kind}: ${error.describe(context?.body ?? JSON.stringify(object))}`,
      );
    }
  }

  /** What a patch makes must still be what the path names. */
  #checkName(object: ApiObject, name: string, namespace: string): void {
    const { name: own = '', namespace: ownNamespace = '' } = (object.metadata as Partial<ObjectMeta> | undefined) ?? {};
    // What is no string the decoder refuses in its own words.
    if (typeof own !== 'string' || typeof ownNamespace !== 'string') return;
    if (own === '') throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
    if (own !== name) throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
    if (namespace !== '' && ownNamespace !== '' && ownNamespace !== namespace) {
      throw badRequest(`the namespace of the object (${ownNamespace}) does not match the namespace on the request (${namespace})`);
    }
  }

  #checkNamespace(meta: Record<string, unknown>, namespace: string): void {
    const given = meta['namespace'];
    if (!this.definition.isNamespaced || given === undefined || given === '' || given === null) return;
    if (given !== namespace) throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }

  #admissionRequest(
    operation: AdmissionRequest['operation'],
    object: ApiObject | undefined,
    old: ApiObject | undefined,
    context: WriteContext,
    name?: string,
  ): AdmissionRequest {
    return {
      operation,
      definition: this.definition,
      served: context.served,
      subresource: context.subresource,
      namespace: context.namespace,
      name: name ?? object?.metadata.name ?? old?.metadata.name ?? '',
      object,
      old,
      user: context.user,
      ...(context.warn === undefined ? {} : { warn: context.warn }),
      isDryRun: context.isDryRun,
    };
  }

  /** What admission says to a write of a subresource that is answered elsewhere. */
  async admitSubresource(
    operation: AdmissionRequest['operation'],
    name: string,
    object: ApiObject | undefined,
    old: ApiObject | undefined,
    context: WriteContext,
  ): Promise<void> {
    const request = this.#admissionRequest(operation, object, old, context, name);
    await this.#admit(request);
    await this.#validate(request);
  }

  async #admit(request: AdmissionRequest): Promise<void> {
    const rounds = { isSecond: false, isSecondWanted: false };
    await this.#admitOnce({ ...request, rounds });
    if (!rounds.isSecondWanted) return;
    rounds.isSecond = true;
    await this.#admitOnce({ ...request, rounds });
  }

  async #admitOnce(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#admission) {
      const pending = plugin.admit?.(request);
      if (pending !== undefined) await pending;
    }
  }

  async #validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#admission) {
      const pending = plugin.validate?.(request);
      if (pending !== undefined) await pending;
    }
  }

  /** What a dry run answers: never stored, so without a version of its own. */
  #unsaved(object: ApiObject, resourceVersion?: string): Stored {
    const shown: ApiObject =
      resourceVersion === undefined ? object : { ...object, metadata: orderMeta({ ...object.metadata, resourceVersion }) };
    return { key: '', revision: 0, object: shown, json: JSON.stringify(shown) };
  }

  get #names(): { readonly group: string; readonly resource: string } {
    return { group: this.definition.group, resource: this.definition.plural };
  }
}

/** Work that goes with a write: allocation of addresses and ports. Each may return what to call when the write is through or has failed. */
export interface WriteHooks {
  beforeCreate?(object: ApiObject, isDryRun: boolean): (() => void) | undefined | Promise<(() => void) | undefined>;
  beforeUpdate?(next: ApiObject, current: ApiObject, isDryRun: boolean): (() => void) | undefined | Promise<(() => void) | undefined>;
  afterDelete?(object: ApiObject): void | Promise<void>;
}

const VERSION_REQUIRED = FieldError.invalidGo('metadata.resourceVersion', '0x0', 'must be specified for an update');

/** What a new object does not bring along. */
const SET_BY_SERVER = ['selfLink', 'uid', 'resourceVersion', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'];

function isTooLarge(error: unknown): boolean {
  return error instanceof EtcdError && error.message === TOO_LARGE;
}

function managersOf(object: ApiObject): Entries {
  return object.metadata.managedFields as unknown as Entries;
}

function setManagers(object: ApiObject, entries: Entries): void {
  if (entries === undefined || entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries as unknown as NonNullable<ApiObject['metadata']['managedFields']>;
}

/** managedFields go their own way: they are neither decoded nor copied with the object, unless they are none and the decoder must say so. */
function splitManagers(object: ApiObject): { readonly bare: ApiObject; readonly entries: Entries } {
  const given: unknown = object.metadata?.managedFields;
  if (given === undefined || !isManagerList(given)) return { bare: object, entries: undefined };
  const { managedFields: _, ...metadata } = object.metadata;
  return { bare: { ...object, metadata: metadata as ApiObject['metadata'] }, entries: given };
}

function isManagerList(given: unknown): given is readonly ManagedFieldsEntry[] {
  return (
    Array.isArray(given) &&
    given.every(
      (entry) =>
        isRecord(entry) &&
        ['manager', 'operation', 'apiVersion', 'time', 'fieldsType'].every((field) =>
          ['string', 'undefined'].includes(typeof entry[field]),
        ),
    )
  );
}

function withoutMetaAndStatus(object: ApiObject): Record<string, unknown> {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return rest;
}

/** Makes `target` what `source` is, in place: admission and validation hold on to the object. */
function replaceFields(target: ApiObject, source: ApiObject): void {
  if (target === source) return;
  // Deleting makes an object slow for good, so fields that stand in the same order are only set.
  if (!hasSameFields(target, source)) for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, source);
}

function hasSameFields(a: ApiObject, b: ApiObject): boolean {
  const fields = Object.keys(a);
  let at = 0;
  for (const field in b) if (fields[at++] !== field) return false;
  return at === fields.length;
}

/** kind, apiVersion and metadata first, status last. */
function sortFields(object: ApiObject): void {
  if (!Object.hasOwn(object, 'status')) return;
  const status = object['status'];
  delete object['status'];
  object['status'] = status;
}
