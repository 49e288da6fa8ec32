// For tests: of every built-in kind the least that the API server accepts, in the version that is stored.

import type { Json } from './definition.ts';

const labels = { app: 'a' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'nginx:1.19' }] } };
const workload = { selector: { matchLabels: labels }, template };
const once = { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const webhook = {
  name: 'hook.example.com',
  clientConfig: { url: 'https://hook.example.com/' },
  sideEffects: 'None',
  failurePolicy: 'Fail',
  matchPolicy: 'Exact',
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 5,
  admissionReviewVersions: ['v1'],
  rules: [{ operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['things'] }],
};
const CSR =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlITU1IVUNBUUF3RXpFUk1BOEdBMVVFQXd3SWMyOXRaV0p2Wkhrd1dUQVRCZ2NxaGtqT1BRSUJCZ2dxaGtqTwpQUU1CQndOQ0FBVFJ1ZWFxWUdlT2ZDUVl6ZWRFZWEzcDhqTzY0cXBJdWtZTjNjVzdsTGJpNGR2V1pyZ29hVER0CnppYUY4QW1YMTlXcmM2MDZTMG9RdW9WbElxN0JnVTU3b0FBd0NnWUlLb1pJemowRUF3SURSd0F3UkFJZ1h3akMKMzlQbXZveHVGalZaYmhQbTc0TmxRcWZIdkNlV3RDY25UNW8wMHQwQ0lBUVZoSjBOM3F2dEtIV29xSlVOa0VlRgpxUjBadDdBWGFuUm1IRjhXRkpOKwotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';

/** Fields besides kind, apiVersion and metadata; `name` where any other name would be refused, `version` if not the stored one. */
export interface Minimal {
  readonly name?: string;
  readonly version?: string;
  readonly fields: Json;
}

const of = (fields: Json, name?: string): Minimal => (name === undefined ? { fields } : { fields, name });

/** By `plural.group`. */
export const MINIMAL: Readonly<Record<string, Minimal>> = {
  'configmaps.': of({ data: { key: 'value' } }),
  'endpoints.': of({ subsets: [{ addresses: [{ ip: '172.16.1.1' }], ports: [{ port: 80 }] }] }),
  'events.': of({
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Started',
    message: 'it has started',
    action: 'Starting',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingComponent: 'example.com/starter',
    reportingInstance: 'starter-1',
    type: 'Normal',
  }),
  'limitranges.': of({ spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } }),
  'namespaces.': of({}),
  'nodes.': of({ spec: {} }),
  'persistentvolumeclaims.': of({ spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
  'persistentvolumes.': of({ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } } }),
  'pods.': of({ spec: { containers: [{ name: 'c', image: 'nginx' }] } }),
  'podtemplates.': of({ template }),
  'replicationcontrollers.': of({ spec: { replicas: 1, selector: labels, template } }),
  'resourcequotas.': of({ spec: { hard: { pods: '2' } } }),
  'secrets.': of({ data: { key: 'dmFsdWU=' } }),
  'serviceaccounts.': of({}),
  'services.': of({ spec: { ports: [{ port: 80 }], selector: labels } }),
  'controllerrevisions.apps': of({ revision: 1, data: { spec: {} } }),
  'daemonsets.apps': of({ spec: workload }),
  'deployments.apps': of({ spec: workload }),
  'replicasets.apps': of({ spec: workload }),
  'statefulsets.apps': of({ spec: { ...workload, serviceName: 's' } }),
  'jobs.batch': of({ spec: { template: once } }),
  'cronjobs.batch': of({ spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: once } } } }),
  'horizontalpodautoscalers.autoscaling': of({ spec: { scaleTargetRef, maxReplicas: 3 } }),
  'leases.coordination.k8s.io': of({ spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } }),
  'endpointslices.discovery.k8s.io': of({
    addressType: 'IPv4',
    endpoints: [{ addresses: ['172.16.1.1'] }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  }),
  'ingresses.networking.k8s.io': of({
    spec: {
      defaultBackend: { service: { name: 's', port: { number: 80 } } },
      rules: [
        {
          host: 'a.example.com',
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { name: 'http' } } } }] },
        },
      ],
    },
  }),
  'ingressclasses.networking.k8s.io': of({ spec: { controller: 'example.com/ingress' } }),
  'networkpolicies.networking.k8s.io': of({ spec: { podSelector: {} } }),
  'poddisruptionbudgets.policy': of({ spec: { minAvailable: 1, selector: { matchLabels: labels } } }),
  'podsecuritypolicies.policy': of({
    spec: {
      seLinux: { rule: 'RunAsAny' },
      runAsUser: { rule: 'RunAsAny' },
      fsGroup: { rule: 'RunAsAny' },
      supplementalGroups: { rule: 'RunAsAny' },
      volumes: ['*'],
    },
  }),
  'storageclasses.storage.k8s.io': of({ provisioner: 'example.com/disk' }),
  'csinodes.storage.k8s.io': of({ spec: { drivers: [{ name: 'disk.example.com', nodeID: 'n', topologyKeys: [] }] } }),
  'csidrivers.storage.k8s.io': of({ spec: { attachRequired: false } }),
  'volumeattachments.storage.k8s.io': of({
    spec: { attacher: 'disk.example.com', nodeName: 'w1-k8s', source: { persistentVolumeName: 'pv' } },
  }),
  'roles.rbac.authorization.k8s.io': of({ rules }),
  'clusterroles.rbac.authorization.k8s.io': of({ rules }),
  'rolebindings.rbac.authorization.k8s.io': of({
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'joe' }],
  }),
  'clusterrolebindings.rbac.authorization.k8s.io': of({
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
    subjects: [{ kind: 'ServiceAccount', name: 'joe', namespace: 'default' }],
  }),
  'priorityclasses.scheduling.k8s.io': of({ value: 1000 }),
  'runtimeclasses.node.k8s.io': of({ handler: 'runc' }),
  'certificatesigningrequests.certificates.k8s.io': of({
    spec: { request: CSR, signerName: 'example.com/signer', usages: ['client auth'] },
  }),
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': of({ webhooks: [webhook] }),
  'validatingwebhookconfigurations.admissionregistration.k8s.io': of({ webhooks: [webhook] }),
  'apiservices.apiregistration.k8s.io': of(
    {
      spec: {
        group: 'example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace: 'default', name: 's' },
      },
    },
    'v1.example.com',
  ),
  'customresourcedefinitions.apiextensions.k8s.io': {
    name: 'crontabs.stable.example.com',
    version: 'v1',
    fields: {
      spec: {
        group: 'stable.example.com',
        scope: 'Namespaced',
        names: { plural: 'crontabs', kind: 'CronTab' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
  },
  'flowschemas.flowcontrol.apiserver.k8s.io': of({ spec: { priorityLevelConfiguration: { name: 'system' }, matchingPrecedence: 700 } }),
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': of({
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  }),
};
