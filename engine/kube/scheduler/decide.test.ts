import { describe, expect, test } from 'vitest';
import { SeededRng } from '../../sim/rng.ts';
import type { Node, Pod, ReplicaSet } from '../machinery/types.ts';
import { decide } from './decide.ts';
import type { Snapshot } from './framework.ts';
import { nodeInfo } from './resources.ts';

const node = (name: string, spec: object = {}, more: object = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '', labels: { 'kubernetes.io/hostname': name } },
    spec,
    status: { allocatable: { cpu: '1', memory: '1741072Ki', pods: '110', 'ephemeral-storage': '33919543240' }, ...more },
  }) as Node;
const MASTER = node('m-k8s', { taints: [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }] });
const NODES = [MASTER, node('w1-k8s'), node('w2-k8s'), node('w3-k8s')];

let serial = 0;
const pod = (spec: object = {}, labels: Record<string, string> = { app: 'web' }): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `p${serial++}`,
      namespace: 'default',
      uid: `u${serial}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true }],
    },
    spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
  }) as Pod;
const SET = { metadata: { name: 'web', uid: 'rs' }, spec: { selector: { matchLabels: { app: 'web' } } } } as unknown as ReplicaSet;

const snapshot = (nodes: readonly Node[], pods: readonly Pod[]): Snapshot => ({
  nodes: nodes.map((each) =>
    nodeInfo(
      each,
      pods.filter((other) => other.spec?.nodeName === each.metadata.name),
    ),
  ),
  services: () => [],
  replicaSets: () => [SET],
  statefulSets: () => [],
  claim: () => undefined,
});

function place(count: number, nodes: readonly Node[], pods: Pod[], seed = 1): string {
  const rng = new SeededRng(seed);
  for (let i = 0; i < count; i++) {
    const next = pod();
    const decision = decide(next, snapshot(nodes, pods), rng);
    pods.push({ ...next, spec: { ...next.spec!, nodeName: decision.node! } });
  }
  return nodes.map((each) => pods.filter((other) => other.spec?.nodeName === each.metadata.name).length).join('/');
}

describe('where pods go', () => {
  test('three replicas spread over the three workers, whatever the seed', () => {
    for (let seed = 0; seed < 20; seed++) expect(place(3, NODES, [], seed)).toBe('0/1/1/1');
  });

  test('without w1 the next three go to the others, and then it catches up to 3/3/3', () => {
    const pods: Pod[] = [];
    place(3, NODES, pods);
    const lost = node('w1-k8s', { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] });
    const six = place(3, [MASTER, lost, NODES[2]!, NODES[3]!], pods);
    expect(['0/1/2/3', '0/1/3/2']).toContain(six);
    expect(place(3, NODES, pods)).toBe('0/3/3/3');
  });
});

describe('why a pod stays pending', () => {
  const reason = (spec: object, nodes: readonly Node[] = NODES, pods: readonly Pod[] = []): string => {
    const decision = decide(pod(spec), snapshot(nodes, pods), new SeededRng(1));
    return decision.node ?? decision.message;
  };
  const TAINT = "1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate";

  test.each([
    ['too much cpu', { containers: [{ name: 'c', resources: { requests: { cpu: '2' } } }] }, '3 Insufficient cpu'],
    ['a selector no node has', { nodeSelector: { disk: 'ssd' } }, "3 node(s) didn't match Pod's node affinity"],
    [
      'an extended resource nobody offers',
      { containers: [{ name: 'c', resources: { requests: { 'nvidia.com/gpu': '1' } } }] },
      '3 Insufficient nvidia.com/gpu',
    ],
  ])('%s', (_name, spec, message) => {
    expect(reason(spec)).toBe(`0/4 nodes are available: ${TAINT}, ${message}.`);
  });

  test('cordoned workers and the tainted master', () => {
    const cordoned = NODES.map((each) => (each === MASTER ? each : node(each.metadata.name, { unschedulable: true })));
    expect(reason({}, cordoned)).toBe(`0/4 nodes are available: ${TAINT}, 3 node(s) were unschedulable.`);
  });

  test('affinity to a pod that does not run', () => {
    const term = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' };
    const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    expect(reason({ affinity })).toBe(
      `0/4 nodes are available: ${TAINT}, 3 node(s) didn't match pod affinity rules, 3 node(s) didn't match pod affinity/anti-affinity.`,
    );
  });

  test('no nodes at all', () => {
    expect(reason({}, [])).toBe('no nodes available to schedule pods');
  });
});
