// Models MutatingAdmissionWebhook and ValidatingAdmissionWebhook.

import type { Rng } from '../../../sim/rng.ts';
import { ApiError } from '../../machinery/api-error.ts';
import { deepCopy, isDeepEqual } from '../../machinery/deep.ts';
import { applyJsonPatch, PatchError } from '../../machinery/json-patch.ts';
import { normalize } from '../../machinery/schema/codec.ts';
import { structOf } from '../../machinery/schema/schema.ts';
import { badRequest, internalError } from '../../machinery/status.ts';
import type { Status } from '../../machinery/types.ts';
import type { Webhook, WebhookConfiguration } from '../../registry/admissionregistration/webhook-validation.ts';
import type { ApiObject, ServedVersion } from '../../registry/definition.ts';
import type { AdmissionPlugin, AdmissionRequest, AdmissionRounds } from '../admission.ts';
import { randomUid } from '../meta.ts';
import { fromStorage, toStorage } from '../version-conversion.ts';
import { callWebhook, WebhookCallError, type CallOptions, type Verdict } from './calls.ts';
import { invocationOf } from './matching.ts';

export interface WebhookOptions extends CallOptions {
  readonly rng: Rng;
}

const GROUP = 'admissionregistration.k8s.io';

export function webhookPlugins(options: WebhookOptions): Readonly<Record<string, AdmissionPlugin>> {
  return {
    MutatingAdmissionWebhook: {
      name: 'MutatingAdmissionWebhook',
      admit(request) {
        const hooks = hooksOf('mutatingwebhookconfigurations', request, options);
        return hooks.length === 0 ? undefined : mutate(hooks, request, options);
      },
    },
    ValidatingAdmissionWebhook: {
      name: 'ValidatingAdmissionWebhook',
      validate(request) {
        const hooks = hooksOf('validatingwebhookconfigurations', request, options);
        return hooks.length === 0 ? undefined : validate(hooks, request, options);
      },
    },
  };
}

/** In order of the configurations' names. Nothing keeps anybody from mending these configurations themselves. */
function hooksOf(plural: string, { definition }: AdmissionRequest, { reader }: WebhookOptions): readonly Webhook[] {
  if (definition.group === GROUP) return [];
  const configurations = reader.store(GROUP, plural).list();
  return configurations.length === 0
    ? []
    : configurations.flatMap(({ object }) => (object as unknown as WebhookConfiguration).webhooks ?? []);
}

/** What the second round has to know of the first. */
interface Reinvocation {
  /** Called already, and willing to be again. */
  readonly willing: Set<Webhook>;
  readonly wanted: Set<Webhook>;
  /** The object as webhooks left it. */
  output: ApiObject | undefined;
}

const reinvocations = new WeakMap<AdmissionRounds, Reinvocation>();

function reinvocationOf(rounds: AdmissionRounds): Reinvocation {
  const known = reinvocations.get(rounds) ?? { willing: new Set(), wanted: new Set(), output: undefined };
  reinvocations.set(rounds, known);
  return known;
}

function wantWilling({ willing, wanted }: Reinvocation): void {
  for (const webhook of willing) wanted.add(webhook);
  willing.clear();
}

async function mutate(hooks: readonly Webhook[], request: AdmissionRequest, options: WebhookOptions): Promise<void> {
  const rounds = request.rounds ?? { isSecond: false, isSecondWanted: false };
  const reinvocation = reinvocationOf(rounds);
  if (rounds.isSecond && !isDeepEqual(request.object, reinvocation.output)) wantWilling(reinvocation);
  for (const webhook of hooks) {
    const served = invocationOf(webhook, request, options.reader);
    if (served === undefined || (rounds.isSecond && !reinvocation.wanted.has(webhook))) continue;
    if (await mutateOnce(webhook, request, served, options)) {
      wantWilling(reinvocation);
      rounds.isSecondWanted = true;
    }
    if (webhook.reinvocationPolicy === 'IfNeeded') reinvocation.willing.add(webhook);
  }
  reinvocation.output = request.object === undefined ? undefined : deepCopy(request.object);
}

