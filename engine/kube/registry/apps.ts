// Kinds of the group apps.

import { isDeepEqual, isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { labelSelectorOf, SelectorError, type LabelSelectorSpec } from '../machinery/selectors.ts';
import { ageOf } from '../machinery/time.ts';
import type { DaemonSet, Deployment, KubeObject, ReplicaSet } from '../machinery/types.ts';
import { validateAnnotations, validateLabels } from './meta-validation.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ColumnDefinition, type Json, type ResourceDefinition } from './definition.ts';
import { defaultPodTemplate, defaults } from './pod-defaults.ts';
import { validatePodSpec } from './pod-validation.ts';
import { selectorCell, templateCells, WORKLOAD_COLUMNS } from './workload-columns.ts';

const count = (name: string, description: string): ColumnDefinition => ({ name, type: 'integer', description });

export function specOf(object: KubeObject): Json {
  const holder = object as unknown as Json;
  if (!isRecord(holder['spec'])) holder['spec'] = {};
  return holder['spec'] as Json;
}

const common = { group: 'apps', version: 'v1', isNamespaced: true, categories: ['all'], hasStatus: true, hasGeneration: true } as const;

const DEPLOYMENT = defineResource<Deployment>({
  ...common,
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  hasScale: true,
  strategy: {
    setDefaults(deployment) {
      const spec = specOf(deployment);
      defaults(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
      if (!isRecord(spec['strategy'])) spec['strategy'] = {};
      const strategy = spec['strategy'] as Json;
      defaults(strategy, { type: 'RollingUpdate' });
      if (strategy['type'] === 'RollingUpdate') {
        if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
        defaults(strategy['rollingUpdate'] as Json, { maxUnavailable: '25%', maxSurge: '25%' });
      }
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(deployment) {
      Object.assign(deployment, { status: {} });
    },
    validate: (deployment) => validateDeployment(deployment),
    validateUpdate: (next, current) => [...validateDeployment(next), ...immutableSelector(next, current)],
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'Number of the pod with ready state' },
      {
        name: 'Up-to-date',
        type: 'string',
        description: 'Total number of non-terminated pods targeted by this deployment that have the desired template spec.',
      },
      {
        name: 'Available',
        type: 'string',
        description: 'Total number of available pods (ready for at least minReadySeconds) targeted by this deployment.',
      },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      status?.updatedReplicas ?? 0,
      status?.availableReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});

const REPLICA_SET = defineResource<ReplicaSet>({
  ...common,
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  hasScale: true,
  fields: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
  strategy: {
    setDefaults(set) {
      const spec = specOf(set);
      defaults(spec, { replicas: 1 });
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(set) {
      Object.assign(set, { status: { replicas: 0 } });
    },
    validate: (set) => validateWorkload(set, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
    validateUpdate: (next, current) => [
      ...validateWorkload(next, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
      ...immutableSelector(next, current),
    ],
  },
  table: {
    columns: [
      NAME_COLUMN,
      count('Desired', 'Replicas is the number of desired replicas.'),
      count('Current', 'Replicas is the most recently oberved number of replicas.'),
      count('Ready', 'The number of ready replicas for this replica set.'),
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
      selectorCell(spec?.selector),
    ],
  },
});

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** A counter that apps/v1 has no field for any more: it goes on as an annotation, which clients cannot set. */
function writeTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  if (generation === 0) return;
  (metadata as { annotations?: Record<string, string> }).annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: String(generation),
  };
}

const DAEMON_SET = defineResource<DaemonSet>({
  ...common,
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  strategy: {
    setDefaults(set) {
      const spec = specOf(set);
      defaults(spec, { revisionHistoryLimit: 10 });
      if (!isRecord(spec['updateStrategy'])) spec['updateStrategy'] = {};
      const strategy = spec['updateStrategy'] as Json;
      defaults(strategy, { type: 'RollingUpdate' });
      if (strategy['type'] === 'RollingUpdate') {
        if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
        defaults(strategy['rollingUpdate'] as Json, { maxUnavailable: 1 });
      }
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(set) {
      Object.assign(set, { status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 } });
      writeTemplateGeneration(set, 1);
    },
    prepareForUpdate(next, current) {
      const before = Number(current.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
      writeTemplateGeneration(next, isDeepEqual(next.spec?.template, current.spec?.template) ? before : before + 1);
    },
    validate: (set) => validateWorkload(set, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
    validateUpdate: (next, current) => [
      ...validateWorkload(next, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
      ...immutableSelector(next, current),
    ],
  },
  table: {
    columns: [
      NAME_COLUMN,
      count(
        'Desired',
        'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod).',
      ),
      count('Current', 'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod.'),
      count('Ready', 'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and ready.'),
      count('Up-to-date', 'The total number of nodes that are running updated daemon pod'),
      count(
        'Available',
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available.',
      ),
      { name: 'Node Selector', type: 'string', description: 'A selector which must be true for the pod to fit on a node.' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      status?.desiredNumberScheduled ?? 0,
      status?.currentNumberScheduled ?? 0,
      status?.numberReady ?? 0,
      status?.updatedNumberScheduled ?? 0,
      status?.numberAvailable ?? 0,
      formatNodeSelector(spec?.template.spec?.nodeSelector),
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});

type StatefulSet = KubeObject & {
  spec?: { replicas?: number; serviceName?: string; selector?: LabelSelectorSpec; template?: Parameters<typeof templateCells>[0] };
  status?: { replicas?: number; readyReplicas?: number };
};

const STATEFUL_SET = defineResource<StatefulSet>({
  ...common,
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  hasScale: true,
  strategy: {
    setDefaults(set) {
      const spec = specOf(set);
      defaults(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' });
      if (!isRecord(spec['updateStrategy'])) spec['updateStrategy'] = {};
      const strategy = spec['updateStrategy'] as Json;
      defaults(strategy, { type: 'RollingUpdate' });
      if (strategy['type'] === 'RollingUpdate') {
        if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
        (strategy['rollingUpdate'] as Json)['partition'] ??= 0;
      }
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(set) {
      Object.assign(set, { status: { replicas: 0 } });
    },
    validate: (set) => validateWorkload(set, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
    validateUpdate(next, current) {
      const errors = validateWorkload(next, { needsAlwaysRestart: true, kindOfSelector: 'set' });
      const fixed = (set: StatefulSet): Json => {
        const { replicas: _r, template: _t, updateStrategy: _u, ...rest } = specOf(set);
        return rest;
      };
      if (!isDeepEqual(fixed(next), fixed(current))) {
        errors.push(
          FieldError.forbidden(
            'spec',
            "updates to statefulset spec for fields other than 'replicas', 'template', and 'updateStrategy' are forbidden",
          ),
        );
      }
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'Number of the pod with ready state' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS.slice(0, 2),
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
    ],
  },
});

type Revision = KubeObject & { revision?: number };

export const APPS: readonly ResourceDefinition[] = [
  defineResource<Revision>({
    group: 'apps',
    version: 'v1',
    kind: 'ControllerRevision',
    plural: 'controllerrevisions',
    isNamespaced: true,
    table: {
      columns: [
        NAME_COLUMN,
        { name: 'Controller', type: 'string', description: 'Controller of the object' },
        { name: 'Revision', type: 'string', description: 'Revision indicates the revision of the state represented by Data.' },
        AGE_COLUMN,
      ],
      cells: ({ metadata, revision }, nowMs) => {
        const owner = metadata.ownerReferences?.find((each) => each.controller === true);
        return [
          metadata.name,
          owner === undefined ? '<none>' : controllerCell(owner),
          revision ?? 0,
          ageOf(metadata.creationTimestamp, nowMs),
        ];
      },
    },
  }),
  DAEMON_SET,
  DEPLOYMENT,
  REPLICA_SET,
  STATEFUL_SET,
];

function controllerCell(owner: { readonly apiVersion: string; readonly kind: string; readonly name: string }): string {
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]!}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

function formatNodeSelector(selector: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(selector ?? {});
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
}

function validateDeployment(deployment: Deployment): readonly FieldError[] {
  const errors = validateWorkload(deployment, { needsAlwaysRestart: true, kindOfSelector: 'deployment' });
  const spec = specOf(deployment);
  const strategy = spec['strategy'] as Json;
  if (strategy['type'] === 'Recreate' && strategy['rollingUpdate'] !== undefined) {
    errors.push(FieldError.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"));
  } else if (strategy['type'] !== 'Recreate' && strategy['type'] !== 'RollingUpdate') {
    errors.push(FieldError.notSupported('spec.strategy', spec['strategy'], ['Recreate', 'RollingUpdate']));
  } else if (isRecord(strategy['rollingUpdate'])) {
    const { maxSurge, maxUnavailable } = strategy['rollingUpdate'];
    if (isZeroAmount(maxSurge) && isZeroAmount(maxUnavailable)) {
      errors.push(FieldError.invalid('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
  }
  const deadline = Number(spec['progressDeadlineSeconds'] ?? 0);
  const minimum = Number(spec['minReadySeconds'] ?? 0);
  if (deadline <= minimum)
    errors.push(FieldError.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

function isZeroAmount(amount: unknown): boolean {
  return amount === 0 || amount === '0%' || amount === '0';
}

interface WorkloadRules {
  readonly needsAlwaysRestart: boolean;
  readonly kindOfSelector: 'deployment' | 'set';
}

/** Replicas, selector and template, as deployments, replica sets, daemon sets and stateful sets have them. */
export function validateWorkload(object: KubeObject, rules: WorkloadRules): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const replicas = spec['replicas'];
  if (typeof replicas === 'number' && replicas < 0)
    errors.push(FieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'));
  const minimum = spec['minReadySeconds'];
  if (typeof minimum === 'number' && minimum < 0)
    errors.push(FieldError.invalid('spec.minReadySeconds', minimum, 'must be greater than or equal to 0'));
  const selector = spec['selector'] as LabelSelectorSpec | undefined;
  const template = (spec['template'] ?? {}) as {
    metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec?: Json;
  };
  const labels = template.metadata?.labels;
  if (selector === undefined || selector === null) errors.push(FieldError.required('spec.selector', ''));
  else if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) {
    errors.push(
      FieldError.invalid(
        'spec.selector',
        selector,
        `empty selector is invalid for ${rules.kindOfSelector === 'deployment' ? 'deployment' : object.kind.toLowerCase()}`,
      ),
    );
  }
  try {
    if (!labelSelectorOf(selector).matches(labels)) {
      errors.push(FieldError.invalidGo('spec.template.metadata.labels', goMap(labels), '`selector` does not match template `labels`'));
    }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    errors.push(FieldError.invalid('spec.selector', selector, error.message));
  }
  errors.push(
    ...validateLabels(labels, 'spec.template.labels'),
    ...validateAnnotations(template.metadata?.annotations, 'spec.template.annotations'),
  );
  errors.push(...validatePodSpec(template.spec ?? {}, 'spec.template.spec'));
  if (
    rules.needsAlwaysRestart &&
    (template.spec?.['restartPolicy'] ?? 'Always') !== 'Always' &&
    ['OnFailure', 'Never'].includes(String(template.spec?.['restartPolicy']))
  ) {
    errors.push(FieldError.notSupported('spec.template.spec.restartPolicy', template.spec?.['restartPolicy'], ['Always']));
  }
  return errors;
}

/** A map as Go's %#v prints it. */
function goMap(labels: Readonly<Record<string, string>> | undefined): string {
  if (labels === undefined || Object.keys(labels).length === 0) return 'map[string]string(nil)';
  const members = Object.keys(labels)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(labels[key])}`);
  return `map[string]string{${members.join(', ')}}`;
}

function immutableSelector(next: KubeObject, current: KubeObject): readonly FieldError[] {
  const [ours, theirs] = [specOf(next)['selector'] as LabelSelectorSpec, specOf(current)['selector'] as LabelSelectorSpec];
  if (isDeepEqual(ours, theirs)) return [];
  return [FieldError.invalidGo('spec.selector', goSelector(ours), 'field is immutable')];
}

function goSelector(selector: LabelSelectorSpec | undefined): string {
  if (selector === undefined || selector === null) return '(*v1.LabelSelector)(nil)';
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `v1.LabelSelectorRequirement{Key:${JSON.stringify(key)}, Operator:${JSON.stringify(operator)}, Values:[]string{${(values ?? []).map((value) => JSON.stringify(value)).join(', ')}}}`,
  );
  const shown =
    expressions.length === 0 ? '[]v1.LabelSelectorRequirement(nil)' : `[]v1.LabelSelectorRequirement{${expressions.join(', ')}}`;
  return `v1.LabelSelector{MatchLabels:${goMap(selector.matchLabels ?? undefined)}, MatchExpressions:${shown}}`;
}
