import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateRequest, generateKeyPair } from '../../net/x509.ts';
import { SeededRng } from '../../sim/rng.ts';
import { openRules, type Loose, type Rules } from './rules-harness.ts';

let rules: Rules;
beforeAll(async () => void (rules = await openRules(() => setImmediate())));
afterAll(() => rules[Symbol.asyncDispose]());

const make = (apiVersion: string, kind: string, body: object, metadata: object = {}): Loose =>
  ({ apiVersion, kind, metadata: { name: 'x', ...metadata }, ...body }) as unknown as Loose;
const policy = (spec: object): Loose => make('networking.k8s.io/v1', 'NetworkPolicy', { spec });
const ingress = (spec: object, metadata: object = {}): Loose => make('networking.k8s.io/v1', 'Ingress', { spec }, metadata);
const old = (spec: object): Loose => make('networking.k8s.io/v1beta1', 'Ingress', { spec });
const backend = { service: { name: 'web', port: { number: 80 } } };
const path = (more: object): object => ({ rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...more }] } }] });
const ingressClass = (spec: object): Loose => make('networking.k8s.io/v1', 'IngressClass', { spec });
const RBAC = 'rbac.authorization.k8s.io';
const role = (rule: object, kind = 'Role'): Loose => make(`${RBAC}/v1`, kind, { rules: [rule] });
const binding = (body: object, kind = 'RoleBinding'): Loose =>
  make(`${RBAC}/v1`, kind, { roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'view' }, ...body });
const storage = (kind: string, body: object, metadata: object = {}): Loose => make('storage.k8s.io/v1', kind, body, metadata);
const lease = (spec: object): Loose => make('coordination.k8s.io/v1', 'Lease', { spec });
const slice = (body: object): Loose => make('discovery.k8s.io/v1beta1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [], ...body });
const runtime = (body: object): Loose => make('node.k8s.io/v1', 'RuntimeClass', body);
const GOOD_HOOK = {
  name: 'a.b.example',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://a.example/' },
};
const hook = (more: object): Loose =>
  make('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', { webhooks: [{ ...GOOD_HOOK, ...more }] });
const apiService = (spec: object, name = 'v1.a.example'): Loose =>
  make(
    'apiregistration.k8s.io/v1',
    'APIService',
    { spec: { group: 'a.example', version: 'v1', groupPriorityMinimum: 10, versionPriority: 10, ...spec } },
    { name },
  );
const FLOW = 'flowcontrol.apiserver.k8s.io/v1beta1';
const RULE = { subjects: [{ kind: 'User', user: { name: 'jane' } }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['/healthz'] }] };
const flow = (spec: object): Loose =>
  make(FLOW, 'FlowSchema', { spec: { matchingPrecedence: 9, priorityLevelConfiguration: { name: 'a' }, rules: [RULE], ...spec } });
const level = (spec: object): Loose => make(FLOW, 'PriorityLevelConfiguration', { spec });
const SUBDOMAIN = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;

