// Random and mutated requests to an API server: the same seed gives the same requests.

import type { ResourceDefinition, ServedVersion } from '../../engine/kube/registry/definition.ts';
import type { Rng } from '../../engine/sim/rng.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Most requests are about these, so that they meet each other. */
const COMMON_NAMES = ['a', 'web', 'web'];
const NAMES = [
  'a',
  'web',
  'web-1',
  'db',
  'x.example.com',
  'kube-root-ca.crt',
  'default',
  'w1-k8s',
  'A_b',
  '',
  '-',
  'n'.repeat(70),
  '%2e%2e',
  'ü',
];
const NAMESPACES = ['default', 'default', 'default', 'kube-system', 'web', 'nosuch', 'Bad_Name', ''];
const SUBRESOURCES = [
  'status',
  'status',
  'scale',
  'binding',
  'eviction',
  'log',
  'exec',
  'attach',
  'portforward',
  'proxy',
  'token',
  'approval',
  'finalize',
  'nosuch',
  'ephemeralcontainers',
];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE'];
const ODD_METHODS = ['HEAD', 'OPTIONS', 'TRACE', 'GET', 'POST', 'DELETE'];
const ACCEPTS = [
  'application/json',
  'application/json',
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io',
  '*/*',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'text/html',
  'application/json;as=Nothing;v=v9;g=meta.k8s.io',
  ';;;=',
];
const BODY_TYPES = [
  'application/json',
  'application/json',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'text/plain',
  '',
  'application/json; charset=utf-8',
  ';',
];
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const ODD_VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e308,
  -(2 ** 53),
  2147483648,
  9007199254740993,
  '',
  ' ',
  'a',
  'A b',
  '100m',
  '1Gi',
  '-1',
  '5%',
  '1e3',
  '10.96.0.300',
  '::1',
  '2026-01-01T00:00:00Z',
  'not-a-date',
  '\u0000',
  '\ud800',
  '💥',
  '../../x',
  '$(X)',
  'x'.repeat(300),
  [],
  [null],
  [[]],
  {},
  { '': '' },
  { a: null },
  { __proto__: null, constructor: 1 },
  [1, 'a', null],
  { toString: 'x' },
  ['__proto__'],
  'constructor',
  '__proto__',
  'hasOwnProperty',
];
const ODD_KEYS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'name',
  'namespace',
  'labels',
  'spec',
  'status',
  'metadata',
  'a/b/c',
  'x'.repeat(80),
  'finalizers',
  'ownerReferences',
  'kind',
  'apiVersion',
  'resourceVersion',
  'uid',
  'generateName',
  'deletionTimestamp',
  'managedFields',
];

