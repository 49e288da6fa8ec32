import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Loose, type Rules } from '../rules-harness.ts';

let rules: Rules;
beforeAll(async () => void (rules = await openRules(() => setImmediate())));
afterAll(() => rules[Symbol.asyncDispose]());

const pod = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', ...metadata },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
});
const container = (fields: object, spec: object = {}): object => pod({ containers: [{ name: 'c', image: 'nginx', ...fields }], ...spec });
const volume = (source: object, fields: object = {}): object => pod({ volumes: [{ name: 'v', ...source }], ...fields });
const probe = (fields: object): object => container({ livenessProbe: fields });
const env = (variable: object): object => container({ env: [variable] });
const affinity = (fields: object): object => pod({ affinity: fields });
const context = (fields: object): object => pod({ securityContext: fields });

const LABEL = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;
const SUBDOMAIN = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const NAME_PART = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const LABEL_VALUE = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;
const ENV_NAME = `a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`;
const MODE = 'must be a number between 0 and 0777 (octal), both inclusive';
const PORT = 'must be between 1 and 65535, inclusive';
const MORE_VOLUMES = 'Forbidden: may not specify more than 1 volume type';
const NEGATIVE = 'must be greater than or equal to 0';
const ENV_FIELDS = `"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.podIP", "status.podIPs"`;
const RESOURCES = `"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`;

type Row = readonly [name: string, object: object, ...want: readonly string[]];

const CONTAINERS: readonly Row[] = [
  ['a pod as it should be', pod({})],
  ['no containers', pod({ containers: [] }), 'spec.containers: Required value'],
  ['no image', container({ image: '' }), 'spec.containers[0].image: Required value'],
  [
    'an image with a blank',
    container({ image: ' nginx' }),
    'spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace',
  ],
  ['no name', container({ name: '' }), 'spec.containers[0].name: Required value'],
  ['a name in capitals', container({ name: 'C' }), `spec.containers[0].name: Invalid value: "C": ${LABEL}`],
  [
    'two of one name',
    pod({
      containers: [
        { name: 'c', image: 'a' },
        { name: 'c', image: 'b' },
      ],
    }),
    'spec.containers[1].name: Duplicate value: "c"',
  ],
  [
    'an init container of the same name',
    pod({ initContainers: [{ name: 'c', image: 'a' }] }),
    'spec.initContainers[0].name: Duplicate value: "c"',
  ],
  [
    'a pull policy that is none',
    container({ imagePullPolicy: 'Maybe' }),
    'spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
  ],
  [
    'a message policy that is none',
    container({ terminationMessagePolicy: 'X' }),
    `spec.containers[0].terminationMessagePolicy: Invalid value: "X": must be 'File' or 'FallbackToLogsOnError'`,
  ],
  [
    'a port that is too high',
    container({ ports: [{ containerPort: 65536 }] }),
    `spec.containers[0].ports[0].containerPort: Invalid value: 65536: ${PORT}`,
  ],
  ['a port that is not there', container({ ports: [{ name: 'http' }] }), 'spec.containers[0].ports[0].containerPort: Required value'],
  [
    'a host port that is negative',
    container({ ports: [{ containerPort: 80, hostPort: -1 }] }),
    `spec.containers[0].ports[0].hostPort: Invalid value: -1: ${PORT}`,
  ],
  [
    'a protocol in small letters',
    container({ ports: [{ containerPort: 80, protocol: 'tcp' }] }),
    'spec.containers[0].ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    'two ports of one name',
    container({
      ports: [
        { containerPort: 80, name: 'a' },
        { containerPort: 81, name: 'a' },
      ],
    }),
    'spec.containers[0].ports[1].name: Duplicate value: "a"',
  ],
  [
    'a port name without a letter',
    container({ ports: [{ containerPort: 80, name: '80' }] }),
    'spec.containers[0].ports[0].name: Invalid value: "80": must contain at least one letter or number (a-z, 0-9)',
  ],
  [
    'a port name with all its faults',
    container({ ports: [{ containerPort: 80, name: '-A--too-long-name-' }] }),
    'spec.containers[0].ports[0].name: Invalid value: "-A--too-long-name-": must be no more than 15 characters',
    'spec.containers[0].ports[0].name: Invalid value: "-A--too-long-name-": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    'spec.containers[0].ports[0].name: Invalid value: "-A--too-long-name-": must not contain consecutive hyphens',
    'spec.containers[0].ports[0].name: Invalid value: "-A--too-long-name-": must not begin or end with a hyphen',
  ],
  [
    'one host port twice',
    container({
      ports: [
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 81, hostPort: 8080 },
      ],
    }),
    'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"',
  ],
  [
    'a host port that another container has',
    pod({
      containers: [
        { name: 'a', image: 'i', ports: [{ containerPort: 1, hostPort: 1, hostIP: '10.0.0.1' }] },
        { name: 'b', image: 'i', ports: [{ containerPort: 1, hostPort: 1, hostIP: '10.0.0.1' }] },
      ],
    }),
    'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP/10.0.0.1/1"',
  ],
  [
    'ports on the host’s network that differ',
    container({ ports: [{ containerPort: 80, hostPort: 81 }] }, { hostNetwork: true }),
    'spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is true',
  ],
  [
    'a probe of an init container',
    pod({ initContainers: [{ name: 'i', image: 'a', readinessProbe: { tcpSocket: { port: 80 } } }] }),
    'spec.initContainers[0].readinessProbe: Invalid value: core.Probe{Handler:core.Handler{Exec:(*core.ExecAction)(nil), HTTPGet:(*core.HTTPGetAction)(nil), TCPSocket:(*core.TCPSocketAction)(0xc0*)}, InitialDelaySeconds:0, TimeoutSeconds:1, PeriodSeconds:10, SuccessThreshold:1, FailureThreshold:3}: must not be set for init containers',
  ],
];

