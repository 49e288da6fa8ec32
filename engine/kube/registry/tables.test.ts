import { describe, expect, it } from 'vitest';
import type { ApiObject } from './definition.ts';
import { BUILT_IN } from './index.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const at = (minutesAgo: number): string => new Date(NOW - minutesAgo * 60_000).toISOString().replace('.000', '');

/** Cells as -o wide shows them, without the name; the object was made an hour ago. */
function cells(resource: string, fields: object, metadata: object = {}): readonly unknown[] {
  const [plural, group = ''] = resource.split(/\.(.*)/s);
  const definition = BUILT_IN.find((each) => each.plural === plural && each.group === group)!;
  const meta = { name: 'it', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: at(60), ...metadata };
  const object = { kind: definition.kind, apiVersion: '', metadata: meta, ...fields } as unknown as ApiObject;
  const row = definition.table.cells(object, NOW);
  expect(row).toHaveLength(definition.table.columns.length);
  return row.filter((_, index) => definition.table.columns[index]!.name !== 'Name');
}

const container = (name: string): object => ({ name, image: `${name}:1` });
const running = { running: {} };
const exited = (exitCode: number, reason?: string): object => ({ terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } });
const status = (name: string, state: object, ready = false, restartCount = 0): object => ({ name, state, ready, restartCount });

describe('pods', () => {
  const rows: readonly (readonly [
    name: string,
    spec: object,
    status: object,
    want: readonly [ready: string, reason: string, restarts: number],
  ])[] = [
    ['waits to be scheduled', { containers: [container('a')] }, { phase: 'Pending' }, ['0/1', 'Pending', 0]],
    ['was evicted', { containers: [container('a')] }, { phase: 'Failed', reason: 'Evicted' }, ['0/1', 'Evicted', 0]],
    [
      'has one of two init containers done',
      { containers: [container('a')], initContainers: [container('i'), container('j')] },
      { phase: 'Pending', initContainerStatuses: [status('i', exited(0)), status('j', running, false, 2)] },
      ['0/1', 'Init:1/2', 2],
    ],
    [
      'has an init container that failed without a reason',
      { containers: [container('a')], initContainers: [container('i')] },
      { phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 137, signal: 9 } })] },
      ['0/1', 'Init:Signal:9', 0],
    ],
    [
      'has an init container that is backed off',
      { containers: [container('a')], initContainers: [container('i')] },
      { phase: 'Pending', initContainerStatuses: [status('i', { waiting: { reason: 'CrashLoopBackOff' } }, false, 4)] },
      ['0/1', 'Init:CrashLoopBackOff', 4],
    ],
    [
      'runs one of two containers while the other has completed and is ready',
      { containers: [container('a'), container('b')] },
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [status('a', exited(0, 'Completed')), status('b', running, true, 3)],
      },
      ['1/2', 'Running', 3],
    ],
    [
      'runs one of two containers while the other has completed and is not ready',
      { containers: [container('a'), container('b')] },
      { phase: 'Running', containerStatuses: [status('a', exited(0, 'Completed')), status('b', running, true)] },
      ['1/2', 'NotReady', 0],
    ],
    [
      'shows the reason of the first container that has one',
      { containers: [container('a'), container('b')] },
      {
        phase: 'Running',
        containerStatuses: [status('a', { waiting: { reason: 'ImagePullBackOff' } }), status('b', exited(1, 'Error'), false, 1)],
      },
      ['0/2', 'ImagePullBackOff', 1],
    ],
    [
      'ended without a reason',
      { containers: [container('a')] },
      { phase: 'Failed', containerStatuses: [status('a', exited(3))] },
      ['0/1', 'ExitCode:3', 0],
    ],
  ];
  for (const [name, spec, given, want] of rows) {
    it(name, () => {
      expect(cells('pods', { spec, status: given })).toEqual([...want, '60m', '<none>', '<none>', '<none>', '<none>']);
    });
  }
  it('that are being deleted say so, or that their node is lost', () => {
    const spec = { containers: [container('a')] };
    expect(cells('pods', { spec, status: { phase: 'Running' } }, { deletionTimestamp: at(0) })[1]).toBe('Terminating');
    expect(cells('pods', { spec, status: { phase: 'Running', reason: 'NodeLost' } }, { deletionTimestamp: at(0) })[1]).toBe('Unknown');
  });
  it('count their readiness gates', () => {
    const spec = { containers: [container('a')], nodeName: 'w1', readinessGates: [{ conditionType: 'x' }, { conditionType: 'y' }] };
    const given = { phase: 'Running', podIP: '172.16.0.1', nominatedNodeName: 'w2', conditions: [{ type: 'x', status: 'True' }] };
    expect(cells('pods', { spec, status: given }).slice(4)).toEqual(['172.16.0.1', 'w1', 'w2', '1/2']);
  });
});