const POD_SPEC: Json = {
  containers: [
    {
      name: 'c',
      image: 'nginx:1.19',
      ports: [{ containerPort: 80 }],
      env: [{ name: 'A', value: 'b' }],
      resources: { limits: { cpu: '100m', memory: '64Mi' } },
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
      livenessProbe: { httpGet: { path: '/', port: 80 } },
    },
  ],
  volumes: [{ name: 'v', emptyDir: {} }],
  nodeSelector: { a: 'b' },
  tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
};
const TEMPLATE: Json = { metadata: { labels: { app: 'web' } }, spec: POD_SPEC };
const SELECTOR: Json = { matchLabels: { app: 'web' } };
const RULES: Json = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
const SUBJECTS: Json = [
  { kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' },
  { kind: 'ServiceAccount', name: 'default', namespace: 'default' },
];

/** What makes an object of a kind valid, beside its metadata. */
const SEEDS: Readonly<Record<string, { readonly [key: string]: Json }>> = {
  pods: { spec: POD_SPEC },
  configmaps: { data: { a: 'b' }, binaryData: { b: 'AAAA' } },
  secrets: { type: 'Opaque', data: { a: 'YQ==' }, stringData: { c: 'd' } },
  services: { spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }] } },
  endpoints: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  nodes: { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } },
  replicationcontrollers: { spec: { replicas: 1, selector: { app: 'web' }, template: TEMPLATE } },
  deployments: {
    spec: { replicas: 2, selector: SELECTOR, template: TEMPLATE, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } } },
  },
  replicasets: { spec: { replicas: 2, selector: SELECTOR, template: TEMPLATE } },
  daemonsets: { spec: { selector: SELECTOR, template: TEMPLATE } },
  statefulsets: {
    spec: {
      serviceName: 'web',
      selector: SELECTOR,
      template: TEMPLATE,
      volumeClaimTemplates: [
        { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
    },
  },
  jobs: { spec: { template: { spec: { containers: [{ name: 'c', image: 'busybox' }], restartPolicy: 'Never' } }, backoffLimit: 2 } },
  cronjobs: {
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: { spec: { containers: [{ name: 'c', image: 'busybox' }], restartPolicy: 'OnFailure' } } } },
    },
  },
  persistentvolumes: {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      nfs: { server: '192.168.1.10', path: '/x' },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  },
  persistentvolumeclaims: { spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } } },
  storageclasses: { provisioner: 'example.com/nfs' },
  namespaces: {},
  serviceaccounts: {},
  limitranges: { spec: { limits: [{ type: 'Container', default: { cpu: '1' }, max: { cpu: '2' } }] } },
  resourcequotas: { spec: { hard: { pods: '1000', 'requests.cpu': '1000' } } },
  horizontalpodautoscalers: {
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' }, minReplicas: 1, maxReplicas: 3 },
  },
  ingresses: {
    spec: {
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'web', port: { number: 80 } }, serviceName: 'web', servicePort: 80 },
              },
            ],
          },
        },
      ],
    },
  },
  networkpolicies: { spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] } },
  poddisruptionbudgets: { spec: { minAvailable: 1, selector: SELECTOR } },
  roles: { rules: RULES },
  clusterroles: { rules: RULES },
  rolebindings: { subjects: SUBJECTS, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' } },
  clusterrolebindings: { subjects: SUBJECTS, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } },
  priorityclasses: { value: 10 },
  leases: { spec: { holderIdentity: 'x', leaseDurationSeconds: 15 } },
  events: { involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' }, reason: 'R', message: 'm', type: 'Normal' },
  customresourcedefinitions: {
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } } } },
        },
      ],
    },
  },
  foos: { spec: { n: 1 } },
  certificatesigningrequests: { spec: { request: 'LS0t', signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] } },
  subjectaccessreviews: { spec: { user: 'jane', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } } },
  tokenreviews: { spec: { token: 'x' } },
};

export class ApiFuzz {
  readonly #rng: Rng;
  readonly #definitions: readonly ResourceDefinition[];
  readonly #popular: readonly ResourceDefinition[];
  /** What the request being made is about. */
  #served: ServedVersion;
  #target = '';
  /** Objects that the server has shown, to be changed and sent back. */
  readonly #seen: Json[] = [];

  constructor(rng: Rng, definitions: readonly ResourceDefinition[]) {
    this.#rng = rng;
    this.#definitions = definitions;
    this.#popular = definitions.filter(({ plural }) => Object.hasOwn(SEEDS, plural));
    this.#served = definitions[0]!;
  }