const PROBES: readonly Row[] = [
  [
    'a probe without a handler',
    probe({ periodSeconds: 5 }),
    'spec.containers[0].livenessProbe: Required value: must specify a handler type',
  ],
  [
    'a probe with two',
    probe({ exec: { command: ['a'] }, tcpSocket: { port: 80 } }),
    'spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
  ],
  ['a probe that runs nothing', probe({ exec: {} }), 'spec.containers[0].livenessProbe.exec.command: Required value'],
  ['a probe of port 0', probe({ tcpSocket: { port: 0 } }), `spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 0: ${PORT}`],
  [
    'a probe of a port by a bad name',
    probe({ httpGet: { port: 'HTTP' } }),
    'spec.containers[0].livenessProbe.httpGet.port: Invalid value: "HTTP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    'spec.containers[0].livenessProbe.httpGet.port: Invalid value: "HTTP": must contain at least one letter or number (a-z, 0-9)',
  ],
  [
    'a probe by ftp',
    probe({ httpGet: { port: 80, scheme: 'FTP' } }),
    'spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
  ],
  [
    'a header with a blank',
    probe({ httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: '' }] } }),
    `spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
  ],
  [
    'a probe that looks back',
    probe({ tcpSocket: { port: 80 }, initialDelaySeconds: -1, failureThreshold: -2 }),
    `spec.containers[0].livenessProbe.initialDelaySeconds: Invalid value: -1: ${NEGATIVE}`,
    `spec.containers[0].livenessProbe.failureThreshold: Invalid value: -2: ${NEGATIVE}`,
  ],
  [
    'liveness that must succeed twice',
    probe({ tcpSocket: { port: 80 }, successThreshold: 2 }),
    'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
  ],
  ['readiness that must succeed twice', container({ readinessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } })],
  [
    'a hook that does nothing',
    container({ lifecycle: { preStop: {} } }),
    'spec.containers[0].lifecycle.preStop: Required value: must specify a handler type',
  ],
];

const ENVIRONMENT: readonly Row[] = [
  ['a variable without a name', env({ value: 'a' }), 'spec.containers[0].env[0].name: Required value'],
  ['a variable with a digit first', env({ name: '1A' }), `spec.containers[0].env[0].name: Invalid value: "1A": ${ENV_NAME}`],
  ['a variable that climbs', env({ name: '..' }), `spec.containers[0].env[0].name: Invalid value: "..": must not be '..'`],
  [
    'a variable from nowhere',
    env({ name: 'A', valueFrom: {} }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
  ],
  [
    'a variable from two places',
    env({ name: 'A', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' }, secretKeyRef: { name: 'a', key: 'b' } } }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
  ],
  [
    'a variable with a value and a place',
    env({ name: 'A', value: 'x', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
  ],
  [
    'a key of no name',
    env({ name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: '' } } }),
    'spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value',
  ],
  [
    'a key of no map',
    env({ name: 'A', valueFrom: { configMapKeyRef: { name: '', key: 'k' } } }),
    `spec.containers[0].env[0].valueFrom.configMapKeyRef.name: Invalid value: "": ${SUBDOMAIN}`,
  ],
  [
    'a field that cannot be had',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }),
    `spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: ${ENV_FIELDS}`,
  ],
  [
    'a field that is not there',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nosuch' } } }),
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nosuch": error converting fieldPath: field label not supported: spec.nosuch',
  ],
  [
    'all labels as a variable',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }),
    `spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: ${ENV_FIELDS}`,
  ],
  ['one label as a variable', env({ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } })],
  [
    'a field of another version',
    env({ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } } }),
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
  ],
  [
    'a part of a name',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.name['a']" } } }),
    `spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name['a']": error converting fieldPath: field label does not support subscript: metadata.name['a']`,
  ],
  [
    'a resource that cannot be had',
    env({ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } }),
    `spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: ${RESOURCES}`,
  ],
  [
    'processors by the hundred',
    env({ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '100m' } } }),
    `spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
  ],
  [
    'memory by sevens',
    env({ name: 'A', valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '7' } } }),
    `spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "requests.memory": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource`,
  ],
  [
    'everything from nowhere',
    container({ envFrom: [{}] }),
    'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
  ],
  [
    'everything from a map without name',
    container({ envFrom: [{ configMapRef: {} }] }),
    'spec.containers[0].envFrom[0].configMapRef.name: Required value',
  ],
  [
    'a prefix that is none',
    container({ envFrom: [{ prefix: 'a b', secretRef: { name: 's' } }] }),
    `spec.containers[0].envFrom[0].prefix: Invalid value: "a b": ${ENV_NAME}`,
  ],
];

const AMOUNTS: readonly Row[] = [
  [
    'a request above its limit',
    container({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit',
  ],
  [
    'a negative limit',
    container({ resources: { limits: { memory: '-1Gi' } } }),
    `spec.containers[0].resources.limits[memory]: Invalid value: "-1Gi": ${NEGATIVE}`,
    `spec.containers[0].resources.requests[memory]: Invalid value: "-1Gi": ${NEGATIVE}`,
  ],
  [
    'a resource nobody knows',
    container({ resources: { requests: { gpu: '1' } } }),
    'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
    'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
  ],
  [
    'storage, which is no container’s',
    container({ resources: { requests: { storage: '1Gi' } } }),
    'spec.containers[0].resources.requests[storage]: Invalid value: "storage": must be a standard resource for containers',
  ],
  [
    'an extended resource asked for without limit',
    container({ resources: { requests: { 'a.io/gpu': '1' } } }),
    'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
  ],
  [
    'an extended resource with another limit',
    container({ resources: { requests: { 'a.io/gpu': '1' }, limits: { 'a.io/gpu': '2' } } }),
    'spec.containers[0].resources.requests: Invalid value: "1": must be equal to a.io/gpu limit',
  ],
  [
    'half an extended resource',
    container({ resources: { requests: { 'a.io/gpu': '500m' }, limits: { 'a.io/gpu': '500m' } } }),
    'spec.containers[0].resources.limits[a.io/gpu]: Invalid value: resource.Quantity{i:resource.int64Amount{value:500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"500m", Format:"DecimalSI"}: must be an integer',
    'spec.containers[0].resources.requests[a.io/gpu]: Invalid value: resource.Quantity{i:resource.int64Amount{value:500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"500m", Format:"DecimalSI"}: must be an integer',
  ],
  [
    'huge pages alone',
    container({ resources: { limits: { 'hugepages-2Mi': '4Mi' } } }),
    'spec.containers[0].resources: Forbidden: HugePages require cpu or memory',
  ],
  ['huge pages with memory', container({ resources: { limits: { 'hugepages-2Mi': '4Mi', memory: '1Gi' } } })],
];

const VOLUMES: readonly Row[] = [
  ['a volume without name', pod({ volumes: [{ emptyDir: {} }] }), 'spec.volumes[0].name: Required value'],
  ['two of one name', pod({ volumes: [{ name: 'v' }, { name: 'v' }] }), 'spec.volumes[1].name: Duplicate value: "v"'],
  [
    'a host path and a secret',
    volume({ hostPath: { path: '/a' }, secret: { secretName: 's' } }),
    `spec.volumes[0].secret: ${MORE_VOLUMES}`,
  ],
  ['an empty folder and the downward API', volume({ emptyDir: {}, downwardAPI: {} }), `spec.volumes[0].downwarAPI: ${MORE_VOLUMES}`],
  ['no host path', volume({ hostPath: { path: '' } }), 'spec.volumes[0].hostPath.path: Required value'],
  [
    'a host path that climbs',
    volume({ hostPath: { path: '/a/../b' } }),
    `spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
  ],
  [
    'a host path of no type',
    volume({ hostPath: { path: '/a', type: 'Dir' } }),
    'spec.volumes[0].hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
  ],
  [
    'a negative size',
    volume({ emptyDir: { sizeLimit: '-1' } }),
    'spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity',
  ],
  ['no secret', volume({ secret: {} }), 'spec.volumes[0].secret.secretName: Required value'],
  [
    'a mode beyond 0777',
    volume({ secret: { secretName: 's', defaultMode: 512 } }),
    `spec.volumes[0].secret.defaultMode: Invalid value: 512: ${MODE}`,
  ],
  [
    'a key without path',
    volume({ configMap: { name: 'm', items: [{ key: 'a', path: '' }] } }),
    'spec.volumes[0].configMap.items[0].path: Required value',
  ],
  [
    'a key’s path from the root',
    volume({ configMap: { name: 'm', items: [{ key: '', path: '/a' }] } }),
    'spec.volumes[0].configMap.items[0].key: Required value',
    'spec.volumes[0].configMap.items[0].path: Invalid value: "/a": must be a relative path',
  ],
  [
    'a key’s path with dots first',
    volume({ configMap: { name: 'm', items: [{ key: 'a', path: '..a', mode: -1 }] } }),
    `spec.volumes[0].configMap.items[0].path: Invalid value: "..a": must not start with '..'`,
    `spec.volumes[0].configMap.items[0].mode: Invalid value: -1: ${MODE}`,
  ],
  ['no claim', volume({ persistentVolumeClaim: { claimName: '' } }), 'spec.volumes[0].persistentVolumeClaim.claimName: Required value'],
  [
    'a share without server and path',
    volume({ nfs: { server: '', path: '' } }),
    'spec.volumes[0].nfs.server: Required value',
    'spec.volumes[0].nfs.path: Required value',
    'spec.volumes[0].nfs.path: Invalid value: "": must be an absolute path',
  ],
  [
    'an iSCSI name that is none',
    volume({ iscsi: { targetPortal: 'p', iqn: 'x', lun: 300 } }),
    'spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
    'spec.volumes[0].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive',
  ],
  [
    'a disk with a wild partition',
    volume({ gcePersistentDisk: { pdName: '', partition: 256 } }),
    'spec.volumes[0].persistentDisk.pdName: Required value',
    'spec.volumes[0].persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive',
  ],
  [
    'the downward API without a field',
    volume({ downwardAPI: { items: [{ path: 'a' }] } }),
    'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
  ],
  [
    'the downward API’s field that is no file',
    volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } }] } }),
    'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
  ],
  [
    'the downward API’s resource of nobody',
    volume({ downwardAPI: { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] } }),
    'spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value',
  ],
  [
    'one path from two sources',
    volume({
      projected: {
        sources: [
          { secret: { name: 's', items: [{ key: 'a', path: 'p' }] } },
          { configMap: { name: 'm', items: [{ key: 'a', path: 'p' }] } },
        ],
      },
    }),
    'spec.volumes[0].projected: Invalid value: "m": conflicting duplicate paths',
  ],
  [
    'a source that is two',
    volume({ projected: { sources: [{ secret: { name: 's' }, configMap: { name: '' } }] } }),
    'spec.volumes[0].projected.sources[0].configMap.name: Required value',
    'spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type',
  ],
  [
    'a token for a minute',
    volume({ projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 60 } }] } }, { serviceAccountName: 'default' }),
    'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  ],
  ['an ephemeral volume, which is off', volume({ ephemeral: {} }), 'spec.volumes[0]: Required value: must specify a volume type'],
  [
    'a driver with capitals, and a blank',
    volume({ csi: { driver: 'My Driver' } }),
    `spec.volumes[0].csi.driver: Invalid value: "My Driver": ${SUBDOMAIN}`,
  ],
  [
    'a flex option that is reserved',
    volume({ flexVolume: { driver: 'd', options: { 'kubernetes.io/a': 'b' } } }),
    'spec.volumes[0].flexVolume.options[kubernetes.io/a]: Invalid value: "kubernetes.io/a": kubernetes.io and k8s.io namespaces are reserved',
  ],
  [
    'a mount of nothing',
    container({ volumeMounts: [{ name: 'no', mountPath: '/a' }] }),
    'spec.containers[0].volumeMounts[0].name: Not found: "no"',
  ],
  [
    'a mount nowhere',
    container({ volumeMounts: [{ name: 'v', mountPath: '' }] }, { volumes: [{ name: 'v' }] }),
    'spec.containers[0].volumeMounts[0].mountPath: Required value',
  ],
  [
    'two mounts on one path',
    container(
      {
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/a' },
        ],
      },
      { volumes: [{ name: 'v' }] },
    ),
    'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
  ],
  [
    'a sub path that climbs',
    container({ volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../b' }] }, { volumes: [{ name: 'v' }] }),
    `spec.containers[0].volumeMounts.subPath: Invalid value: "../b": must not contain '..'`,
  ],
  [
    'a sub path and its expression',
    container({ volumeMounts: [{ name: 'v', mountPath: '/a', subPath: 'b', subPathExpr: '$(C)' }] }, { volumes: [{ name: 'v' }] }),
    'spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(C)": subPathExpr and subPath are mutually exclusive',
  ],
  [
    'mounts that spread both ways',
    container({ volumeMounts: [{ name: 'v', mountPath: '/a', mountPropagation: 'Bidirectional' }] }, { volumes: [{ name: 'v' }] }),
    'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
  ],
  [
    'a block device of a folder',
    container({ volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }, { volumes: [{ name: 'v' }] }),
    'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim for block mode',
  ],
  [
    'a mount of a faulty volume',
    container({ volumeMounts: [{ name: 'v', mountPath: '/a' }] }, { volumes: [{ name: 'v', secret: {} }] }),
    'spec.volumes[0].secret.secretName: Required value',
    'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ],
];

const SPEC: readonly Row[] = [
  [
    'a restart policy that is none',
    pod({ restartPolicy: 'Sometimes' }),
    'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    'a DNS policy that is none',
    pod({ dnsPolicy: 'X' }),
    'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
  ],
  [
    'DNS of its own without any',
    pod({ dnsPolicy: 'None' }),
    'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
  ],
  [
    'DNS of its own without servers',
    pod({ dnsPolicy: 'None', dnsConfig: { searches: ['a'] } }),
    'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
  ],
  [
    'four name servers, one of them a name',
    pod({ dnsConfig: { nameservers: ['1.1.1.1', '8.8.8.8', '9.9.9.9', 'dns'] } }),
    'spec.dnsConfig.nameservers: Invalid value: []string{"1.1.1.1", "8.8.8.8", "9.9.9.9", "dns"}: must not have more than 3 nameservers',
    'spec.dnsConfig.nameservers[3]: Invalid value: "dns": must be valid IP address',
  ],
  ['a node label with a blank', pod({ nodeSelector: { a: 'b c' } }), `spec.nodeSelector: Invalid value: "b c": ${LABEL_VALUE}`],
  ['a hostname with a dot', pod({ hostname: 'a.b' }), `spec.hostname: Invalid value: "a.b": ${LABEL}`],
  ['a subdomain in capitals', pod({ subdomain: 'A' }), `spec.subdomain: Invalid value: "A": ${LABEL}`],
  [
    'no time at all',
    pod({ activeDeadlineSeconds: 0 }),
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  [
    'an alias of no address',
    pod({ hostAliases: [{ ip: 'x', hostnames: ['a_b'] }] }),
    'spec.hostAliases.ip: Invalid value: "x": must be valid IP address',
    `spec.hostAliases.hostnames: Invalid value: "a_b": ${SUBDOMAIN}`,
  ],
  [
    'a gate that is no name',
    pod({ readinessGates: [{ conditionType: 'a b' }] }),
    `spec.readinessGates[0].conditionType: Invalid value: "a b": ${NAME_PART}`,
  ],
  [
    'a toleration of everything that asks for a value',
    pod({ tolerations: [{ value: 'x' }] }),
    'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  [
    'a toleration of what exists, with a value',
    pod({ tolerations: [{ key: 'k', operator: 'Exists', value: 'x' }] }),
    `spec.tolerations[0].operator: Invalid value: core.Toleration{Key:"k", Operator:"Exists", Value:"x", Effect:"", TolerationSeconds:(*int64)(nil)}: value must be empty when \`operator\` is 'Exists'`,
  ],
  [
    'a toleration that passes',
    pod({ tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }] }),
    `spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
  ],
  [
    'a toleration of no effect',
    pod({ tolerations: [{ key: 'k', operator: 'Like', effect: 'Never' }] }),
    'spec.tolerations[0].operator: Unsupported value: "Like": supported values: "Equal", "Exists"',
    'spec.tolerations[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  [
    'a spread that is level',
    pod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'X' }] }),
    'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
    'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"',
  ],
  [
    'one spread twice',
    pod({
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
        { maxSkew: 2, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
      ],
    }),
    'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"',
  ],
  [
    'a preemption policy that is none',
    pod({ preemptionPolicy: 'Kill' }),
    'pods "x" is forbidden: the string value of PreemptionPolicy (Kill) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name',
  ],
  ['ephemeral containers, which are off', pod({ ephemeralContainers: [{ name: 'e', image: 'i' }] })],
];

const PLACES: readonly Row[] = [
  [
    'no terms',
    affinity({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } }),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
  ],
  [
    'In without values',
    affinity({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }] },
      },
    }),
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    'a field that is not the name',
    affinity({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'a', operator: 'Exists' }] }] },
      },
    }),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: "Exists": not a valid selector operator',
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "a": not a valid field selector key',
  ],
  [
    'a weight of nothing',
    affinity({
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 0, preference: { matchExpressions: [{ key: 'a', operator: 'Gt', values: [] }] } },
        ],
      },
    }),
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
  ],
  [
    'pods near each other nowhere',
    affinity({ podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] } }),
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
    `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": ${NAME_PART}`,
  ],
  [
    'pods apart by a selector that is none',
    affinity({
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 101,
            podAffinityTerm: { topologyKey: 'h', labelSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] }, namespaces: ['A'] },
          },
        ],
      },
    }),
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.matchExpressions.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
    `spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.namespace: Invalid value: "A": ${LABEL}`,
  ],
];