const template = {
  metadata: { labels: { a: 'b' } },
  spec: { containers: [container('a'), container('b')], nodeSelector: { zone: 'x', disk: 'ssd' } },
};
const selector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['e', 'd'] }] };

const TABLE: readonly (readonly [name: string, resource: string, fields: object, want: readonly unknown[], metadata?: object])[] = [
  [
    'a deployment',
    'deployments.apps',
    { spec: { replicas: 3, selector, template }, status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 } },
    ['1/3', 2, 1, '60m', 'a,b', 'a:1,b:1', 'a=b,c in (d,e)'],
  ],
  [
    'a daemon set with a node selector',
    'daemonsets.apps',
    {
      spec: { selector, template },
      status: { desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady: 2, updatedNumberScheduled: 1, numberAvailable: 2 },
    },
    [3, 3, 2, 1, 2, 'disk=ssd,zone=x', '60m', 'a,b', 'a:1,b:1', 'a=b,c in (d,e)'],
  ],
  [
    'a revision with its controller',
    'controllerrevisions.apps',
    { revision: 4 },
    ['daemonset.apps/ds', 4, '60m'],
    { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'ds', uid: 'u', controller: true }] },
  ],
  [
    'a replication controller',
    'replicationcontrollers',
    { spec: { replicas: 2, selector: { b: '1', a: '2' }, template }, status: { replicas: 2, readyReplicas: 1 } },
    [2, 2, 1, '60m', 'a,b', 'a:1,b:1', 'a=2,b=1'],
  ],
  ['a pod template', 'podtemplates', { template }, ['a,b', 'a:1,b:1', 'a=b']],
  [
    'a job that counts completions',
    'jobs.batch',
    { spec: { completions: 5, parallelism: 2, template }, status: { succeeded: 2, startTime: at(10) } },
    ['2/5', '10m', '60m', 'a,b', 'a:1,b:1', '<none>'],
  ],
  [
    'a job of a work queue',
    'jobs.batch',
    { spec: { parallelism: 3, template }, status: { startTime: at(10), completionTime: at(8) } },
    ['0/1 of 3', '2m', '60m', 'a,b', 'a:1,b:1', '<none>'],
  ],
  [
    'a cron job that has not run yet',
    'cronjobs.batch',
    { spec: { schedule: '* * * * *', suspend: true, jobTemplate: { spec: { template } } } },
    ['* * * * *', 'True', 0, '<none>', '60m', 'a,b', 'a:1,b:1', '<none>'],
  ],
  [
    'a cluster service',
    'services',
    { spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', ports: [{ port: 80, protocol: 'TCP' }] } },
    ['ClusterIP', '10.96.0.7', '<none>', '80/TCP', '60m', '<none>'],
  ],
  [
    'a node port with an external address',
    'services',
    {
      spec: {
        type: 'NodePort',
        clusterIP: '10.96.0.8',
        externalIPs: ['1.1.1.1', '2.2.2.2'],
        ports: [
          { port: 80, nodePort: 30000, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { b: '2', a: '1' },
      },
    },
    ['NodePort', '10.96.0.8', '1.1.1.1,2.2.2.2', '80:30000/TCP,53/UDP', '60m', 'a=1,b=2'],
  ],
  [
    'a load balancer that waits',
    'services',
    { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports: [] } },
    ['LoadBalancer', '10.96.0.9', '<pending>', '<none>', '60m', '<none>'],
  ],
  [
    'a load balancer with addresses',
    'services',
    {
      spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', externalIPs: ['9.9.9.9'], ports: [] },
      status: { loadBalancer: { ingress: [{ ip: '5.5.5.5' }, { hostname: 'a.example' }, { ip: '4.4.4.4' }] } },
    },
    ['LoadBalancer', '10.96.0.9', '4.4.4.4,5.5.5.5,a.example,9.9.9.9', '<none>', '60m', '<none>'],
  ],
  [
    'an external name',
    'services',
    { spec: { type: 'ExternalName', externalName: 'db.example', ports: [] } },
    ['ExternalName', '<none>', 'db.example', '<none>', '60m', '<none>'],
  ],
  ['endpoints of nobody', 'endpoints', {}, ['<none>', '60m']],
  [
    'endpoints that are not ready',
    'endpoints',
    { subsets: [{ notReadyAddresses: [{ ip: '172.16.0.1' }], ports: [{ port: 80 }] }] },
    ['', '60m'],
  ],
  [
    'endpoints that are too many',
    'endpoints',
    {
      subsets: [
        { addresses: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }], ports: [{ port: 80 }, { port: 443 }] },
        { addresses: [{ ip: '1.1.1.3' }] },
      ],
    },
    ['1.1.1.1:80,1.1.1.2:80,1.1.1.1:443 + 2 more...', '60m'],
  ],
  [
    'an endpoint slice',
    'endpointslices.discovery.k8s.io',
    { addressType: 'IPv4', ports: [{ port: 80 }, { name: 'web' }, {}], endpoints: [{ addresses: ['1', '2'] }, { addresses: ['3', '4'] }] },
    ['IPv4', '80,web,*', '1,2,3 + 1 more...', '60m'],
  ],
  ['an empty endpoint slice', 'endpointslices.discovery.k8s.io', { addressType: 'IPv4' }, ['IPv4', '<unset>', '<unset>', '60m']],
  ['an ingress for any host', 'ingresses.networking.k8s.io', { spec: { rules: [{}] } }, ['<none>', '*', '', '80', '60m']],
  [
    'an ingress with hosts, addresses and TLS',
    'ingresses.networking.k8s.io',
    {
      spec: { ingressClassName: 'nginx', tls: [{}], rules: [{ host: 'a' }, { host: 'b' }, {}, { host: 'c' }, { host: 'd' }] },
      status: { loadBalancer: { ingress: [{ ip: '2.2.2.2' }, { ip: '1.1.1.1' }] } },
    },
    ['nginx', 'a,b,c + 2 more...', '1.1.1.1,2.2.2.2', '80, 443', '60m'],
  ],
  [
    'an ingress class with parameters',
    'ingressclasses.networking.k8s.io',
    { spec: { controller: 'c', parameters: { apiGroup: 'g.example', kind: 'K', name: 'n' } } },
    ['c', 'K.g.example/n', '60m'],
  ],
  ['a network policy', 'networkpolicies.networking.k8s.io', { spec: { podSelector: {} } }, ['<none>', '60m']],
  [
    'a disruption budget',
    'poddisruptionbudgets.policy',
    { spec: { maxUnavailable: '25%' }, status: { disruptionsAllowed: 1 } },
    ['N/A', '25%', 1, '60m'],
  ],
  [
    'a pod security policy',
    'podsecuritypolicies.policy',
    {
      spec: {
        privileged: true,
        allowedCapabilities: ['NET_ADMIN'],
        seLinux: { rule: 'RunAsAny' },
        runAsUser: { rule: 'MustRunAs' },
        fsGroup: { rule: 'RunAsAny' },
        supplementalGroups: { rule: 'RunAsAny' },
        volumes: ['secret', 'configMap'],
      },
    },
    ['true', 'NET_ADMIN', 'RunAsAny', 'MustRunAs', 'RunAsAny', 'RunAsAny', false, 'secret,configMap'],
  ],
  [
    'a quota',
    'resourcequotas',
    { status: { hard: { pods: '10', 'limits.cpu': '2', 'requests.cpu': '1' }, used: { pods: '3' } } },
    ['60m', 'pods: 3/10, requests.cpu: 0/1', 'limits.cpu: 0/2'],
  ],
  [
    'a claim that is bound',
    'persistentvolumeclaims',
    {
      spec: { volumeName: 'pv', storageClassName: 'fast', volumeMode: 'Filesystem' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
    },
    ['Bound', 'pv', '1Gi', 'RWO,RWX', 'fast', '60m', 'Filesystem'],
  ],
  [
    'a claim that waits',
    'persistentvolumeclaims',
    { spec: { accessModes: ['ReadWriteOnce'] }, status: { phase: 'Pending' } },
    ['Pending', '', '', '', '', '60m', '<unset>'],
  ],
  [
    'a volume',
    'persistentvolumes',
    {
      spec: {
        capacity: { storage: '5Gi' },
        accessModes: ['ReadOnlyMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'default', name: 'c' },
      },
      status: { phase: 'Released', reason: 'Why' },
    },
    ['5Gi', 'ROX', 'Retain', 'Released', 'default/c', 'slow', 'Why', '60m', '<unset>'],
    { annotations: { 'volume.beta.kubernetes.io/storage-class': 'slow' } },
  ],
  ['a csi node', 'csinodes.storage.k8s.io', { spec: { drivers: [{}, {}] } }, [2, '60m']],
  [
    'a csi driver',
    'csidrivers.storage.k8s.io',
    { spec: { volumeLifecycleModes: ['Persistent', 'Ephemeral'] } },
    [true, false, 'Persistent,Ephemeral', '60m'],
  ],
  [
    'an attachment',
    'volumeattachments.storage.k8s.io',
    { spec: { attacher: 'd', nodeName: 'n', source: { persistentVolumeName: 'pv' } }, status: { attached: true } },
    ['d', 'pv', 'n', true, '60m'],
  ],
  ['a webhook configuration', 'validatingwebhookconfigurations.admissionregistration.k8s.io', { webhooks: [{}, {}] }, [2, '60m']],
  [
    'a request that was approved and signed',
    'certificatesigningrequests.certificates.k8s.io',
    { spec: { signerName: 's', username: 'joe' }, status: { certificate: 'x', conditions: [{ type: 'Approved' }] } },
    ['60m', 's', 'joe', 'Approved,Issued'],
  ],
  [
    'a request that was denied',
    'certificatesigningrequests.certificates.k8s.io',
    { spec: { username: 'joe' }, status: { conditions: [{ type: 'Approved' }, { type: 'Denied' }, { type: 'Failed' }] } },
    ['60m', '<none>', 'joe', 'Denied,Failed'],
  ],
  [
    'an event as kubelet writes it',
    'events',
    {
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}' },
      type: 'Warning',
      reason: 'BackOff',
      message: ' Back-off \n',
      source: { component: 'kubelet', host: 'w1' },
      firstTimestamp: at(30),
      lastTimestamp: at(1),
      count: 7,
    },
    ['60s', 'Warning', 'BackOff', 'pod/p', 'spec.containers{c}', 'kubelet, w1', 'Back-off', '30m', 7],
  ],
  [
    'an event as the scheduler writes it',
    'events',
    {
      involvedObject: { kind: 'Pod', name: 'p' },
      type: 'Normal',
      reason: 'Scheduled',
      message: 'm',
      eventTime: at(5),
      reportingComponent: 'default-scheduler',
      reportingInstance: 'default-scheduler-m-k8s',
    },
    ['5m', 'Normal', 'Scheduled', 'pod/p', '', 'default-scheduler, default-scheduler-m-k8s', 'm', '5m', 1],
  ],
  [
    'a node out of service',
    'nodes',
    {
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'Unknown' }],
        addresses: [{ type: 'InternalIP', address: '1.2.3.4' }],
        nodeInfo: { kubeletVersion: 'v1.20.2' },
      },
    },
    ['NotReady,SchedulingDisabled', 'control-plane,master', '60m', 'v1.20.2', '1.2.3.4', '<none>', '<unknown>', '<unknown>', '<unknown>'],
    { labels: { 'node-role.kubernetes.io/master': '', 'node-role.kubernetes.io/control-plane': '' } },
  ],
];