const REFUSALS: readonly (readonly [name: string, object: Loose, want: string])[] = [
  ['a flow as it should be', flow({}), 'ok'],
  [
    'a flow before all others',
    flow({ matchingPrecedence: 1 }),
    "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
  ],
  [
    'a flow of nobody',
    flow({ rules: [{}] }),
    '[spec.rules[0].subjects: Required value: subjects must contain at least one value, spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty]',
  ],
  [
    'a flow of a user who is none',
    flow({ rules: [{ ...RULE, subjects: [{ kind: 'User', group: { name: 'g' } }] }] }),
    "[spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User', spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group']",
  ],
  [
    'a flow to a path that is none',
    flow({ rules: [{ ...RULE, nonResourceRules: [{ verbs: ['fly'], nonResourceURLs: ['a'] }] }] }),
    '[spec.rules[0].nonResourceRules[0].verbs: Unsupported value: []string{"fly"}: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch", spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash]',
  ],
  ['a level of no kind', level({ type: 'Some' }), 'spec.type: Unsupported value: "Some": supported values: "Exempt", "Limited"'],
  [
    'a level of exceptions',
    level({ type: 'Exempt' }),
    `spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`,
  ],
  [
    'a level that draws more than there is',
    level({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: { queues: 4, handSize: 5 } } } }),
    'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)',
  ],
  [
    'a level whose hash is too short',
    level({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: { queues: 10000, handSize: 8 } } } }),
    'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 10000 and handSize 8 should not be greater than 60',
  ],
  ['a policy as it should be', policy({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 'http' }] }] }), 'ok'],
  [
    'a policy of a protocol nobody speaks',
    policy({ podSelector: {}, ingress: [{ ports: [{ protocol: 'ICMP' }] }] }),
    'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
  ],
  [
    'a policy for nobody',
    policy({ podSelector: {}, ingress: [{ from: [{}] }] }),
    'spec.ingress[0].from[0]: Required value: must specify a peer',
  ],
  [
    'a block and a selector',
    policy({ podSelector: {}, egress: [{ to: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }] }),
    'spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer',
  ],
  [
    'a block that is none',
    policy({ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0' } }] }] }),
    'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": not a valid CIDR',
  ],
  [
    'an exception outside',
    policy({ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] }] }),
    'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
  ],
  [
    'a type of traffic nobody knows',
    policy({ podSelector: {}, policyTypes: ['Sideways'] }),
    'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"',
  ],
  [
    'a selector without values',
    policy({ podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
    "spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    'an operator nobody knows',
    policy({ podSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }),
    'spec.podSelector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
  ],
  [
    'an ingress of nothing',
    ingress({}),
    'spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified',
  ],
  [
    'an old ingress of nothing',
    old({}),
    'spec: Invalid value: []networking.IngressRule(nil): either `backend` or `rules` must be specified',
  ],
  ['an ingress to a service', ingress({ defaultBackend: backend }), 'ok'],
  [
    'an ingress to nowhere',
    ingress({ defaultBackend: {} }),
    'spec.defaultBackend: Invalid value: "": resource or service backend is required',
  ],
  [
    'an ingress without a port',
    ingress({ defaultBackend: { service: { name: 'web' } } }),
    'spec.defaultBackend: Required value: port name or number is required',
  ],
  [
    'an ingress with two ports',
    ingress({ defaultBackend: { service: { name: 'web', port: { name: 'a', number: 1 } } } }),
    'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
  ],
  [
    'a path without a type',
    ingress(path({ pathType: undefined })),
    'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
  ],
  ['an old path without a type', old({ rules: [{ http: { paths: [{ backend: { serviceName: 'web', servicePort: 80 } }] } }] }), 'ok'],
  [
    'a path of an unknown type',
    ingress(path({ pathType: 'Near' })),
    'spec.rules[0].http.paths[0].pathType: Unsupported value: "Near": supported values: "Exact", "ImplementationSpecific", "Prefix"',
  ],
  [
    'a path that is relative',
    ingress(path({ path: 'a' })),
    'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
  ],
  [
    'a path that climbs',
    ingress(path({ path: '/a//..' })),
    `[spec.rules[0].http.paths[0].path: Invalid value: "/a//..": must not contain '//', spec.rules[0].http.paths[0].path: Invalid value: "/a//..": cannot end with '/..']`,
  ],
  [
    'a host that is an address',
    ingress({ rules: [{ host: '10.0.0.1' }] }),
    'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  ],
  ['a host in capitals', ingress({ rules: [{ host: 'A.example' }] }), `spec.rules[0].host: Invalid value: "A.example": ${SUBDOMAIN}`],
  [
    'a star in the middle',
    ingress({ rules: [{ host: 'a.*.example' }] }),
    `spec.rules[0].host: Invalid value: "a.*.example": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ],
  ['rules without paths', ingress({ rules: [{ http: { paths: [] } }] }), 'spec.rules[0].http.paths: Required value'],
  [
    'two ways to name the class',
    ingress({ defaultBackend: backend, ingressClassName: 'a' }, { annotations: { 'kubernetes.io/ingress.class': 'a' } }),
    'annotations.kubernetes.io/ingress.class: Invalid value: "a": can not be set when the class field is also set',
  ],
  [
    'a secret that has no name',
    ingress({ defaultBackend: backend, tls: [{ secretName: 'A' }] }),
    `spec.tls[0].secretName: Invalid value: "A": ${SUBDOMAIN}`,
  ],
  [
    'an old service port that is none',
    old({ backend: { serviceName: 'web', servicePort: 70000 } }),
    'spec.backend.servicePort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ],
  ['a class without a controller', ingressClass({}), 'spec.controller: Required value'],
  [
    'a controller without a domain',
    ingressClass({ controller: 'nginx' }),
    'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    'parameters without anything',
    ingressClass({ controller: 'a.io/b', parameters: {} }),
    '[spec.parameters.kind: Required value: kind is required, spec.parameters.name: Required value: name is required]',
  ],
  [
    'a role without verbs',
    role({ apiGroups: [''], resources: ['pods'] }),
    'rules[0].verbs: Required value: verbs must contain at least one value',
  ],
  [
    'a role for nothing',
    role({ verbs: ['get'] }),
    '[rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: Required value: resource rules must supply at least one resource]',
  ],
  [
    'a role for paths',
    role({ verbs: ['get'], nonResourceURLs: ['/healthz'] }),
    'rules[0].nonResourceURLs: Invalid value: []string{"/healthz"}: namespaced rules cannot apply to non-resource URLs',
  ],
  [
    'a cluster role for paths and more',
    role({ verbs: ['get'], nonResourceURLs: ['/healthz'], apiGroups: [''] }, 'ClusterRole'),
    'rules[0].nonResourceURLs: Invalid value: []string{"/healthz"}: rules cannot apply to both regular resources and non-resource URLs',
  ],
  [
    'a binding to a kind of no role',
    binding({ roleRef: { kind: 'Pod', name: 'a' } }),
    'roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"',
  ],
  [
    'a cluster binding to a role',
    binding({ roleRef: { kind: 'Role', name: 'a' } }, 'ClusterRoleBinding'),
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
  ['a binding of nobody', binding({ subjects: [{ kind: 'User' }] }), 'subjects[0].name: Required value'],
  [
    'a binding of a kind of no subject',
    binding({ subjects: [{ kind: 'Pod', name: 'a' }] }),
    'subjects[0].kind: Unsupported value: "Pod": supported values: "ServiceAccount", "User", "Group"',
  ],
  [
    'an account of no namespace',
    binding({ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }, 'ClusterRoleBinding'),
    'subjects[0].namespace: Required value',
  ],
  [
    'an account of a group',
    binding({ subjects: [{ kind: 'ServiceAccount', name: 'a', apiGroup: RBAC }] }),
    `subjects[0].apiGroup: Unsupported value: "${RBAC}": supported values: ""`,
  ],
  ['a role named like a path', role({ verbs: ['get'], apiGroups: [''], resources: ['pods'] }), 'ok'],
  ['a class without a provisioner', storage('StorageClass', {}), 'provisioner: Required value'],
  [
    'a class that keeps in a way nobody knows',
    storage('StorageClass', { provisioner: 'a/b', reclaimPolicy: 'Recycle' }),
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
  ],
  [
    'a class that binds in a way nobody knows',
    storage('StorageClass', { provisioner: 'a/b', volumeBindingMode: 'Later' }),
    'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
  ],
  [
    'a topology without values',
    storage('StorageClass', { provisioner: 'a/b', allowedTopologies: [{ matchLabelExpressions: [{ key: 'a' }] }] }),
    'allowedTopologies[0].matchLabelExpressions[0].values: Required value',
  ],
  [
    'an attachment of nothing',
    storage('VolumeAttachment', { spec: { attacher: 'a', nodeName: 'n', source: {} } }),
    'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
  ],
  [
    'a driver twice on a node',
    storage('CSINode', { spec: { drivers: ['a', 'a'].map((name) => ({ name, nodeID: 'n', topologyKeys: [] })) } }),
    'spec.drivers[1].name: Duplicate value: "a"',
  ],
  [
    'a driver with a life nobody knows',
    storage('CSIDriver', { spec: { volumeLifecycleModes: ['Forever'] } }),
    'spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"',
  ],
  [
    'a lease of no time',
    lease({ leaseDurationSeconds: 0, leaseTransitions: -1 }),
    '[spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0]',
  ],
  ['a slice of no kind of address', slice({ addressType: '' }), 'addressType: Required value'],
  [
    'a slice of an old kind of address',
    slice({ addressType: 'IP' }),
    'addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"',
  ],
  [
    'a slice of no address',
    slice({ endpoints: [{ addresses: [] }] }),
    'endpoints[0].addresses: Required value: must contain at least 1 address',
  ],
  [
    'a slice of another address',
    slice({ endpoints: [{ addresses: ['::1'] }] }),
    '[endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address, endpoints[0].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8)]',
  ],
  ['a slice with the same port twice', slice({ ports: [{ port: 1 }, { port: 2 }] }), 'ports[1].name: Duplicate value: ""'],
  [
    'a runtime without a handler that can be',
    runtime({ handler: 'A' }),
    `handler: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
  ],
  ['a webhook as it should be', hook({}), 'ok'],
  [
    'a webhook of a short name',
    hook({ name: 'a.b' }),
    'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
  ],
  [
    'a webhook that says nothing of side effects',
    hook({ sideEffects: undefined }),
    'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
  ],
  [
    'a webhook with side effects',
    hook({ sideEffects: 'Some' }),
    'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
  ],
  [
    'a webhook of no version',
    hook({ admissionReviewVersions: [] }),
    'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
  ],
  [
    'a webhook of an unknown version',
    hook({ admissionReviewVersions: ['v2'] }),
    'webhooks[0].admissionReviewVersions: Invalid value: []string{"v2"}: must include at least one of v1, v1beta1',
  ],
  ['a webhook nowhere', hook({ clientConfig: {} }), 'webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
  [
    'a webhook of a rule without anything',
    hook({ rules: [{}] }),
    '[webhooks[0].rules[0].operations: Required value, webhooks[0].rules[0].apiGroups: Required value, webhooks[0].rules[0].apiVersions: Required value, webhooks[0].rules[0].resources: Required value]',
  ],
  [
    'a webhook that waits too long',
    hook({ timeoutSeconds: 31 }),
    'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
  ],
  [
    'a webhook for everything and more',
    hook({ rules: [{ operations: ['*', 'CREATE'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*', 'pods'] }] }),
    `[webhooks[0].rules[0].operations: Invalid value: []admissionregistration.OperationType{"*", "CREATE"}: if '*' is present, must not specify other operations, webhooks[0].rules[0].resources: Invalid value: []string{"*", "pods"}: if '*' is present, must not specify other resources without subresources]`,
  ],
  [
    'an API service of another name',
    apiService({}, 'v2.a.example'),
    'metadata.name: Invalid value: "v2.a.example": must be `spec.version+"."+spec.group`: "v1.a.example"',
  ],
  [
    'an API service of no weight',
    apiService({ groupPriorityMinimum: 0, versionPriority: 1001 }),
    '[spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000, spec.versionPriority: Invalid value: 1001: must be positive and less than 1000]',
  ],
];

describe('refused is', () => {
  for (const [name, object, want] of REFUSALS) it(name, async () => expect(await rules.refusal(object)).toBe(want));
});

describe('an update', () => {
  const rows: readonly (readonly [name: string, object: Loose, patch: object, want: string])[] = [
    [
      'of what a binding binds to',
      binding({}, 'RoleBinding'),
      { roleRef: { name: 'edit' } },
      `roleRef: Invalid value: rbac.RoleRef{APIGroup:"${RBAC}", Kind:"ClusterRole", Name:"edit"}: cannot change roleRef`,
    ],
    [
      'of a class’s provisioner',
      storage('StorageClass', { provisioner: 'a/b' }),
      { provisioner: 'a/c', parameters: { a: 'b' } },
      '[parameters: Forbidden: updates to parameters are forbidden., provisioner: Forbidden: updates to provisioner are forbidden.]',
    ],
    [
      'of a class’s way of keeping',
      storage('StorageClass', { provisioner: 'a/b' }, { name: 'y' }),
      { reclaimPolicy: 'Retain', volumeBindingMode: 'WaitForFirstConsumer' },
      '[reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden., volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable]',
    ],
    ['of a runtime’s handler', runtime({ handler: 'a' }), { handler: 'b' }, 'handler: Invalid value: "b": field is immutable'],
    [
      'of an ingress class’s controller',
      ingressClass({ controller: 'a.io/b' }),
      { spec: { controller: 'a.io/c' } },
      'spec.controller: Invalid value: "a.io/c": field is immutable',
    ],
    ['of a slice’s kind of address', slice({}), { addressType: 'IPv6' }, 'addressType: Invalid value: "IPv6": field is immutable'],
    [
      'of a driver',
      storage('CSIDriver', { spec: {} }),
      { spec: { attachRequired: false } },
      'spec.attachedRequired: Invalid value: false: field is immutable',
    ],
  ];
  for (const [name, object, patch, want] of rows) {
    it(name, async () => {
      const { body, words } = await rules.create(object);
      expect(words).toBe('ok');
      expect((await rules.mergePatch(body, patch)).words.replace(/^\S+ "[^"]*" is invalid: /, '')).toBe(want);
    });
  }

  it('of a lease names the version it is of', async () => {
    const object = make('coordination.k8s.io/v1', 'Lease', {}, { name: 'held' });
    await rules.create(object);
    const { words, code } = await rules.update(object);
    expect([code, words]).toEqual([
      422,
      'leases.coordination.k8s.io "held" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    ]);
  });
});

describe('a request for a certificate', () => {
  const keys = generateKeyPair(new SeededRng(1));
  const pem = createCertificateRequest({ subject: { commonName: 'jane', organizations: [] }, ...keys });
  const request = (spec: object, name = 'jane'): Loose =>
    make(
      'certificates.k8s.io/v1',
      'CertificateSigningRequest',
      { spec: { request: btoa(pem), signerName: 'a.io/b', usages: ['client auth'], ...spec } },
      { name },
    );

  it('is one', async () => {
    expect(await rules.refusal(request({ request: btoa('x') }))).toBe(
      'spec.request: Invalid value: []byte{0x78}: PEM block type must be CERTIFICATE REQUEST',
    );
    expect(await rules.refusal(request({ usages: ['fly', 'fly'] }))).toMatch(
      /^\[spec.usages\[0\]: Unsupported value: "fly": supported values: "any", .*, spec.usages\[1\]: Duplicate value: "fly"\]$/,
    );
    expect(await rules.refusal(request({ usages: [] }))).toBe('spec.usages: Required value: usages must be provided');
    expect(await rules.refusal(request({ signerName: 'mine' }))).toBe(
      `spec.signerName: Invalid value: "mine": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    );
    expect(await rules.refusal(request({ signerName: 'kubernetes.io/legacy-unknown' }))).toBe(
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
    );
  });

  it('is decided once, by approval only', async () => {
    const { body } = await rules.create(request({}));
    const condition = (type: string, status = 'True'): object => ({ type, status, reason: 'R', message: 'M' });
    const early = await rules.mergePatch(body, { status: { conditions: [condition('Approved')] } }, 'status');
    expect(early.words).toBe(
      'CertificateSigningRequest.certificates.k8s.io "jane" is invalid: status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    );
    const odd = await rules.mergePatch(body, { status: { conditions: [condition('Approved', 'False')] } }, 'approval');
    expect(odd.words).toBe(
      'CertificateSigningRequest.certificates.k8s.io "jane" is invalid: status.conditions[0].status: Unsupported value: "False": supported values: "True"',
    );
    const { body: approved, words } = await rules.mergePatch(body, { status: { conditions: [condition('Approved')] } }, 'approval');
    expect(words).toBe('ok');
    expect(approved['status']!['conditions'][0]).toMatchObject({
      type: 'Approved',
      lastUpdateTime: '2026-01-01T00:00:00Z',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    const taken = await rules.mergePatch(body, { status: { conditions: [] } }, 'approval');
    expect(taken.words).toBe(
      'CertificateSigningRequest.certificates.k8s.io "jane" is invalid: status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    );
    const both = await rules.mergePatch(body, { status: { conditions: [condition('Approved'), condition('Denied')] } }, 'approval');
    expect(both.words).toBe(
      'CertificateSigningRequest.certificates.k8s.io "jane" is invalid: status.conditions: Invalid value: "Approved,Denied": Approved and Denied conditions are mutually exclusive',
    );
    const issued = await rules.mergePatch(body, { status: { certificate: btoa('-----BEGIN CERTIFICATE-----\n') } }, 'approval');
    expect(issued.body['status']!['certificate']).toBeUndefined();
    const { body: fixed } = await rules.mergePatch(body, { spec: { usages: ['server auth'] } });
    expect(fixed['spec']!['usages']).toEqual(['client auth']);
  });
});