const SECURITY: readonly Row[] = [
  [
    'a negative user',
    context({ runAsUser: -1 }),
    'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    'a group too far',
    context({ fsGroup: 2147483648, supplementalGroups: [-5] }),
    'spec.securityContext.fsGroup: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive',
    'spec.securityContext.supplementalGroups[0]: Invalid value: -5: must be between 0 and 2147483647, inclusive',
  ],
  [
    'processes shared with the host and among themselves',
    pod({ hostPID: true, shareProcessNamespace: true }),
    'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
  ],
  [
    'a setting that is none',
    context({
      sysctls: [
        { name: 'Kernel', value: '1' },
        { name: 'a.b', value: '' },
        { name: 'a.b', value: '' },
      ],
    }),
    'spec.securityContext.sysctls[0].name: Invalid value: "Kernel": must have at most 253 characters and match regex ([a-z0-9]([-_a-z0-9]*[a-z0-9])?\\.)*[a-z0-9]([-_a-z0-9]*[a-z0-9])?',
    'spec.securityContext.sysctls[2].name: Duplicate value: "a.b"',
  ],
  [
    'a profile of no type',
    context({ seccompProfile: { type: 'X' } }),
    'spec.securityContext.seccompProfile.type: Unsupported value: "X": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
  ],
  [
    'a local profile without name',
    context({ seccompProfile: { type: 'Localhost' } }),
    'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
  ],
  [
    'a change of owner that is none',
    context({ fsGroupChangePolicy: 'X' }),
    'spec.securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"',
  ],
  [
    'all rights without more rights',
    container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    'spec.containers[0].securityContext: Invalid value: core.SecurityContext{Capabilities:(*core.Capabilities)(nil), Privileged:(*bool)(0xc0*), SELinuxOptions:(*core.SELinuxOptions)(nil), WindowsOptions:(*core.WindowsSecurityContextOptions)(nil), RunAsUser:(*int64)(nil), RunAsGroup:(*int64)(nil), RunAsNonRoot:(*bool)(nil), ReadOnlyRootFilesystem:(*bool)(nil), AllowPrivilegeEscalation:(*bool)(0xc0*), ProcMount:(*core.ProcMountType)(nil), SeccompProfile:(*core.SeccompProfile)(nil)}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  ],
  [
    'an annotated profile that is none',
    pod({}, { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } }),
    'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "x": must be a valid seccomp profile',
  ],
  [
    'AppArmor of nobody',
    pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/d': 'x' } }),
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": container not found',
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "x": invalid AppArmor profile name: "x"',
  ],
  [
    'a mirror of nothing',
    pod({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
  ],
];

describe.each([
  ['containers', CONTAINERS],
  ['probes', PROBES],
  ['the environment', ENVIRONMENT],
  ['amounts', AMOUNTS],
  ['volumes', VOLUMES],
  ['the spec', SPEC],
  ['places', PLACES],
  ['security', SECURITY],
])('pods are refused for %s:', (_what, rows) => {
  it.each(rows.map(([name, object, ...want]) => ({ name, object, want })))('$name', async ({ object, want }) => {
    const wanted = want.length === 0 ? 'ok' : want.length === 1 ? want[0]! : `[${want.join(', ')}]`;
    expect(hideAddresses(await rules.refusal(object))).toBe(wanted);
  });
});

const hideAddresses = (words: string): string => words.replace(/0xc0[0-9a-f]+/g, '0xc0*');

const answerOf = async (object: object): Promise<Loose> => (await rules.create(object, '?dryRun=All')).body as unknown as Loose;

describe('a new pod', () => {
  it('is told everything at once, in the order of the checks', async () => {
    const { body, code } = await rules.create(pod({ containers: [{ name: 'c', image: '' }], restartPolicy: 'X' }));
    expect(code).toBe(422);
    expect(body.message).toBe(
      'Pod "x" is invalid: [spec.containers[0].image: Required value, spec.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"]',
    );
    expect(body.details).toEqual({
      name: 'x',
      kind: 'Pod',
      causes: [
        { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers[0].image' },
        {
          reason: 'FieldValueNotSupported',
          message: 'Unsupported value: "X": supported values: "Always", "OnFailure", "Never"',
          field: 'spec.restartPolicy',
        },
      ],
    });
  });

  it('waits, with a class of service', async () => {
    const { status } = await answerOf(container({ resources: { limits: { cpu: '1', memory: '1Gi' } } }));
    expect(status).toEqual({ phase: 'Pending', qosClass: 'Guaranteed' });
  });

  it('is of the class that the limits of its namespace give it', async () => {
    const limits = [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '100m' } }];
    await rules.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'limited' } });
    await rules.create({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'l', namespace: 'limited' }, spec: { limits } });
    const { status } = await answerOf(pod({}, { namespace: 'limited' }));
    expect(status!['qosClass']).toBe('Burstable');
  });

  it('knows its account by both names; the new one wins', async () => {
    const { spec } = await answerOf(pod({ serviceAccountName: 'default', serviceAccount: 'other' }));
    expect([spec!['serviceAccountName'], spec!['serviceAccount']]).toEqual(['default', 'default']);
  });

  it('has its seccomp profile as annotation and as field', async () => {
    const byField = await answerOf(context({ seccompProfile: { type: 'RuntimeDefault' } }));
    expect(byField.metadata!['annotations']).toEqual({ 'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default' });
    const byNote = await answerOf(pod({}, { annotations: { 'container.seccomp.security.alpha.kubernetes.io/c': 'localhost/a.json' } }));
    expect(byNote.spec!['containers']![0]!['securityContext']).toEqual({
      seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' },
    });
  });

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.19', 'IfNotPresent'],
    ['host:5000/nginx', 'Always'],
    ['host:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    ['NGINX', 'IfNotPresent'],
  ])('of the image %s pulls %s', async (image, policy) => {
    expect((await answerOf(container({ image }))).spec!['containers']![0]!['imagePullPolicy']).toBe(policy);
  });
});