describe('tables print', () => {
  for (const [name, resource, fields, want, metadata] of TABLE) {
    it(name, () => {
      expect(cells(resource, fields, metadata)).toEqual(want);
    });
  }
});

describe('targets of an autoscaler', () => {
  const shown = (metrics: readonly object[], current: readonly object[] = []): unknown =>
    cells(
      'horizontalpodautoscalers.autoscaling',
      { spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3 } },
      {
        annotations: {
          'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify(metrics),
          'autoscaling.alpha.kubernetes.io/current-metrics': JSON.stringify(current),
        },
      },
    )[1];
  const cpu = { type: 'Resource', resource: { name: 'cpu', targetAverageUtilization: 80 } };
  const memory = { type: 'Resource', resource: { name: 'memory', targetAverageValue: '100Mi' } };
  const pods = { type: 'Pods', pods: { metricName: 'qps', targetAverageValue: '1k' } };
  const external = { type: 'External', external: { metricName: 'queue', targetAverageValue: '30' } };
  const rows: readonly (readonly [name: string, metrics: readonly object[], current: readonly object[], want: string])[] = [
    ['are unknown at first', [cpu], [], '<unknown>/80%'],
    [
      'are percentages',
      [cpu],
      [{ type: 'Resource', resource: { name: 'cpu', currentAverageUtilization: 12, currentAverageValue: '120m' } }],
      '12%/80%',
    ],
    ['are amounts', [memory], [{ type: 'Resource', resource: { name: 'memory', currentAverageValue: '50Mi' } }], '50Mi/100Mi'],
    ['are two at most', [memory, pods, external], [], '<unknown>/100Mi, <unknown>/1k + 1 more...'],
    [
      'are averages over pods',
      [external],
      [{ type: 'External', external: { metricName: 'queue', currentValue: '0', currentAverageValue: '7' } }],
      '7/30 (avg)',
    ],
  ];
  for (const [name, metrics, current, want] of rows) it(name, () => expect(shown(metrics, current)).toBe(want));
});
