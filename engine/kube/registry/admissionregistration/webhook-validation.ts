// Models the defaults and rules of webhook configurations.

import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings } from '../../machinery/go-syntax.ts';
import { dns1035Label, dns1123Subdomain } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { webhookServiceErrors, webhookUrlErrors } from '../apiextensions/webhook-client.ts';
import { labelSelector } from '../checks.ts';
import type { Json } from '../definition.ts';
import { defaults, records } from '../object-access.ts';

export interface WebhookRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
}

export interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    readonly url?: string;
    readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number };
    readonly caBundle?: string;
  };
  readonly rules?: readonly WebhookRule[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: Json;
  readonly objectSelector?: Json;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly reinvocationPolicy?: string;
}

export type WebhookConfiguration = KubeObject & { webhooks?: readonly Webhook[] };

const DEFAULTS: Json = { failurePolicy: 'Fail', matchPolicy: 'Equivalent', timeoutSeconds: 10 };
export const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

/** What v1 fills in; v1beta1 has filled in its own before. */
export function setWebhookDefaults(configuration: WebhookConfiguration, isMutating: boolean): void {
  for (const webhook of records((configuration as unknown as Json)['webhooks'])) {
    defaults(webhook, DEFAULTS);
    for (const selector of ['namespaceSelector', 'objectSelector']) webhook[selector] ??= {};
    if (isMutating) defaults(webhook, { reinvocationPolicy: 'Never' });
    for (const rule of records(webhook['rules'])) defaults(rule, { scope: '*' });
    const { service } = (webhook['clientConfig'] ?? {}) as { service?: Json };
    if (service !== undefined && service !== null) service['port'] ??= 443;
  }
}

interface Leniency {
  readonly sideEffects: boolean;
  readonly twinNames: boolean;
  readonly unknownReviewVersions: boolean;
}

export function webhookErrors(next: WebhookConfiguration, version: string, isMutating: boolean): FieldError[] {
  const isBeta = version === 'v1beta1';
  return errorsOf(next, { sideEffects: isBeta, twinNames: isBeta, unknownReviewVersions: false }, isMutating);
}

/** What the old one did, the new one may go on doing. */
export function webhookUpdateErrors(
  next: WebhookConfiguration,
  old: WebhookConfiguration,
  version: string,
  isMutating: boolean,
): FieldError[] {
  const isBeta = version === 'v1beta1';
  const before = old.webhooks ?? [];
  const names = before.map((webhook) => webhook.name);
  const leniency = {
    sideEffects: isBeta || before.some((webhook) => !NO_SIDE_EFFECTS.includes(webhook.sideEffects ?? '')),
    twinNames: isBeta || new Set(names).size < names.length,
    unknownReviewVersions: before.some((webhook) => {
      const versions = webhook.admissionReviewVersions ?? [];
      return versions.length > 0 && !versions.some((each) => REVIEW_VERSIONS.includes(each));
    }),
  };
  return errorsOf(next, leniency, isMutating);
}

function errorsOf(configuration: WebhookConfiguration, leniency: Leniency, isMutating: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, webhook] of (configuration.webhooks ?? []).entries()) {
    const path = `webhooks[${index}]`;
    errors.push(...hookErrors(webhook, path, leniency, isMutating), ...reviewVersionErrors(webhook, path, leniency));
    if (!leniency.twinNames && webhook.name !== '') {
      if (names.has(webhook.name)) errors.push(FieldError.duplicate(`${path}.name`, webhook.name));
      names.add(webhook.name);
    }
  }
  return errors;
}

