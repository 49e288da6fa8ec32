// Models the describers of quotas, limit ranges, budgets, priority classes and network policies.

import type { Context } from '../context.ts';
import { at } from '../commands/common.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { eventsOf, writeEvents } from './events.ts';
import { goTime, labelsText, objects, selectorText, text } from './values.ts';
import { DescribeWriter, writeAnnotations, writeLabels } from './writer.ts';

const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  Terminating:
    'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort: 'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort:
    'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
};

export function describeQuota(_: Context, quota: JsonObject): Promise<string> {
  const writer = nameAndNamespace(quota);
  writeScopes(writer, quota, '', ' * ');
  writer.write(0, 'Resource\tUsed\tHard\n--------\t----\t----\n');
  writeUsage(writer, quota, '');
  return Promise.resolve(writer.toString());
}

/** Of all quotas of a namespace. */
export function writeQuotas(writer: DescribeWriter, quotas: readonly JsonObject[]): void {
  if (quotas.length === 0) {
    writer.line(0, 'No resource quota.');
    return;
  }
  writer.write(0, 'Resource Quotas');
  const name = (quota: JsonObject): string => text(at(quota, 'metadata', 'name'));
  for (const quota of [...quotas].sort((a, b) => (name(a) < name(b) ? -1 : 1))) {
    writer.write(0, `\n Name:\t${name(quota)}\n`);
    writeScopes(writer, quota, ' ', '  * ');
    writer.write(0, ' Resource\tUsed\tHard\n --------\t---\t---\n');
    writeUsage(writer, quota, ' ');
  }
}

function writeScopes(writer: DescribeWriter, quota: JsonObject, indent: string, bullet: string): void {
  const given = at(quota, 'spec', 'scopes');
  const scopes = Array.isArray(given) ? (given as unknown[]).map(text).sort() : [];
  if (scopes.length === 0) return;
  writer.line(0, `${indent}Scopes:\t${scopes.join(', ')}`);
  for (const scope of scopes) if (SCOPE_TEXTS[scope] !== undefined) writer.line(0, `${bullet}${SCOPE_TEXTS[scope]}`);
}

function writeUsage(writer: DescribeWriter, quota: JsonObject, indent: string): void {
  const hard = at(quota, 'status', 'hard');
  for (const resource of isObject(hard) ? Object.keys(hard).sort() : [])
    writer.line(0, `${indent}${resource}\t${text(at(quota, 'status', 'used', resource) ?? 0)}\t${text(at(hard, resource))}`);
}

const LIMIT_TITLES = 'Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio';
const LIMIT_RULER = '----\t--------\t---\t---\t---------------\t-------------\t-----------------------';

export function describeLimitRange(_: Context, range: JsonObject): Promise<string> {
  const writer = nameAndNamespace(range);
  writer.write(0, `${LIMIT_TITLES}\n${LIMIT_RULER}\n`);
  for (const limit of objects(at(range, 'spec', 'limits'))) writeLimit(writer, limit, '');
  return Promise.resolve(writer.toString());
}

/** Of all limit ranges of a namespace. */
export function writeLimitRanges(writer: DescribeWriter, ranges: readonly JsonObject[]): void {
  if (ranges.length === 0) {
    writer.line(0, 'No LimitRange resource.');
    return;
  }
  writer.write(0, `Resource Limits\n ${LIMIT_TITLES}\n ${LIMIT_RULER}\n`);
  for (const range of ranges) for (const limit of objects(at(range, 'spec', 'limits'))) writeLimit(writer, limit, ' ');
}

/** The real one goes through a map, in any order; ours is the alphabet's. */
function writeLimit(writer: DescribeWriter, limit: JsonObject, indent: string): void {
  const names = new Set(
    ['min', 'max', 'default', 'defaultRequest', 'maxLimitRequestRatio'].flatMap((key) => Object.keys((limit[key] ?? {}) as object)),
  );
  for (const name of [...names].sort()) {
    const cells = ['min', 'max', 'defaultRequest', 'default', 'maxLimitRequestRatio'].map((key) => text(at(limit, key, name) ?? '-'));
    writer.line(0, `${indent}${text(limit['type'])}\t${name}\t${cells.join('\t')}`);
  }
}

