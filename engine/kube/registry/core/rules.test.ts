import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Loose, type Rules } from '../rules-harness.ts';

let rules: Rules;
beforeAll(async () => void (rules = await openRules(() => setImmediate())));
afterAll(() => rules[Symbol.asyncDispose]());

const make = (kind: string, body: object, metadata: object = {}, apiVersion = 'v1'): Loose =>
  ({ apiVersion, kind, metadata: { name: 'x', ...metadata }, ...body }) as unknown as Loose;
const base64 = (text: string): string => btoa(text);
const QUALIFIED = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const SUBDOMAIN = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const amount = (value: number, scale: number, s: string, format: string): string =>
  `resource.Quantity{i:resource.int64Amount{value:${value}, scale:${scale}}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"${s}", Format:"${format}"}`;

const limit = (item: object): Loose => make('LimitRange', { spec: { limits: [item] } });
const quota = (spec: object): Loose => make('ResourceQuota', { spec });
const secret = (type: string, data?: object, metadata: object = {}): Loose => make('Secret', { type, data }, metadata);
const endpoints = (subset: object): Loose => make('Endpoints', { subsets: [subset] });
const node = (spec: object, status: object = {}): Loose => make('Node', { spec, status });

type Row = readonly [name: string, object: Loose, want: string];