  remember(text: string): void {
    if (!text.startsWith('{"kind"') || text.length > 20_000) return;
    const object = JSON.parse(text) as Json;
    if (this.#seen.length < 200) this.#seen.push(object);
    else this.#seen[this.#rng.int(200)] = object;
  }

  next(): FuzzRequest {
    const method = this.#pick(this.#chance(0.97) ? METHODS : ODD_METHODS);
    const definition = this.#chance(0.6) ? this.#pick(this.#popular) : this.#pick(this.#definitions);
    this.#served = this.#pick([definition, ...definition.alsoServedAs]);
    this.#target = this.#name();
    const path = this.#path(method, definition);
    const query = this.#query(method);
    const headers: Record<string, string> = {
      accept: this.#chance(0.9) ? this.#pick(ACCEPTS.slice(0, 6)) : this.#pick(ACCEPTS),
      'user-agent': this.#pick(['fuzz/v0', 'curl/7.29', '', 'ü/1']),
    };
    let body: string | undefined;
    if (method === 'PATCH') {
      headers['content-type'] = this.#chance(0.95) ? this.#pick(PATCH_TYPES) : this.#pick(BODY_TYPES);
      body = this.#patch(headers['content-type'], definition);
    } else if (method === 'POST' || method === 'PUT' || (method === 'DELETE' && this.#chance(0.5))) {
      headers['content-type'] = this.#chance(0.95) ? 'application/json' : this.#pick(BODY_TYPES);
      const value = method === 'DELETE' ? this.#deleteOptions() : this.#object(definition);
      body = this.#text(this.#chance(0.6) ? value : this.#mutated(value));
    }
    return { method, target: path + query, headers, body };
  }

  #path(method: string, definition: ResourceDefinition): string {
    if (this.#chance(0.02))
      return this.#pick([
        '/',
        '/api',
        '/apis',
        '/api/v1',
        '/apis/apps',
        '/apis/apps/v9',
        '/apis/nosuch/v1/x',
        '/version',
        '/healthz',
        '/readyz?verbose',
        '/openapi/v2',
        '/metrics',
        '/api/v1/',
        '/foo',
        '//',
        '/api//v1/pods',
        '/%',
        '/api/v1/%zz',
        '/logs',
        '/apis//',
      ]);
    const served = this.#served;
    let path = served.group === '' ? `/api/${served.version}` : `/apis/${served.group}/${served.version}`;
    if (this.#chance(0.02)) path += '/watch';
    const isNamespaced = this.#chance(0.97) ? definition.isNamespaced : !definition.isNamespaced;
    if (isNamespaced && this.#chance(method === 'GET' ? 0.8 : 0.98))
      path += `/namespaces/${this.#chance(0.85) ? 'default' : this.#pick(NAMESPACES)}`;
    path += `/${definition.plural}`;
    const wantsName = method === 'POST' ? 0.02 : method === 'PUT' || method === 'PATCH' ? 0.97 : 0.6;
    if (this.#chance(wantsName)) {
      path += `/${encodeURIComponent(this.#target)}`;
      if (this.#chance(0.15)) path += `/${this.#pick(SUBRESOURCES)}`;
    }
    if (method === 'POST' && this.#chance(0.04)) path += `/${encodeURIComponent(this.#target)}/${this.#pick(SUBRESOURCES)}`;
    if (this.#chance(0.02)) path += '/';
    return path;
  }

  #query(method: string): string {
    const pairs: [string, string][] = [];
    const add = (chance: number, name: string, values: readonly string[]): void => {
      if (this.#chance(chance)) pairs.push([name, this.#pick(values)]);
    };
    if (method === 'GET' || method === 'DELETE') {
      const isWatch = this.#chance(0.1);
      if (isWatch) pairs.push(['watch', this.#pick(['true', '1', ''])], ['timeoutSeconds', this.#pick(['1', '2', '5'])]);
      add(0.2, 'limit', ['1', '2', '500', '0', '-1', 'x', '99999999999999999999', '']);
      add(0.15, 'resourceVersion', ['0', '1', '5', '100', 'abc', '99999999999', '-1', '']);
      add(0.05, 'resourceVersionMatch', ['Exact', 'NotOlderThan', 'foo', '']);
      add(0.05, 'continue', [
        'abc',
        '',
        '!!',
        btoa('{"v":"meta.k8s.io/v1","rv":3,"start":"a"}'),
        btoa('{"v":"meta.k8s.io/v1","rv":-1,"start":"default/a\\u0000"}'),
        btoa('null'),
        btoa('{"v":1}'),
      ]);
      add(0.15, 'labelSelector', [
        'app=web',
        'app in (a,b)',
        '!app',
        'a!=b,c',
        'a>1',
        '(',
        'a in',
        ',',
        '=',
        'a=b c',
        '__proto__=1',
        'x'.repeat(300),
      ]);
      add(0.15, 'fieldSelector', [
        'metadata.name=a',
        'metadata.namespace!=default',
        'status.phase=Running',
        'spec.nodeName=',
        'foo=bar',
        '=',
        'a',
        'metadata.name=a,metadata.name=b',
        '\\',
        '__proto__=1',
      ]);
      add(0.05, 'allowWatchBookmarks', ['true', 'false']);
      add(0.05, 'includeObject', ['None', 'Object', 'x']);
    }
    add(0.08, 'dryRun', ['All', 'All', 'All', 'All', 'x', '']);
    add(method === 'PATCH' ? 0.6 : 0.05, 'fieldManager', [
      'me',
      'me',
      'me',
      'me',
      'you',
      'you',
      'you',
      'you',
      'you',
      'x'.repeat(200),
      '\u0007',
      '',
    ]);
    add(0.05, 'force', ['true', 'x']);
    add(0.05, 'propagationPolicy', ['Foreground', 'Orphan', 'Background', 'x']);
    add(0.05, 'gracePeriodSeconds', ['0', '1', '-5', 'x', '9999999999999']);
    add(0.03, 'orphanDependents', ['true', 'false', 'x']);
    add(0.03, 'pretty', ['true', 'x']);
    add(0.02, 'timeout', ['1s', 'x']);
    add(0.02, '%', ['%', '%zz', '__proto__']);
    if (pairs.length === 0) return '';
    return `?${pairs.map(([name, value]) => `${name}=${this.#chance(0.98) ? encodeURIComponent(value) : value.replaceAll(' ', '+')}`).join('&')}`;
  }

  #object(definition: ResourceDefinition): Json {
    const same = this.#seen.filter((each) => isOf(each, definition.kind));
    if (same.length > 0 && this.#chance(0.4)) return structuredClone(this.#pick(same));
    if (this.#seen.length > 0 && this.#chance(0.02)) return structuredClone(this.#pick(this.#seen));
    const served = this.#chance(0.95) ? this.#served : this.#pick([definition, ...definition.alsoServedAs]);
    const metadata: { [key: string]: Json } = {
      name: this.#chance(0.95) ? this.#target : this.#name(),
      labels: { app: this.#pick(['web', 'db', '']) },
    };
    if (this.#chance(0.1)) metadata['finalizers'] = [this.#pick(['example.com/x', 'foregroundDeletion', 'orphan', 'kubernetes'])];
    if (this.#chance(0.1)) metadata['generateName'] = 'web-';
    if (this.#chance(0.1)) delete metadata['name'];
    if (this.#chance(0.05)) metadata['ownerReferences'] = [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u', controller: true }];
    if (this.#chance(0.05)) metadata['resourceVersion'] = this.#pick(['1', '0', 'x', '']);
    if (this.#chance(0.2)) metadata['annotations'] = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const seed = SEEDS[definition.plural] ?? { spec: {} };
    return {
      apiVersion: served.group === '' ? served.version : `${served.group}/${served.version}`,
      kind: definition.kind,
      metadata,
      ...structuredClone(seed),
    };
  }

  #deleteOptions(): Json {
    const out: { [key: string]: Json } = { kind: 'DeleteOptions', apiVersion: 'v1' };
    if (this.#chance(0.3)) out['gracePeriodSeconds'] = this.#pick([0, 1, 30, -1]);
    if (this.#chance(0.3)) out['propagationPolicy'] = this.#pick(['Foreground', 'Background', 'Orphan', 'x']);
    if (this.#chance(0.1)) out['orphanDependents'] = this.#pick([true, false]);
    if (this.#chance(0.1)) out['preconditions'] = this.#pick([{ uid: 'x' }, { resourceVersion: '1' }, {}]);
    if (this.#chance(0.1)) out['dryRun'] = this.#pick([['All'], ['x'], []]);
    return out;
  }

  #patch(type: string, definition: ResourceDefinition): string {
    if (type === 'application/json-patch+json') {
      const paths = [
        '/metadata/labels/x',
        '/metadata/labels',
        '/metadata/annotations',
        '/spec',
        '/spec/replicas',
        '/spec/containers/0/image',
        '/spec/containers/-',
        '/status',
        '/data/a',
        '',
        '/',
        '/metadata/finalizers',
        '/metadata/name',
        '/metadata/resourceVersion',
        '/kind',
        '/~',
        '/spec/template/spec/containers/7',
        '/__proto__/x',
        '/constructor',
      ];
      const count = 1 + this.#rng.int(3);
      const operations: Json[] = [];
      for (let i = 0; i < count; i++) {
        const operation: { [key: string]: Json } = {
          op: this.#pick(['add', 'replace', 'remove', 'test', 'copy', 'move', 'x']),
          path: this.#pick(paths),
        };
        if (this.#chance(0.9)) operation['value'] = this.#value();
        if (this.#chance(0.3)) operation['from'] = this.#pick(paths);
        operations.push(operation);
      }
      return this.#text(this.#chance(0.9) ? operations : this.#mutated(operations));
    }
    const object = this.#object(definition);
    const patch: Json =
      typeof object === 'object' && object !== null && !Array.isArray(object) && this.#chance(0.6) ? this.#part(object) : object;
    if (this.#chance(0.1) && typeof patch === 'object' && patch !== null && !Array.isArray(patch))
      patch['$patch'] = this.#pick(['delete', 'replace', 'x']);
    return this.#text(this.#chance(0.5) ? patch : this.#mutated(patch));
  }

  #part(object: { [key: string]: Json }): { [key: string]: Json } {
    const out: { [key: string]: Json } = {};
    for (const key of Object.keys(object)) if (this.#chance(0.6)) out[key] = object[key]!;
    return out;
  }

  #mutated(value: Json): Json {
    let out = structuredClone(value);
    const times = 1 + this.#rng.int(3);
    for (let i = 0; i < times; i++) out = this.#mutatedAt(out);
    return out;
  }

  #mutatedAt(value: Json): Json {
    if (typeof value !== 'object' || value === null || this.#chance(0.12)) return this.#value();
    if (Array.isArray(value)) {
      if (value.length === 0 || this.#chance(0.15)) value.push(this.#value());
      else if (this.#chance(0.1)) value.push(structuredClone(this.#pick(value)));
      else if (this.#chance(0.1)) value.splice(this.#rng.int(value.length), 1);
      else {
        const at = this.#rng.int(value.length);
        value[at] = this.#mutatedAt(value[at]!);
      }
      return value;
    }
    const keys = Object.keys(value);
    if (keys.length === 0 || this.#chance(0.12)) value[this.#pick(ODD_KEYS)] = this.#value();
    else if (this.#chance(0.12)) Reflect.deleteProperty(value, this.#pick(keys));
    else {
      const key = this.#pick(keys);
      value[key] = this.#mutatedAt(value[key]!);
    }
    return value;
  }

  #value(): Json {
    if (this.#chance(0.01)) return JSON.parse('['.repeat(1200) + ']'.repeat(1200)) as Json;
    return structuredClone(this.#pick(ODD_VALUES));
  }

  #text(value: Json): string {
    const text = JSON.stringify(value) ?? '';
    if (this.#chance(0.93)) return text;
    switch (this.#rng.int(6)) {
      case 0:
        return text.slice(0, this.#rng.int(text.length + 1));
      case 1: {
        const at = this.#rng.int(text.length + 1);
        return text.slice(0, at) + this.#pick(['"', '{', '}', '\0', '\\', ',', ':', '\ud800', '1e999', '-', 'null']) + text.slice(at);
      }
      case 2:
        return '';
      case 3:
        return '['.repeat(20_000);
      case 4:
        return `${text}${text}`;
      default:
        return `a: &a [1]\nb: &b [${'*a,'.repeat(20)}*a]\nc: [${'*b,'.repeat(20)}*b]\n`;
    }
  }

  #name(): string {
    return this.#chance(0.85) ? this.#pick(COMMON_NAMES) : this.#pick(NAMES);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#rng.int(from.length)]!;
  }

  #chance(of: number): boolean {
    return this.#rng.float() < of;
  }
}

function isOf(value: Json, kind: string): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && value['kind'] === kind;
}
