// The flow schemas and priority levels that a v1.20 server creates when it starts.

const GROUP = 'flowcontrol.apiserver.k8s.io';
const API_VERSION = `${GROUP}/v1beta1`;

type Queuing = readonly [queues: number, handSize: number];
const QUEUE_LENGTH_LIMIT = 50;

/** Shares, and queues where requests wait instead of being refused. */
const LEVELS: Readonly<Record<string, readonly [shares: number, queuing?: Queuing]>> = {
  system: [30, [64, 6]],
  'leader-election': [10, [16, 4]],
  'workload-high': [40, [128, 6]],
  'workload-low': [100, [128, 6]],
  'global-default': [20, [128, 6]],
  'catch-all': [5],
};

type Subject = Readonly<Record<string, unknown>>;
const groups = (...names: readonly string[]): readonly Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }));
const users = (...names: readonly string[]): readonly Subject[] => names.map((name) => ({ kind: 'User', user: { name } }));
const SYSTEM_ACCOUNTS: readonly Subject[] = [{ kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } }];

const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};
/** What a leader election reads and writes; endpoints and config maps in these namespaces. */
const elections = (namespace: string): object => ({
  resourceRules: [
    { verbs: ['get', 'create', 'update'], apiGroups: [''], resources: ['endpoints', 'configmaps'], namespaces: [namespace] },
    { verbs: ['get', 'create', 'update'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
  ],
});

type Schema = readonly [level: string, precedence: number, method: string, subjects: readonly Subject[], rules: object];
const SCHEMAS: Readonly<Record<string, Schema>> = {
  exempt: ['exempt', 1, '', groups('system:masters'), EVERYTHING],
  'catch-all': ['catch-all', 10_000, 'ByUser', groups('system:unauthenticated', 'system:authenticated'), EVERYTHING],
  'system-nodes': ['system', 500, 'ByUser', groups('system:nodes'), EVERYTHING],
  'system-leader-election': [
    'leader-election',
    100,
    'ByUser',
    [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...SYSTEM_ACCOUNTS],
    elections('kube-system'),
  ],
  'workload-leader-election': ['leader-election', 200, 'ByUser', SYSTEM_ACCOUNTS, elections('*')],
  'kube-controller-manager': ['workload-high', 800, 'ByNamespace', users('system:kube-controller-manager'), EVERYTHING],
  'kube-scheduler': ['workload-high', 800, 'ByNamespace', users('system:kube-scheduler'), EVERYTHING],
  'kube-system-service-accounts': ['workload-high', 900, 'ByNamespace', SYSTEM_ACCOUNTS, EVERYTHING],
  'service-accounts': ['workload-low', 9000, 'ByUser', groups('system:serviceaccounts'), EVERYTHING],
  'global-default': ['global-default', 9900, 'ByUser', groups('system:unauthenticated', 'system:authenticated'), EVERYTHING],
};

/** Made again whenever they are missing; the rest only on a new cluster. */
export const MANDATORY = ['exempt', 'catch-all'];

export interface FlowControlObject {
  readonly resource: 'flowschemas' | 'prioritylevelconfigurations';
  readonly object: Record<string, unknown> & { readonly metadata: { readonly name: string } };
}

export function bootstrapFlowControl(): readonly FlowControlObject[] {
  const levels = Object.entries(LEVELS).map(([name, [assuredConcurrencyShares, queuing]]) => ({
    resource: 'prioritylevelconfigurations' as const,
    object: {
      kind: 'PriorityLevelConfiguration',
      apiVersion: API_VERSION,
      metadata: { name },
      spec: { type: 'Limited', limited: { assuredConcurrencyShares, limitResponse: responseOf(queuing) } },
    },
  }));
  const exempt = {
    resource: 'prioritylevelconfigurations' as const,
    object: {
      kind: 'PriorityLevelConfiguration',
      apiVersion: API_VERSION,
      metadata: { name: 'exempt' },
      spec: { type: 'Exempt' },
    },
  };
  const schemas = Object.entries(SCHEMAS).map(([name, [level, matchingPrecedence, method, subjects, rules]]) => ({
    resource: 'flowschemas' as const,
    object: {
      kind: 'FlowSchema',
      apiVersion: API_VERSION,
      metadata: { name },
      spec: {
        priorityLevelConfiguration: { name: level },
        matchingPrecedence,
        ...(method === '' ? {} : { distinguisherMethod: { type: method } }),
        rules: [{ subjects, ...rules }],
      },
    },
  }));
  return [...levels, exempt, ...schemas];
}

function responseOf(queuing: Queuing | undefined): object {
  if (queuing === undefined) return { type: 'Reject' };
  const [queues, handSize] = queuing;
  return { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: QUEUE_LENGTH_LIMIT } };
}
