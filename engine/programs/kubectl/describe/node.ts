// Models the describer of nodes.

import type { Context } from '../context.ts';
import { isNotFound } from '../../../kube/machinery/api-error.ts';
import { ageSince } from '../flags/duration.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { quantity } from '../resource/sorting.ts';
import { at } from '../commands/common.ts';
import { eventsOf, writeEvents } from './events.ts';
import { objects, text } from './values.ts';
import { DescribeWriter, writeAnnotations, writeLabels } from './writer.ts';

export async function describeNode(context: Context, node: JsonObject, showEvents: boolean): Promise<string> {
  const writer = new DescribeWriter(context.zone);
  const name = text(at(node, 'metadata', 'name'));
  const line = (value: string): void => writer.line(0, value);
  line(`Name:\t${name}`);
  const roles = rolesOf(at(node, 'metadata', 'labels'));
  line(`Roles:\t${roles.length === 0 ? '<none>' : roles.join(',')}`);
  writeLabels(writer, 0, 'Labels', at(node, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(node, 'metadata', 'annotations'));
  line(`CreationTimestamp:\t${writer.time(at(node, 'metadata', 'creationTimestamp'))}`);
  writeTaints(writer, objects(at(node, 'spec', 'taints')));
  line(`Unschedulable:\t${text(at(node, 'spec', 'unschedulable') ?? false)}`);
  const pods = objects(
    (
      await context.rest.json<JsonObject>(
        'GET',
        `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${name},status.phase!=Failed,status.phase!=Succeeded`)}`,
      )
    )['items'],
  );
  await writeLease(context, writer, name);
  writeConditions(writer, objects(at(node, 'status', 'conditions')));
  line('Addresses:');
  for (const address of objects(at(node, 'status', 'addresses'))) writer.line(1, `${text(address['type'])}:\t${text(address['address'])}`);
  for (const [title, key] of [
    ['Capacity', 'capacity'],
    ['Allocatable', 'allocatable'],
  ] as const) {
    const resources = at(node, 'status', key);
    if (!isObject(resources) || Object.keys(resources).length === 0) continue;
    line(`${title}:`);
    for (const resource of Object.keys(resources).sort()) writer.line(1, `${resource}:\t${text(resources[resource])}`);
  }
  writeSystemInfo(writer, at(node, 'status', 'nodeInfo'));
  if (text(at(node, 'spec', 'podCIDR')) !== '') line(`PodCIDR:\t${text(at(node, 'spec', 'podCIDR'))}`);
  const cidrs = at(node, 'spec', 'podCIDRs');
  if (Array.isArray(cidrs) && cidrs.length > 0) line(`PodCIDRs:\t${cidrs.map(text).join(',')}`);
  if (text(at(node, 'spec', 'providerID')) !== '') line(`ProviderID:\t${text(at(node, 'spec', 'providerID'))}`);
  writePods(context, writer, node, pods);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, node));
  return writer.toString();
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function rolesOf(labels: unknown): readonly string[] {
  if (!isObject(labels)) return [];
  return Object.keys(labels)
    .flatMap((key) =>
      key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length
        ? [key.slice(ROLE_PREFIX.length)]
        : key === 'kubernetes.io/role' && text(labels[key]) !== ''
          ? [text(labels[key])]
          : [],
    )
    .sort();
}

function writeTaints(writer: DescribeWriter, taints: readonly JsonObject[]): void {
  writer.write(0, 'Taints:\t');
  if (taints.length === 0) writer.write(0, '<none>\n');
  [...taints]
    .sort((a, b) => `${text(a['effect'])},${text(a['key'])}`.localeCompare(`${text(b['effect'])},${text(b['key'])}`))
    .forEach((taint, index) => writer.line(0, `${index === 0 ? '' : '\t'}${taintText(taint)}`));
}

export function taintText(taint: JsonObject): string {
  const value = text(taint['value']);
  const effect = text(taint['effect']);
  return `${text(taint['key'])}${value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}`;
}

async function writeLease(context: Context, writer: DescribeWriter, name: string): Promise<void> {
  let lease: JsonObject;
  try {
    lease = await context.rest.json('GET', `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    writer.line(0, `Lease:\tFailed to get lease: ${error.message}`);
    return;
  }
  writer.line(0, 'Lease:');
  writer.line(1, `HolderIdentity:\t${text(at(lease, 'spec', 'holderIdentity') ?? '<unset>')}`);
  writer.line(1, `AcquireTime:\t${writer.time(at(lease, 'spec', 'acquireTime'))}`);
  writer.line(1, `RenewTime:\t${writer.time(at(lease, 'spec', 'renewTime'))}`);
}

function writeConditions(writer: DescribeWriter, conditions: readonly JsonObject[]): void {
  if (conditions.length === 0) return;
  writer.write(0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n');
  writer.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  for (const condition of conditions) {
    writer.line(
      1,
      `${text(condition['type'])} \t${text(condition['status'])} \t${writer.time(condition['lastHeartbeatTime'])} \t${writer.time(condition['lastTransitionTime'])} \t${text(condition['reason'])} \t${text(condition['message'])}`,
    );
  }
}

function writeSystemInfo(writer: DescribeWriter, info: unknown): void {
  writer.line(0, 'System Info:');
  for (const [title, key] of [
    ['Machine ID', 'machineID'],
    ['System UUID', 'systemUUID'],
    ['Boot ID', 'bootID'],
    ['Kernel Version', 'kernelVersion'],
    ['OS Image', 'osImage'],
    ['Operating System', 'operatingSystem'],
    ['Architecture', 'architecture'],
    ['Container Runtime Version', 'containerRuntimeVersion'],
    ['Kubelet Version', 'kubeletVersion'],
    ['Kube-Proxy Version', 'kubeProxyVersion'],
  ] as const) {
    writer.line(1, `${title}:\t${text(at(info, key))}`);
  }
}

/** Amounts in thousandths for CPU, in units else. */
interface Amounts {
  readonly requests: Map<string, number>;
  readonly limits: Map<string, number>;
}

function writePods(context: Context, writer: DescribeWriter, node: JsonObject, pods: readonly JsonObject[]): void {
  const allocatable = at(node, 'status', 'allocatable') ?? at(node, 'status', 'capacity');
  const total: Amounts = { requests: new Map(), limits: new Map() };
  const share = (resource: string, amount: number): string => {
    const whole = quantity(at(allocatable, resource)) ?? 0;
    return `${amountText(resource, amount)} (${whole === 0 ? 0 : Math.trunc((amount / whole) * 100)}%)`;
  };
  writer.line(0, `Non-terminated Pods:\t(${pods.length} in total)`);
  writer.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAGE');
  writer.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  for (const pod of pods) {
    const own = amountsOf(pod);
    for (const kind of ['requests', 'limits'] as const)
      for (const [resource, amount] of own[kind]) total[kind].set(resource, (total[kind].get(resource) ?? 0) + amount);
    const cell = (kind: 'requests' | 'limits', resource: string): string => share(resource, own[kind].get(resource) ?? 0);
    const age = ageSince(text(at(pod, 'metadata', 'creationTimestamp')), context.now());
    writer.line(
      1,
      `${text(at(pod, 'metadata', 'namespace'))}\t${text(at(pod, 'metadata', 'name'))}\t\t${cell('requests', 'cpu')}\t${cell('limits', 'cpu')}\t${cell('requests', 'memory')}\t${cell('limits', 'memory')}\t${age}`,
    );
  }
  writer.write(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n');
  writer.line(1, 'Resource\tRequests\tLimits');
  writer.line(1, '--------\t--------\t------');
  const row = (resource: string, show: (amount: number) => string): void =>
    writer.line(1, `${resource}\t${show(total.requests.get(resource) ?? 0)}\t${show(total.limits.get(resource) ?? 0)}`);
  for (const resource of ['cpu', 'memory', 'ephemeral-storage']) row(resource, (amount) => share(resource, amount));
  const others = isObject(allocatable) ? Object.keys(allocatable).sort() : [];
  for (const resource of others.filter((key) => key.startsWith('hugepages-'))) row(resource, (amount) => share(resource, amount));
  for (const resource of others.filter(
    (key) => !key.startsWith('hugepages-') && !['cpu', 'memory', 'ephemeral-storage', 'pods'].includes(key),
  ))
    row(resource, (amount) => amountText(resource, amount));
}

/** A pod's sums; init containers count as their largest. */
function amountsOf(pod: JsonObject): Amounts {
  const out: Amounts = { requests: new Map(), limits: new Map() };
  for (const kind of ['requests', 'limits'] as const) {
    const read = (container: JsonObject): readonly (readonly [string, number])[] => {
      const resources = at(container, 'resources', kind);
      return isObject(resources) ? Object.entries(resources).map(([key, value]) => [key, quantity(value) ?? 0] as const) : [];
    };
    for (const container of objects(at(pod, 'spec', 'containers')))
      for (const [key, amount] of read(container)) out[kind].set(key, (out[kind].get(key) ?? 0) + amount);
    for (const container of objects(at(pod, 'spec', 'initContainers')))
      for (const [key, amount] of read(container)) out[kind].set(key, Math.max(out[kind].get(key) ?? 0, amount));
  }
  return out;
}

/** The canonical form of a sum: `250m`, `70Mi`. */
function amountText(resource: string, amount: number): string {
  if (amount === 0) return '0';
  if (resource === 'cpu')
    return Number.isInteger(Math.round(amount * 1000) / 1000) ? String(Math.round(amount)) : `${Math.round(amount * 1000)}m`;
  const units: readonly (readonly [string, number])[] = [
    ['Ti', 2 ** 40],
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ];
  for (const [unit, size] of units) if (amount % size === 0) return `${amount / size}${unit}`;
  return String(amount);
}
