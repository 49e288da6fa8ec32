// Kinds of the core group.

import { isDeepEqual, isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { configMapKey, dns1123Label, pathSegment } from '../machinery/names.ts';
import { ageOf } from '../machinery/time.ts';
import type { ConfigMap, Event, KubeObject, Namespace, Secret, ServiceAccount } from '../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type Json, type ResourceDefinition } from './definition.ts';
import { NODE_DEFINITION } from './node.ts';
import { POD_DEFINITION } from './pod.ts';
import { defaultPodTemplate, defaults } from './pod-defaults.ts';
import { ENDPOINTS_DEFINITION, SERVICE_DEFINITION } from './service.ts';
import { specOf } from './apps.ts';
import { VOLUMES } from './volumes.ts';
import { labelsCell, templateCells, WORKLOAD_COLUMNS } from './workload-columns.ts';

const core = { group: '', version: 'v1', isNamespaced: true } as const;

const CONFIG_MAP = defineResource<ConfigMap & { immutable?: boolean }>({
  ...core,
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  strategy: {
    validate(map) {
      const errors: FieldError[] = [];
      for (const field of ['data', 'binaryData'] as const) {
        for (const key of Object.keys(map[field] ?? {})) {
          for (const problem of configMapKey(key)) errors.push(FieldError.invalid(`${field}[${key}]`, key, problem));
        }
      }
      return errors;
    },
    validateUpdate(next, current) {
      if (current.immutable !== true) return [];
      const errors: FieldError[] = [];
      if (next.immutable !== true) errors.push(FieldError.forbidden('immutable', 'field is immutable when `immutable` is set'));
      if (!isDeepEqual(next.data, current.data)) errors.push(FieldError.forbidden('data', 'field is immutable when `immutable` is set'));
      if (!isDeepEqual(next.binaryData, current.binaryData))
        errors.push(FieldError.forbidden('binaryData', 'field is immutable when `immutable` is set'));
      return errors;
    },
  },
  table: {
    columns: [NAME_COLUMN, { name: 'Data', type: 'string', description: 'Number of keys' }, AGE_COLUMN],
    cells: (map, nowMs) => [
      map.metadata.name,
      Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length,
      ageOf(map.metadata.creationTimestamp, nowMs),
    ],
  },
});

const SECRET = defineResource<Secret & { immutable?: boolean }>({
  ...core,
  kind: 'Secret',
  plural: 'secrets',
  fields: { type: (secret) => secret.type ?? '' },
  strategy: {
    setDefaults(secret) {
      const holder = secret as unknown as Json;
      defaults(holder, { type: 'Opaque' });
      const plain = holder['stringData'];
      if (!isRecord(plain)) return;
      const data = isRecord(holder['data']) ? holder['data'] : {};
      for (const [key, value] of Object.entries(plain)) data[key] = encodeBase64(String(value));
      holder['data'] = data;
      delete holder['stringData'];
    },
    validate(secret) {
      const errors: FieldError[] = [];
      for (const key of Object.keys(secret.data ?? {}))
        for (const problem of configMapKey(key)) errors.push(FieldError.invalid(`data[${key}]`, key, problem));
      const need = (key: string): void => {
        if (secret.data?.[key] === undefined) errors.push(FieldError.required(`data[${key}]`, ''));
      };
      if (secret.type === 'kubernetes.io/tls') {
        need('tls.crt');
        need('tls.key');
      } else if (secret.type === 'kubernetes.io/dockerconfigjson') need('.dockerconfigjson');
      else if (
        secret.type === 'kubernetes.io/service-account-token' &&
        (secret.metadata.annotations?.['kubernetes.io/service-account.name'] ?? '') === ''
      ) {
        errors.push(FieldError.required('metadata.annotations[kubernetes.io/service-account.name]', ''));
      }
      return errors;
    },
    validateUpdate(next, current) {
      const errors: FieldError[] = [];
      if (next.type !== current.type) errors.push(FieldError.invalid('type', next.type, 'field is immutable'));
      if (current.immutable === true) {
        if (next.immutable !== true) errors.push(FieldError.forbidden('immutable', 'field is immutable when `immutable` is set'));
        if (!isDeepEqual(next.data, current.data)) errors.push(FieldError.forbidden('data', 'field is immutable when `immutable` is set'));
      }
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Type', type: 'string', description: 'Used to facilitate programmatic handling of secret data.' },
      { name: 'Data', type: 'string', description: 'Number of keys' },
      AGE_COLUMN,
    ],
    cells: (secret, nowMs) => [
      secret.metadata.name,
      secret.type ?? '',
      Object.keys(secret.data ?? {}).length,
      ageOf(secret.metadata.creationTimestamp, nowMs),
    ],
  },
});

function encodeBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

const NAMESPACE = defineResource<Namespace>({
  ...core,
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  isNamespaced: false,
  hasStatus: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  returnsDeleted: true,
  otherSubresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  fields: { 'status.phase': (namespace) => namespace.status?.phase ?? '', name: (namespace) => namespace.metadata.name },
  strategy: {
    nameProblems: dns1123Label,
    prepareForCreate(namespace) {
      namespace.spec = { finalizers: ['kubernetes'] };
      namespace.status = { phase: 'Active' };
    },
    prepareForUpdate(next, current) {
      if (current.spec !== undefined) next.spec = current.spec;
    },
  },
  table: {
    columns: [NAME_COLUMN, { name: 'Status', type: 'string', description: 'The status of the namespace' }, AGE_COLUMN],
    cells: (namespace, nowMs) => [
      namespace.metadata.name,
      namespace.status?.phase ?? '',
      ageOf(namespace.metadata.creationTimestamp, nowMs),
    ],
  },
});

/** The newest of an event's times, as printEvent picks them. */
function lastSeen(event: Event, nowMs: number): string {
  const series = event.series as { lastObservedTime?: string } | undefined;
  const time = series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime;
  return ageOf(time === undefined ? undefined : String(time), nowMs);
}

const EVENT = defineResource<Event>({
  ...core,
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  ttlSeconds: 3600,
  alsoServedAs: [],
  fields: {
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    source: (event) => event.source?.component ?? '',
    type: (event) => event.type ?? '',
  },
  strategy: { allowsCreateOnUpdate: true, nameProblems: pathSegment },
  table: {
    columns: [
      { name: 'Last Seen', type: 'string', description: 'The time at which the most recent occurrence of this event was recorded.' },
      { name: 'Type', type: 'string', description: 'Type of this event (Normal, Warning), new types could be added in the future' },
      {
        name: 'Reason',
        type: 'string',
        description:
          "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
      },
      { name: 'Object', type: 'string', description: 'The object that this event is about.' },
      {
        name: 'Subobject',
        type: 'string',
        priority: 1,
        description:
          'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement.',
      },
      { name: 'Source', type: 'string', priority: 1, description: 'The component reporting this event.' },
      { name: 'Message', type: 'string', description: 'A human-readable description of the status of this operation.' },
      { name: 'First Seen', type: 'string', priority: 1, description: 'The time at which the event was first recorded.' },
      { name: 'Count', type: 'string', priority: 1, description: 'The number of times this event has occurred.' },
      { ...NAME_COLUMN, priority: 1 },
    ],
    cells(event, nowMs) {
      const about = event.involvedObject;
      const target =
        about.kind === undefined ? '' : about.name === undefined ? about.kind.toLowerCase() : `${about.kind.toLowerCase()}/${about.name}`;
      const source = event.source ?? {};
      const from = [source.component ?? event.reportingComponent ?? '', source.host ?? event.reportingInstance ?? '']
        .filter((part) => part !== '')
        .join(', ');
      const first = event.firstTimestamp ?? event.eventTime;
      return [
        lastSeen(event, nowMs),
        event.type ?? '',
        event.reason ?? '',
        target,
        about.fieldPath ?? '',
        from,
        (event.message ?? '').trim(),
        ageOf(first === undefined ? undefined : String(first), nowMs),
        event.count ?? 1,
        event.metadata.name,
      ];
    },
  },
});

const SERVICE_ACCOUNT = defineResource<ServiceAccount>({
  ...core,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  otherSubresources: [{ name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] }],
  table: {
    columns: [
      NAME_COLUMN,
      {
        name: 'Secrets',
        type: 'string',
        description: 'Secrets is the list of secrets allowed to be used by pods running using this ServiceAccount.',
      },
      AGE_COLUMN,
    ],
    cells: (account, nowMs) => [account.metadata.name, account.secrets?.length ?? 0, ageOf(account.metadata.creationTimestamp, nowMs)],
  },
});