describe('a pod that is there', () => {
  const there = pod({ activeDeadlineSeconds: 60, tolerations: [{ key: 'a', operator: 'Exists' }] }, { name: 'there' });
  beforeAll(async () => void (await rules.create(there)));
  const change = async (spec: object): Promise<string> => {
    const { body } = await rules.get(there);
    const next = { ...body, spec: { ...(body.spec as unknown as object), ...spec } };
    return (await rules.update(next)).words.replace(/^Pod "there" is invalid: /, '');
  };

  it.each([
    [
      'a container more',
      {
        containers: [
          { name: 'c', image: 'nginx' },
          { name: 'd', image: 'nginx' },
        ],
      },
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    [
      'more time',
      { activeDeadlineSeconds: 61 },
      'spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to previous value',
    ],
    [
      'time without end',
      { activeDeadlineSeconds: undefined },
      'spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value',
    ],
    [
      'fewer tolerations',
      { tolerations: [] },
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ],
  ])('may not have %s', async (_name, spec, want) => {
    expect(await change(spec)).toBe(want);
  });

  it('shows what may not change', async () => {
    const words = await change({ hostname: 'h' });
    expect(words).toContain(
      [
        ' or `spec.tolerations` (only additions to existing tolerations)',
        '  core.PodSpec{',
        '  \t... // 12 identical fields',
        '  \tSecurityContext:   &{},',
        '  \tImagePullSecrets:  nil,',
        '- \tHostname:          "h",',
        '+ \tHostname:          "",',
        '  \tSubdomain:         "",',
        '  \tSetHostnameAsFQDN: nil,',
        '  \t... // 13 identical fields',
        '  }',
        '',
      ].join('\n'),
    );
  });

  it('may get another image, less time and more tolerations', async () => {
    const { body } = await rules.get(there);
    const tolerations = [...(body.spec!['tolerations'] as unknown as object[]), { key: 'b', operator: 'Exists' }];
    expect(await change({ tolerations, activeDeadlineSeconds: 30 })).toBe('ok');
    const [first] = body.spec!['containers'] as unknown as object[];
    expect(await change({ tolerations, activeDeadlineSeconds: 30, containers: [{ ...first, image: 'httpd' }] })).toBe('ok');
  });
});
