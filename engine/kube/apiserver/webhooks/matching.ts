// Models which webhooks a request concerns: rules, namespace selectors, object selectors, and the version the webhook wants it in.

import { labelSelectorOf, type LabelSelectorSpec } from '../../machinery/selectors.ts';
import { notFound } from '../../machinery/status.ts';
import type { Webhook, WebhookRule } from '../../registry/admissionregistration/webhook-validation.ts';
import { servedVersions, type ServedVersion } from '../../registry/definition.ts';
import type { AdmissionRequest, ClusterReader } from '../admission.ts';

/** The version in which a webhook is to see the request; undefined when it is not to be called. */
export function invocationOf(webhook: Webhook, request: AdmissionRequest, reader: ClusterReader): ServedVersion | undefined {
  if (!matchesObject(webhook, request)) return undefined;
  const asked = request.served ?? request.definition;
  const rules = webhook.rules ?? [];
  let found = rules.some((rule) => matchesRule(rule, request, asked)) ? asked : undefined;
  if (found === undefined && webhook.matchPolicy === 'Equivalent') {
    const others = servedVersions(request.definition).filter((each) => each.group !== asked.group || each.version !== asked.version);
    for (const rule of rules) found ??= others.find((each) => matchesRule(rule, request, each));
  }
  // Looked at last: a namespace that is not there is only a problem for webhooks that are concerned.
  return found === undefined || !matchesNamespace(webhook, request, reader) ? undefined : found;
}

function isNamespaceItself({ definition }: AdmissionRequest): boolean {
  return definition.group === '' && definition.plural === 'namespaces';
}

function namespaceOf(request: AdmissionRequest): string {
  return isNamespaceItself(request) ? request.name : request.definition.isNamespaced ? request.namespace : '';
}

function matchesNamespace({ namespaceSelector }: Webhook, request: AdmissionRequest, reader: ClusterReader): boolean {
  const selector = labelSelectorOf((namespaceSelector ?? {}) as LabelSelectorSpec);
  if (selector.isEmpty) return true;
  const { operation, object, subresource } = request;
  if (isNamespaceItself(request) && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'))
    return selector.matches(object?.metadata.labels);
  const name = namespaceOf(request);
  // What belongs to no namespace is never spared.
  if (name === '') return true;
  const namespace = reader.store('', 'namespaces').get(undefined, name);
  if (namespace === undefined) throw notFound({ group: '', resource: 'namespaces' }, name);
  return selector.matches(namespace.object.metadata.labels);
}

function matchesObject({ objectSelector }: Webhook, { object, old }: AdmissionRequest): boolean {
  const selector = labelSelectorOf((objectSelector ?? {}) as LabelSelectorSpec);
  if (selector.isEmpty) return true;
  return [object, old].some((each) => each !== undefined && selector.matches(each.metadata.labels));
}

function matchesRule(rule: WebhookRule, request: AdmissionRequest, served: ServedVersion): boolean {
  const { scope = '*', operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  const isNamespaced = !isNamespaceItself(request) && namespaceOf(request) !== '';
  if (scope === 'Namespaced' && !isNamespaced) return false;
  if (scope === 'Cluster' && isNamespaced) return false;
  const has = (items: readonly string[], wanted: string): boolean => items.includes('*') || items.includes(wanted);
  if (!has(operations, request.operation) || !has(apiGroups, served.group) || !has(apiVersions, served.version)) return false;
  return resources.some((given) => {
    const [resource, sub = ''] = given.split(/\/(.*)/s);
    return (resource === '*' || resource === request.definition.plural) && (sub === '*' || sub === request.subresource);
  });
}