function hookErrors(webhook: Webhook, path: string, leniency: Leniency, isMutating: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { name, clientConfig, timeoutSeconds } = webhook;
  const problems = dns1123Subdomain(name);
  if (name === '') errors.push(FieldError.required(`${path}.name`, ''));
  else if (problems.length > 0) errors.push(FieldError.invalid(`${path}.name`, name, problems.join(',')));
  else if (name.split('.').length < 3)
    errors.push(FieldError.invalid(`${path}.name`, name, 'should be a domain with at least three segments separated by dots'));
  for (const [index, rule] of (webhook.rules ?? []).entries()) errors.push(...ruleErrors(rule, `${path}.rules[${index}]`));
  const oneOf = (field: 'failurePolicy' | 'matchPolicy' | 'reinvocationPolicy', allowed: readonly string[]): void => {
    const value = webhook[field];
    if (value !== undefined && !allowed.includes(value)) errors.push(FieldError.notSupported(`${path}.${field}`, value, allowed));
  };
  oneOf('failurePolicy', ['Fail', 'Ignore']);
  oneOf('matchPolicy', ['Equivalent', 'Exact']);
  const sideEffects = leniency.sideEffects ? SIDE_EFFECTS : NO_SIDE_EFFECTS;
  if ((webhook.sideEffects ?? '') === '')
    errors.push(FieldError.required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`));
  else if (!sideEffects.includes(webhook.sideEffects!))
    errors.push(FieldError.notSupported(`${path}.sideEffects`, webhook.sideEffects, sideEffects));
  if (timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1))
    errors.push(FieldError.invalid(`${path}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
  if (isMutating) oneOf('reinvocationPolicy', ['IfNeeded', 'Never']);
  if (webhook.namespaceSelector !== undefined) labelSelector(errors, `${path}.namespaceSelector`, webhook.namespaceSelector);
  if (webhook.objectSelector !== undefined) labelSelector(errors, `${path}.objectSelector`, webhook.objectSelector);
  const { url, service } = clientConfig ?? {};
  if ((url === undefined) === (service === undefined))
    errors.push(FieldError.required(`${path}.clientConfig`, 'exactly one of url or service is required'));
  else if (url !== undefined) errors.push(...webhookUrlErrors(url, `${path}.clientConfig.url`));
  else errors.push(...webhookServiceErrors(service!, `${path}.clientConfig.service`));
  return errors;
}

function reviewVersionErrors(webhook: Webhook, hook: string, leniency: Leniency): FieldError[] {
  const versions = webhook.admissionReviewVersions ?? [];
  const path = `${hook}.admissionReviewVersions`;
  if (versions.length === 0) return [FieldError.required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    if (seen.has(version)) {
      errors.push(FieldError.invalid(`${path}[${index}]`, version, 'duplicate version'));
      continue;
    }
    seen.add(version);
    for (const problem of dns1035Label(version)) errors.push(FieldError.invalid(`${path}[${index}]`, version, problem));
  }
  if (!leniency.unknownReviewVersions && !REVIEW_VERSIONS.some((version) => seen.has(version)))
    errors.push(FieldError.invalid(path, goStrings(versions), `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  return errors;
}

function ruleErrors(rule: WebhookRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  if (operations.length === 0) errors.push(FieldError.required(`${path}.operations`, ''));
  if (operations.length > 1 && operations.includes('*'))
    errors.push(
      FieldError.invalid(
        `${path}.operations`,
        goStrings(operations, 'admissionregistration.OperationType'),
        "if '*' is present, must not specify other operations",
      ),
    );
  for (const [index, operation] of operations.entries())
    if (!OPERATIONS.includes(operation)) errors.push(FieldError.notSupported(`${path}.operations[${index}]`, operation, OPERATIONS));
  if (apiGroups.length === 0) errors.push(FieldError.required(`${path}.apiGroups`, ''));
  if (apiGroups.length > 1 && apiGroups.includes('*'))
    errors.push(FieldError.invalid(`${path}.apiGroups`, goStrings(apiGroups), "if '*' is present, must not specify other API groups"));
  if (apiVersions.length === 0) errors.push(FieldError.required(`${path}.apiVersions`, ''));
  if (apiVersions.length > 1 && apiVersions.includes('*'))
    errors.push(
      FieldError.invalid(`${path}.apiVersions`, goStrings(apiVersions), "if '*' is present, must not specify other API versions"),
    );
  for (const [index, version] of apiVersions.entries())
    if (version === '') errors.push(FieldError.required(`${path}.apiVersions[${index}]`, ''));
  errors.push(...resourceErrors(resources, `${path}.resources`));
  const scopes = ['*', 'Cluster', 'Namespaced'];
  if (scope !== undefined && !scopes.includes(scope)) errors.push(FieldError.notSupported(`${path}.scope`, scope, scopes));
  return errors;
}

function resourceErrors(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [FieldError.required(path, '')];
  const errors: FieldError[] = [];
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  let hasPlain = false;
  for (const [index, given] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (given === '') {
      errors.push(FieldError.required(at, ''));
      continue;
    }
    const slash = given.indexOf('/');
    if (slash < 0) {
      hasPlain = given !== '*';
      continue;
    }
    const [resource, sub] = [given.slice(0, slash), given.slice(slash + 1)];
    if (wholeResources.has(resource))
      errors.push(FieldError.invalid(at, given, `if '${resource}/*' is present, must not specify ${given}`));
    if (wholeSubresources.has(sub)) errors.push(FieldError.invalid(at, given, `if '*/${sub}' is present, must not specify ${given}`));
    if (sub === '*') wholeResources.add(resource);
    if (resource === '*') wholeSubresources.add(sub);
  }
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(FieldError.invalid(path, goStrings(resources), "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && hasPlain)
    errors.push(FieldError.invalid(path, goStrings(resources), "if '*' is present, must not specify other resources without subresources"));
  return errors;
}