async function mutateOnce(webhook: Webhook, request: AdmissionRequest, served: ServedVersion, options: WebhookOptions): Promise<boolean> {
  const verdict = await ask(webhook, request, served, options, true);
  if (verdict === undefined || verdict.patch.length === 0) return false;
  const { object } = request;
  if (object === undefined)
    throw internalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  let patched: ApiObject;
  try {
    patched = applyJsonPatch(shownAs(object, request, served), verdict.patch) as ApiObject;
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw internalError(error.message);
  }
  const { definition } = request;
  const next = decoded(patched, request, served);
  definition.strategy.setDefaults?.(next, served);
  if (isDeepEqual(next, object)) return false;
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, next);
  return true;
}

async function validate(hooks: readonly Webhook[], request: AdmissionRequest, options: WebhookOptions): Promise<void> {
  const called = hooks.flatMap((webhook) => {
    const served = invocationOf(webhook, request, options.reader);
    return served === undefined ? [] : [{ webhook, served }];
  });
  // All are asked at once; of several refusals the first is told.
  const results = await Promise.allSettled(called.map(({ webhook, served }) => ask(webhook, request, served, options, false)));
  for (const result of results) if (result.status === 'rejected') throw result.reason as Error;
}

/** What a webhook says; undefined when it could not be asked and that does not matter. Throws ApiError to refuse. */
async function ask(
  webhook: Webhook,
  request: AdmissionRequest,
  served: ServedVersion,
  options: WebhookOptions,
  isMutating: boolean,
): Promise<Verdict | undefined> {
  if (request.isDryRun === true && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  let verdict: Verdict;
  try {
    verdict = await callWebhook(webhook, { uid: randomUid(options.rng), request: reviewOf(request, served), isMutating }, options);
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw internalError(error.message);
  }
  for (const warning of verdict.warnings) request.warn?.(warning);
  if (!verdict.isAllowed) throw refusal(webhook.name, verdict.status);
  return verdict;
}

function refusal(webhook: string, given: Readonly<Record<string, unknown>> | undefined): ApiError {
  const {
    code = 0,
    message = '',
    reason = '',
    details,
  } = (given ?? {}) as { code?: number; message?: string; reason?: string; details?: Status['details'] };
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const why = message !== '' ? `: ${message}` : reason !== '' ? `: ${reason}` : ' without explanation';
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${denied}${why}`,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: code < 400 ? 400 : code,
  });
}

function shownAs(object: ApiObject, { definition }: AdmissionRequest, served: ServedVersion): ApiObject {
  return fromStorage(deepCopy(object), definition, served);
}

function decoded(object: ApiObject, { definition }: AdmissionRequest, served: ServedVersion): ApiObject {
  if (served.decode !== undefined) return toStorage(served.decode(object), definition, served);
  const struct = definition.isCustom ? undefined : structOf(served.group, served.version, definition.kind);
  return toStorage(struct === undefined ? object : normalize(struct, object), definition, served);
}

const OPTIONS: Readonly<Record<string, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
  CONNECT: '',
};

function reviewOf(request: AdmissionRequest, served: ServedVersion): object {
  const { definition, operation, user, object, old, subresource, namespace, name, isDryRun = false } = request;
  const asked = request.served ?? definition;
  const kindOf = ({ group, version }: ServedVersion): object => ({ group, version, kind: definition.kind });
  const resourceOf = ({ group, version }: ServedVersion): object => ({ group, version, resource: definition.plural });
  const sub = subresource === '' ? {} : { subResource: subresource };
  const options = OPTIONS[operation]!;
  const isItself = definition.group === '' && definition.plural === 'namespaces';
  const inNamespace = definition.isNamespaced ? namespace : isItself ? name : '';
  return {
    kind: kindOf(served),
    resource: resourceOf(served),
    ...sub,
    requestKind: kindOf(asked),
    requestResource: resourceOf(asked),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(inNamespace === '' ? {} : { namespace: inNamespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    object: object === undefined ? null : shownAs(object, request, served),
    oldObject: old === undefined ? null : shownAs(old, request, served),
    dryRun: isDryRun,
    options: options === '' ? null : { kind: options, apiVersion: 'meta.k8s.io/v1' },
  };
}