const REFUSALS: readonly Row[] = [
  ['a config map as it should be', make('ConfigMap', { data: { a: '1' }, binaryData: { b: 'AAA=' } }), 'ok'],
  [
    'a config key with a blank',
    make('ConfigMap', { data: { 'a b': '1' } }),
    `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ],
  ['a config key that climbs', make('ConfigMap', { data: { '..a': '1' } }), `data[..a]: Invalid value: "..a": must not start with '..'`],
  [
    'a key in both kinds of data',
    make('ConfigMap', { data: { a: '1' }, binaryData: { a: 'AAA=' } }),
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ],
  [
    'a config map that is too big',
    make('ConfigMap', { data: { a: 'x'.repeat(1024 * 1024 + 1) } }),
    '[]: Too long: must have at most 1048576 bytes',
  ],
  [
    'a secret that is too big',
    secret('Opaque', { a: base64('x'.repeat(1024 * 1024 + 1)) }),
    'data: Too long: must have at most 1048576 bytes',
  ],
  ['a secret of exactly the size', secret('Opaque', { a: base64('x'.repeat(1024 * 1024)) }), 'ok'],
  ['a TLS secret without anything', secret('kubernetes.io/tls'), '[data[tls.crt]: Required value, data[tls.key]: Required value]'],
  [
    'a token secret of nobody',
    secret('kubernetes.io/service-account-token'),
    'metadata.annotations[kubernetes.io/service-account.name]: Required value',
  ],
  ['a docker secret without its file', secret('kubernetes.io/dockerconfigjson'), 'data[.dockerconfigjson]: Required value'],
  [
    'a docker secret that is no JSON',
    secret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': base64('x') }),
    `data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character 'x' looking for beginning of value`,
  ],
  [
    'a docker secret that is a list',
    secret('kubernetes.io/dockercfg', { '.dockercfg': base64('[]') }),
    'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
  ],
  [
    'an empty docker secret',
    secret('kubernetes.io/dockercfg', { '.dockercfg': '' }),
    'data[.dockercfg]: Invalid value: "<secret contents redacted>": unexpected end of JSON input',
  ],
  [
    'a basic secret of nothing',
    secret('kubernetes.io/basic-auth'),
    '[data[%s][username]: Required value, data[%s][password]: Required value]',
  ],
  ['a basic secret of a name', secret('kubernetes.io/basic-auth', { username: 'YQ==' }), 'ok'],
  ['an ssh secret without a key', secret('kubernetes.io/ssh-auth', { 'ssh-privatekey': '' }), 'data[%s][ssh-privatekey]: Required value'],
  ['a secret of a type of its own', secret('example.com/mine'), 'ok'],
  [
    'a limit of an unknown kind',
    limit({ type: 'Node' }),
    'spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified',
  ],
  [
    'a limit of no kind',
    limit({}),
    `[spec.limits[0].type: Invalid value: "": name part must be non-empty, spec.limits[0].type: Invalid value: "": name part ${QUALIFIED}]`,
  ],
  [
    'two limits of one kind',
    make('LimitRange', { spec: { limits: [{ type: 'Pod' }, { type: 'Pod' }] } }),
    'spec.limits[1].type: Duplicate value: "Pod"',
  ],
  [
    'a minimum above the maximum',
    limit({ type: 'Pod', min: { cpu: '2' }, max: { cpu: '500m' } }),
    `spec.limits[0].min[cpu]: Invalid value: ${amount(2, 0, '2', 'DecimalSI')}: min value 2 is greater than max value 500m`,
  ],
  [
    'a request above the default limit',
    limit({ type: 'Container', defaultRequest: { memory: '512Mi' }, default: { memory: '256Mi' } }),
    `spec.limits[0].defaultRequest[memory]: Invalid value: ${amount(536870912, 0, '', 'BinarySI')}: default request value 512Mi is greater than default limit value 256Mi`,
  ],
  [
    'a default for pods',
    limit({ type: 'Pod', default: { cpu: '1' } }),
    "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
  ],
  [
    'a claim limit of nothing',
    limit({ type: 'PersistentVolumeClaim' }),
    'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
  ],
  [
    'a container limit of storage',
    limit({ type: 'Container', max: { storage: '1Gi' } }),
    '[spec.limits[0].max[storage]: Invalid value: "storage": must be a standard resource for containers, spec.limits[0].default[storage]: Invalid value: "storage": must be a standard resource for containers, spec.limits[0].defaultRequest[storage]: Invalid value: "storage": must be a standard resource for containers]',
  ],
  [
    'a ratio below one',
    limit({ type: 'Pod', maxLimitRequestRatio: { cpu: '500m' } }),
    `spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: ${amount(500, -3, '500m', 'DecimalSI')}: ratio 500m is less than 1`,
  ],
  [
    'a ratio above what can be',
    limit({ type: 'Pod', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } }),
    `spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: ${amount(3, 0, '3', 'DecimalSI')}: ratio 3 is greater than max/min = 2.000000`,
  ],
  [
    'a quota of something unheard of',
    quota({ hard: { widgets: '1' } }),
    '[spec.hard[widgets]: Invalid value: "widgets": must be a standard resource type or fully qualified, spec.hard[widgets]: Invalid value: "widgets": must be a standard resource for quota]',
  ],
  ['a quota of objects of any kind', quota({ hard: { 'count/deployments.apps': '2' } }), 'ok'],
  [
    'a quota of half a pod',
    quota({ hard: { pods: '500m' } }),
    `spec.hard[pods]: Invalid value: ${amount(500, -3, '500m', 'DecimalSI')}: must be an integer`,
  ],
  ['a quota below nothing', quota({ hard: { pods: '-1' } }), 'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
  [
    'a quota of an unknown scope',
    quota({ scopes: ['Long'] }),
    'spec.scopes: Invalid value: []core.ResourceQuotaScope{"Long"}: unsupported scope',
  ],
  [
    'a quota of scopes that exclude each other',
    quota({ scopes: ['BestEffort', 'NotBestEffort'], hard: { pods: '1' } }),
    'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort", "NotBestEffort"}: conflicting scopes',
  ],
  [
    'a best-effort quota of memory',
    quota({ scopes: ['BestEffort'], hard: { memory: '1Gi' } }),
    'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort"}: unsupported scope applied to resource',
  ],
  [
    'a selector without values',
    quota({ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] } }),
    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  ],
  [
    'endpoints without addresses',
    endpoints({ ports: [{ port: 80 }] }),
    'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
  ],
  [
    'endpoints of the host itself',
    endpoints({ addresses: [{ ip: '127.0.0.1' }] }),
    'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8)',
  ],
  [
    'endpoints of no address',
    endpoints({ addresses: [{ ip: 'web' }] }),
    '[subsets[0].addresses[0].ip: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), subsets[0].addresses[0].ip: Invalid value: "web": must be a valid IP address]',
  ],
  [
    'endpoints with two unnamed ports',
    endpoints({ addresses: [{ ip: '10.1.1.1' }], ports: [{ port: 1 }, { port: 2 }] }),
    '[subsets[0].ports[0].name: Required value, subsets[0].ports[1].name: Required value]',
  ],
  ['a taint without an effect', node({ taints: [{ key: 'a' }] }), 'metadata.taints[0].effect: Required value'],
  [
    'a taint of an unknown effect',
    node({ taints: [{ key: 'a', effect: 'Explode' }] }),
    'metadata.taints[0].effect: Unsupported value: "Explode": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  [
    'the same taint twice',
    node({
      taints: [
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', value: 'v', effect: 'NoSchedule' },
      ],
    }),
    'metadata.taints[1]: Duplicate value: core.Taint{Key:"a", Value:"v", Effect:"NoSchedule", TimeAdded:(*v1.Time)(nil)}: taints must be unique by key and effect pair',
  ],
  ['a pod range that is none', node({ podCIDR: '10.0.0.0' }), 'spec.podCIDRs[0]: Invalid value: []string{"10.0.0.0"}: must be valid CIDR'],
  [
    'half a pod on a node',
    node({}, { capacity: { pods: '1500m' } }),
    `[status.capacity.pods: Invalid value: ${amount(1500, -3, '1500m', 'DecimalSI')}: must be an integer, status.allocatable.pods: Invalid value: ${amount(1500, -3, '1500m', 'DecimalSI')}: must be an integer]`,
  ],
  [
    'a namespace that is no label',
    make('Namespace', {}, { name: 'a.b' }),
    `metadata.name: Invalid value: "a.b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
  ],
  [
    'a namespace with a finalizer of no domain',
    make('Namespace', { spec: { finalizers: ['mine'] } }),
    'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ],
  [
    'an event about elsewhere',
    make('Event', { involvedObject: { namespace: 'other' } }),
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ],
  [
    'a new event without what new ones say',
    make('Event', { eventTime: '2026-01-01T00:00:00.000000Z', involvedObject: { namespace: 'default' } }),
    `[reportingController: Required value, reportingController: Invalid value: "": name part must be non-empty, reportingController: Invalid value: "": name part ${QUALIFIED}, reportingInstance: Required value, action: Required value, reason: Required value]`,
  ],
];

const METADATA: readonly Row[] = [
  ['no name', make('ConfigMap', {}, { name: '' }), 'metadata.name: Required value: name or generateName is required'],
  ['a name in capitals', make('ConfigMap', {}, { name: 'A_b' }), `metadata.name: Invalid value: "A_b": ${SUBDOMAIN}`],
  [
    'a name that is too long',
    make('ConfigMap', {}, { name: 'a'.repeat(254) }),
    `metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 characters`,
  ],
  [
    'a beginning of a name that cannot be one',
    make('ConfigMap', {}, { name: '', generateName: 'A_b-' }),
    `[metadata.generateName: Invalid value: "A_b-": ${SUBDOMAIN}, metadata.name: Invalid value: "A_b-`,
  ],
  [
    'a label key of two slashes',
    make('ConfigMap', {}, { labels: { 'a/b/c': '' } }),
    `metadata.labels: Invalid value: "a/b/c": a qualified name ${QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  ],
  [
    'a label key of no prefix',
    make('ConfigMap', {}, { labels: { '/b': '' } }),
    'metadata.labels: Invalid value: "/b": prefix part must be non-empty',
  ],
  [
    'a label value that is too long',
    make('ConfigMap', {}, { labels: { a: 'b'.repeat(64) } }),
    `metadata.labels: Invalid value: "${'b'.repeat(64)}": must be no more than 63 characters`,
  ],
  [
    'annotations that are too long',
    make('ConfigMap', {}, { annotations: { a: 'ü'.repeat(131072) } }),
    'metadata.annotations: Too long: must have at most 262144 bytes',
  ],
  ['annotations in capitals', make('ConfigMap', {}, { annotations: { 'Example.com/A': '' } }), 'ok'],
  [
    'an owner without anything',
    make('ConfigMap', {}, { ownerReferences: [{}] }),
    '[metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty, metadata.ownerReferences.kind: Invalid value: "": kind must not be empty, metadata.ownerReferences.name: Invalid value: "": name must not be empty, metadata.ownerReferences.uid: Invalid value: "": uid must not be empty]',
  ],
  [
    'two owners in charge',
    make(
      'ConfigMap',
      {},
      { ownerReferences: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, controller: true })) },
    ),
    'metadata.ownerReferences: Invalid value: []v1.OwnerReference{v1.OwnerReference{APIVersion:"v1", Kind:"Pod", Name:"a", UID:"a", Controller:(*bool)(0xc000000000), BlockOwnerDeletion:(*bool)(nil)}, v1.OwnerReference{APIVersion:"v1", Kind:"Pod", Name:"b", UID:"b", Controller:(*bool)(0xc000000000), BlockOwnerDeletion:(*bool)(nil)}}: Only one reference can have Controller set to true. Found "true" in references for a and b',
  ],
  [
    'an event as owner',
    make('ConfigMap', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'a', uid: 'a' }] }),
    'metadata.ownerReferences: Invalid value: v1.OwnerReference{APIVersion:"v1", Kind:"Event", Name:"a", UID:"a", Controller:(*bool)(nil), BlockOwnerDeletion:(*bool)(nil)}: /v1, Kind=Event is disallowed from being an owner',
  ],
  [
    'a finalizer of no domain',
    make('ConfigMap', {}, { finalizers: ['mine'] }),
    'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ],
  [
    'finalizers that exclude each other',
    make('ConfigMap', {}, { finalizers: ['orphan', 'foregroundDeletion'] }),
    'metadata.finalizers: Invalid value: []string{"orphan", "foregroundDeletion"}: finalizer orphan and foregroundDeletion cannot be both set',
  ],
];

describe('refused is', () => {
  for (const [name, object, want] of REFUSALS) it(name, async () => expect(await rules.refusal(object)).toBe(want));
});

describe('metadata is refused for', () => {
  for (const [name, object, want] of METADATA) {
    it(name, async () => {
      const words = await rules.refusal(object);
      if (want.endsWith('-')) expect(words).toContain(want);
      else expect(words).toBe(want);
    });
  }
});

describe('metadata', () => {
  it('of a namespace other than the request’s is a bad request', async () => {
    const { code, words } = await rules.request(
      'POST',
      '/api/v1/namespaces/default/configmaps',
      make('ConfigMap', {}, { namespace: 'other' }),
    );
    expect([code, words]).toEqual([400, 'the namespace of the provided object does not match the namespace sent on the request']);
  });

  it('of what has no namespace forgets one', async () => {
    const { body } = await rules.request('POST', '/api/v1/namespaces', make('Namespace', {}, { name: 'roomless', namespace: 'other' }));
    expect(body['metadata']!['namespace']).toBeUndefined();
  });

  it('names what the server completes by 5 letters, within 63', async () => {
    const { body } = await rules.create(make('ConfigMap', {}, { name: '', generateName: 'a'.repeat(70) }));
    expect(body['metadata']!['name']).toMatch(/^a{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it('comes without a version', async () => {
    const { code, words, body } = await rules.create(make('ConfigMap', {}, { name: 'versioned', resourceVersion: '7' }));
    expect([code, words, body['reason']]).toEqual([500, 'resourceVersion should not be set on objects to be created', undefined]);
  });

  it('is the same in body and URL', async () => {
    await rules.create(make('ConfigMap', {}, { name: 'one' }));
    const other = await rules.request('PUT', '/api/v1/namespaces/default/configmaps/one', make('ConfigMap', {}, { name: 'two' }));
    expect([other.code, other.words]).toEqual([400, 'the name of the object (two) does not match the name on the URL (one)']);
    const none = await rules.request('PUT', '/api/v1/namespaces/default/configmaps/one', make('ConfigMap', {}, { name: '' }));
    expect(none.words).toBe('the name of the object (one based on URL) was undeterminable: name must be provided');
  });

  it('of another object of that name is a conflict', async () => {
    const { body } = await rules.create(make('ConfigMap', {}, { name: 'mine' }));
    const { code, words } = await rules.update(make('ConfigMap', {}, { name: 'mine', uid: 'theirs' }));
    expect(code).toBe(409);
    expect(words).toBe(
      `Operation cannot be fulfilled on configmaps "mine": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/mine, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: theirs, UID in object meta: ${body['metadata']!['uid']}`,
    );
    const patched = await rules.mergePatch(body, { metadata: { uid: 'theirs' } });
    expect(patched.words).toBe('ConfigMap "mine" is invalid: metadata.uid: Invalid value: "theirs": field is immutable');
  });

  it('keeps the server’s times, whatever a client says', async () => {
    const { body } = await rules.create(make('ConfigMap', {}, { name: 'old' }));
    const { body: next } = await rules.mergePatch(body, { metadata: { creationTimestamp: '2001-01-01T00:00:00Z', generation: 7 } });
    expect(next['metadata']).toMatchObject({ creationTimestamp: body['metadata']!['creationTimestamp'] });
    expect(next['metadata']!['generation']).toBeUndefined();
    const { words } = await rules.mergePatch(body, { metadata: { deletionTimestamp: '2001-01-01T00:00:00Z' } });
    expect(words).toBe(
      'ConfigMap "old" is invalid: metadata.deletionTimestamp: Invalid value: 2001-01-01 00:00:00 +0000 UTC: field is immutable',
    );
  });

  it('gets no new finalizers once the object goes', async () => {
    const { body } = await rules.create(make('ConfigMap', {}, { name: 'going', finalizers: ['a.io/a'] }));
    await rules.remove(body);
    const { words } = await rules.mergePatch(body, { metadata: { finalizers: ['a.io/a', 'b.io/b'] } });
    expect(words).toBe(
      'ConfigMap "going" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b.io/b"}',
    );
    const again = await rules.create(make('ConfigMap', {}, { name: 'going' }));
    expect([again.code, again.words]).toEqual([409, 'object is being deleted: configmaps "going" already exists']);
  });
});

describe('an update', () => {
  const rows: readonly (readonly [name: string, object: Loose, patch: object, want: string])[] = [
    [
      'of the data of an immutable config map',
      make('ConfigMap', { data: { a: '1' }, immutable: true }, { name: 'u1' }),
      { data: { a: '2' } },
      'data: Forbidden: field is immutable when `immutable` is set',
    ],
    [
      'that makes it mutable',
      make('ConfigMap', { data: { a: '1' }, immutable: true }, { name: 'u2' }),
      { immutable: null, binaryData: { b: '' } },
      '[immutable: Forbidden: field is immutable when `immutable` is set, binaryData: Forbidden: field is immutable when `immutable` is set]',
    ],
    [
      'of the labels of an immutable config map',
      make('ConfigMap', { immutable: true }, { name: 'u3' }),
      { metadata: { labels: { a: 'b' } } },
      'ok',
    ],
    [
      'of the type of a secret',
      make('Secret', { type: 'a/b' }, { name: 'u4' }),
      { type: 'a/c' },
      'type: Invalid value: "a/c": field is immutable',
    ],
    [
      'of an immutable secret',
      make('Secret', { immutable: true }, { name: 'u5' }),
      { stringData: { a: 'b' } },
      'data: Forbidden: field is immutable when `immutable` is set',
    ],
    [
      'of the scopes of a quota',
      make('ResourceQuota', { spec: { scopes: ['BestEffort'], hard: { pods: '1' } } }, { name: 'u6' }),
      { spec: { scopes: ['NotBestEffort'] } },
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"NotBestEffort"}: field is immutable',
    ],
    [
      'of a node’s pod range',
      make('Node', { spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] } }, { name: 'u7' }),
      { spec: { podCIDR: '10.2.0.0/24', podCIDRs: ['10.2.0.0/24'] } },
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ],
    [
      'of a node’s provider',
      make('Node', { spec: { providerID: 'a' } }, { name: 'u8' }),
      { spec: { providerID: 'b' } },
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
    [
      'of nothing but a node’s external id',
      make('Node', {}, { name: 'u9' }),
      { spec: { externalID: 'b' } },
      '[]: Forbidden: node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)',
    ],
  ];
  for (const [name, object, patch, want] of rows) {
    it(name, async () => {
      const { body, words } = await rules.create(object);
      expect(words).toBe('ok');
      const answer = await rules.mergePatch(body, patch);
      expect(answer.words.replace(/^\S+ "[^"]*" is invalid: /, '')).toBe(want);
    });
  }

  it('of a namespace’s state follows its deletion', async () => {
    const { body } = await rules.create(make('Namespace', {}, { name: 'state' }));
    const { words } = await rules.mergePatch(body, { status: { phase: 'Terminating' } }, 'status');
    expect(words).toBe(
      'Namespace "state" is invalid: status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    );
  });
});

describe('defaults', () => {
  it('of container limits follow from each other', async () => {
    const { body } = await rules.create(
      make(
        'LimitRange',
        { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '64Mi' }, default: { memory: '1024Mi' } }] } },
        { name: 'd1' },
      ),
    );
    expect(body['spec']!['limits'][0]).toEqual({
      type: 'Container',
      max: { cpu: '2' },
      min: { memory: '64Mi' },
      default: { cpu: '2', memory: '1Gi' },
      defaultRequest: { cpu: '2', memory: '1Gi' },
    });
  });

  it('of a node’s allocatable are its capacity', async () => {
    const { body } = await rules.create(make('Node', { status: { capacity: { cpu: '2' } } }, { name: 'd2' }));
    expect(body['status']).toMatchObject({ capacity: { cpu: '2' }, allocatable: { cpu: '2' } });
  });

  it('of a secret take its plain text in', async () => {
    const { body } = await rules.create(make('Secret', { data: { a: 'YQ==', b: 'Yg==' }, stringData: { b: 'ü' } }, { name: 'd3' }));
    expect(body['data']).toEqual({ a: 'YQ==', b: 'w7w=' });
    expect(body['type']).toBe('Opaque');
    expect(body['stringData']).toBeUndefined();
  });
});