type Controller = KubeObject & {
  spec?: {
    replicas?: number;
    selector?: Record<string, string>;
    template?: { metadata?: { labels?: Record<string, string> } } & Parameters<typeof templateCells>[0];
  };
  status?: { replicas?: number; readyReplicas?: number };
};

const REPLICATION_CONTROLLER = defineResource<Controller>({
  ...core,
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  hasScale: true,
  storagePrefix: 'controllers',
  strategy: {
    setDefaults(controller) {
      const spec = specOf(controller);
      defaults(spec, { replicas: 1 });
      const labels = controller.spec?.template?.metadata?.labels;
      if (labels !== undefined) {
        if (!isRecord(spec['selector']) || Object.keys(spec['selector']).length === 0) spec['selector'] = { ...labels };
        controller.metadata.labels ??= { ...labels };
      }
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(controller) {
      controller.status = { replicas: 0 };
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Desired', type: 'integer', description: 'Replicas is the number of desired replicas.' },
      { name: 'Current', type: 'integer', description: 'Replicas is the most recently oberved number of replicas.' },
      { name: 'Ready', type: 'integer', description: 'The number of ready replicas for this replication controller.' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      spec?.replicas ?? 0,
      status?.replicas ?? 0,
      status?.readyReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      labelsCell(spec?.selector),
    ],
  },
});

const BINDING = defineResource({ ...core, kind: 'Binding', plural: 'bindings', verbs: ['create'], discoveryOnly: true });
const COMPONENT_STATUS = defineResource<KubeObject & { conditions?: { type: string; status: string; message?: string; error?: string }[] }>(
  {
    ...core,
    kind: 'ComponentStatus',
    plural: 'componentstatuses',
    shortNames: ['cs'],
    isNamespaced: false,
    verbs: ['get', 'list'],
    discoveryOnly: true,
    table: {
      columns: [
        NAME_COLUMN,
        { name: 'Status', type: 'string', description: 'Status of the component conditions' },
        { name: 'Message', type: 'string', description: 'Message of the component conditions' },
        { name: 'Error', type: 'string', description: 'Error of the component conditions' },
      ],
      cells(component) {
        const condition = component.conditions?.find((each) => each.type === 'Healthy');
        return [
          component.metadata.name,
          condition?.status === 'True' ? 'Healthy' : 'Unhealthy',
          condition?.message ?? '',
          condition?.error ?? '',
        ];
      },
    },
  },
);

export const CORE: readonly ResourceDefinition[] = [
  BINDING,
  COMPONENT_STATUS,
  CONFIG_MAP,
  ENDPOINTS_DEFINITION,
  EVENT,
  defineResource({ ...core, kind: 'LimitRange', plural: 'limitranges', shortNames: ['limits'] }),
  NAMESPACE,
  NODE_DEFINITION,
  ...VOLUMES,
  POD_DEFINITION,
  defineResource({
    ...core,
    kind: 'PodTemplate',
    plural: 'podtemplates',
    strategy: { setDefaults: (object) => defaultPodTemplate((object as unknown as Json)['template']) },
  }),
  REPLICATION_CONTROLLER,
  defineResource({ ...core, kind: 'ResourceQuota', plural: 'resourcequotas', shortNames: ['quota'], hasStatus: true }),
  SECRET,
  SERVICE_ACCOUNT,
  SERVICE_DEFINITION,
];