export async function describeBudget(context: Context, budget: JsonObject, showEvents: boolean): Promise<string> {
  const writer = nameAndNamespace(budget);
  const min = at(budget, 'spec', 'minAvailable');
  const max = at(budget, 'spec', 'maxUnavailable');
  if (min !== undefined) writer.line(0, `Min available:\t${text(min)}`);
  else if (max !== undefined) writer.line(0, `Max unavailable:\t${text(max)}`);
  const selector = at(budget, 'spec', 'selector');
  writer.line(0, `Selector:\t${selector === undefined ? '<unset>' : selectorText(selector)}`);
  writer.line(0, 'Status:');
  const count = (key: string): string => text(at(budget, 'status', key) ?? 0);
  writer.line(2, `Allowed disruptions:\t${count('disruptionsAllowed')}`);
  writer.line(2, `Current:\t${count('currentHealthy')}`);
  writer.line(2, `Desired:\t${count('desiredHealthy')}`);
  writer.line(2, `Total:\t${count('expectedPods')}`);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, budget));
  return writer.toString();
}

export async function describePriorityClass(context: Context, priorityClass: JsonObject, showEvents: boolean): Promise<string> {
  const writer = new DescribeWriter(context.zone);
  writer.line(0, `Name:\t${text(at(priorityClass, 'metadata', 'name'))}`);
  writer.line(0, `Value:\t${text(priorityClass['value'])}`);
  writer.line(0, `GlobalDefault:\t${text(priorityClass['globalDefault'] ?? false)}`);
  writer.line(0, `Description:\t${text(priorityClass['description'])}`);
  writer.line(0, `Annotations:\t${labelsText(at(priorityClass, 'metadata', 'annotations'))}`);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, priorityClass));
  return writer.toString();
}

export function describeNetworkPolicy(context: Context, policy: JsonObject): Promise<string> {
  const writer = nameAndNamespace(policy);
  writer.line(0, `Created on:\t${goTime(text(at(policy, 'metadata', 'creationTimestamp')), context.zone)}`);
  writeLabels(writer, 0, 'Labels', at(policy, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(policy, 'metadata', 'annotations'));
  const spec = isObject(policy['spec']) ? policy['spec'] : {};
  const selector = selectorText(spec['podSelector']);
  writer.line(0, 'Spec:');
  writer.line(
    1,
    `PodSelector:     ${selector === '<none>' ? '<none> (Allowing the specific traffic to all pods in this namespace)' : selector}`,
  );
  const types = Array.isArray(spec['policyTypes']) ? (spec['policyTypes'] as unknown[]).map(text) : [];
  for (const [type, key, peers, direction] of [
    ['Ingress', 'ingress', 'from', 'ingress'],
    ['Egress', 'egress', 'to', 'egress'],
  ] as const) {
    if (!types.includes(type)) writer.line(1, `Not affecting ${direction} traffic`);
    else {
      writer.line(1, `Allowing ${direction} traffic:`);
      writeTraffic(writer, objects(spec[key]), peers, direction);
    }
  }
  writer.line(1, `Policy Types: ${types.length === 0 ? '<none>' : types.join(', ')}`);
  return Promise.resolve(writer.toString());
}

const INDENT = '    ';

function writeTraffic(writer: DescribeWriter, rules: readonly JsonObject[], peers: 'from' | 'to', direction: string): void {
  const line = (level: number, value: string): void => writer.line(level, INDENT + value);
  const title = peers === 'from' ? 'From' : 'To';
  if (rules.length === 0) line(0, `<none> (Selected pods are isolated for ${direction} connectivity)`);
  rules.forEach((rule, index) => {
    const ports = objects(rule['ports']);
    if (ports.length === 0) line(0, 'To Port: <any> (traffic allowed to all ports)');
    for (const port of ports) line(0, `To Port: ${text(port['port'] ?? '<nil>')}/${text(port['protocol'] ?? 'TCP')}`);
    const others = objects(rule[peers]);
    if (others.length === 0) line(0, `${title}: <any> (traffic not restricted by ${peers === 'from' ? 'source' : 'destination'})`);
    for (const other of others) {
      line(0, `${title}:`);
      if (isObject(other['namespaceSelector'])) line(1, `NamespaceSelector: ${selectorText(other['namespaceSelector'])}`);
      if (isObject(other['podSelector'])) line(1, `PodSelector: ${selectorText(other['podSelector'])}`);
      const block = other['ipBlock'];
      if (isObject(block) && other['namespaceSelector'] === undefined && other['podSelector'] === undefined) {
        line(1, 'IPBlock:');
        line(2, `CIDR: ${text(block['cidr'])}`);
        line(2, `Except: ${Array.isArray(block['except']) ? (block['except'] as unknown[]).map(text).join(', ') : ''}`);
      }
    }
    if (index < rules.length - 1) line(0, '----------');
  });
}

function nameAndNamespace(object: JsonObject): DescribeWriter {
  const writer = new DescribeWriter();
  writer.line(0, `Name:\t${text(at(object, 'metadata', 'name'))}`);
  writer.line(0, `Namespace:\t${text(at(object, 'metadata', 'namespace'))}`);
  return writer;
}
