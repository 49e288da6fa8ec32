import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Loose, type Rules } from './rules-harness.ts';

let rules: Rules;
beforeAll(async () => void (rules = await openRules(() => setImmediate())));
afterAll(() => rules[Symbol.asyncDispose]());

const POD = { containers: [{ name: 'c', image: 'nginx:1' }] };
const TEMPLATE = { metadata: { labels: { app: 'x' } }, spec: POD };
const SELECTOR = { matchLabels: { app: 'x' } };
const make =
  (apiVersion: string, kind: string, base: object) =>
  (spec: object = {}, metadata: object = {}): object => ({
    apiVersion,
    kind,
    metadata: { name: 'x', ...metadata },
    spec: { ...base, ...spec },
  });
const deployment = make('apps/v1', 'Deployment', { selector: SELECTOR, template: TEMPLATE });
const replicaSet = make('apps/v1', 'ReplicaSet', { selector: SELECTOR, template: TEMPLATE });
const daemonSet = make('apps/v1', 'DaemonSet', { selector: SELECTOR, template: TEMPLATE });
const statefulSet = make('apps/v1', 'StatefulSet', { selector: SELECTOR, template: TEMPLATE, serviceName: 's' });
const controller = make('v1', 'ReplicationController', { selector: { app: 'x' }, template: TEMPLATE });
const ENDS = { ...POD, restartPolicy: 'Never' };
const job = make('batch/v1', 'Job', { template: { spec: ENDS } });
const cron = make('batch/v1beta1', 'CronJob', { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: ENDS } } } });
const budget = make('policy/v1beta1', 'PodDisruptionBudget', { selector: SELECTOR });
const scaler = make('autoscaling/v1', 'HorizontalPodAutoscaler', { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'x' } });
const scaler2 = make('autoscaling/v2beta2', 'HorizontalPodAutoscaler', {
  maxReplicas: 3,
  scaleTargetRef: { kind: 'Deployment', name: 'x' },
});
const priority = (fields: object, name = 'x'): object => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  ...fields,
});
const ANY = { rule: 'RunAsAny' };
const policy = make('policy/v1beta1', 'PodSecurityPolicy', { seLinux: ANY, runAsUser: ANY, supplementalGroups: ANY, fsGroup: ANY });
const rolling = (rollingUpdate: object): object => ({ strategy: { type: 'RollingUpdate', rollingUpdate } });
const scheduled = (schedule: string): object => cron({ schedule });

const NEGATIVE = 'must be greater than or equal to 0';
const PERCENT = `a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`;
const MISMATCH = (labels: string, path = 'spec.template'): string =>
  `${path}.metadata.labels: Invalid value: ${labels}: \`selector\` does not match template \`labels\``;
const NO_SELECTOR = 'v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}';
const CANNOT_RESTART = 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"';
const intstr = (value: string): string => `intstr.IntOrString{Type:1, IntVal:0, StrVal:"${value}"}`;

type Row = readonly [name: string, object: object, ...want: readonly string[]];

const DEPLOYMENTS: readonly Row[] = [
  ['one as it should be', deployment()],
  ['fewer than none', deployment({ replicas: -1 }), `spec.replicas: Invalid value: -1: ${NEGATIVE}`],
  ['no selector', deployment({ selector: undefined }), 'spec.selector: Required value', MISMATCH('map[string]string{"app":"x"}')],
  [
    'a selector of nothing',
    deployment({ selector: {} }),
    `spec.selector: Invalid value: ${NO_SELECTOR}: empty selector is invalid for deployment`,
  ],
  ['other labels', deployment({ selector: { matchLabels: { app: 'y' } } }), MISMATCH('map[string]string{"app":"x"}')],
  ['no template', deployment({ template: {} }), MISMATCH('map[string]string(nil)'), 'spec.template.spec.containers: Required value'],
  [
    'a selector that is none',
    deployment({ selector: { matchExpressions: [{ key: 'app', operator: 'Is' }] } }),
    'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"app", Operator:"Is", Values:[]string(nil)}}}: invalid label selector',
  ],
  ['pods that end', deployment({ template: { ...TEMPLATE, spec: ENDS } }), CANNOT_RESTART],
  [
    'pods with a deadline',
    deployment({ template: { ...TEMPLATE, spec: { ...POD, activeDeadlineSeconds: 5 } } }),
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
  ],
  [
    'a strategy that is none',
    deployment({ strategy: { type: 'Blue' } }),
    'spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:"Blue", RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: "Recreate", "RollingUpdate"',
  ],
  [
    'a roll of what is made anew',
    deployment({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ],
  [
    'no room to roll',
    deployment(rolling({ maxSurge: 0, maxUnavailable: '0%' })),
    `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: ${intstr('0%')}: may not be 0 when \`maxSurge\` is 0`,
  ],
  [
    'more room than there is',
    deployment(rolling({ maxUnavailable: '101%' })),
    `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: ${intstr('101%')}: must not be greater than 100%`,
  ],
  [
    'room in words',
    deployment(rolling({ maxSurge: 'some', maxUnavailable: -1 })),
    `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: -1: ${NEGATIVE}`,
    `spec.strategy.rollingUpdate.maxSurge: Invalid value: ${intstr('some')}: ${PERCENT}`,
  ],
  [
    'a deadline that cannot be met',
    deployment({ minReadySeconds: 600 }),
    'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
  ],
  [
    'a faulty pod',
    deployment({ template: { ...TEMPLATE, spec: { containers: [{ name: 'C', image: '' }] } } }),
    expect.stringContaining('spec.template.spec.containers[0].name: Invalid value: "C"') as unknown as string,
  ],
];

const SETS: readonly Row[] = [
  [
    'a replica set without selector',
    replicaSet({ selector: {} }),
    `spec.selector: Invalid value: ${NO_SELECTOR}: empty selector is invalid for deployment`,
  ],
  ['a replica set that is early', replicaSet({ minReadySeconds: -1 }), `spec.minReadySeconds: Invalid value: -1: ${NEGATIVE}`],
  [
    'a daemon set without selector',
    daemonSet({ selector: {} }),
    `spec.selector: Invalid value: ${NO_SELECTOR}: empty selector is invalid for daemonset`,
  ],
  [
    'a daemon set that asks for other labels',
    daemonSet({ selector: { matchLabels: { app: 'y' } } }),
    MISMATCH('map[string]string{"app":"x"}'),
  ],
  ['daemons that end', daemonSet({ template: { ...TEMPLATE, spec: ENDS } }), CANNOT_RESTART],
  [
    'daemons that may none be away',
    daemonSet({ updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: cannot be 0',
  ],
  [
    'daemons renewed by another strategy',
    daemonSet({ updateStrategy: { type: 'X' } }),
    'spec.updateStrategy: Unsupported value: apps.DaemonSetUpdateStrategy{Type:"X", RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}: supported values: "RollingUpdate", "OnDelete"',
  ],
  [
    'a disk that daemons write to',
    daemonSet({ template: { ...TEMPLATE, spec: { ...POD, volumes: [{ name: 'v', gcePersistentDisk: { pdName: 'd' } }] } } }),
    'spec.template.spec.volumes[0].gcePersistentDisk.readOnly: Invalid value: false: must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is read-only',
  ],
  [
    'a stateful set without selector',
    statefulSet({ selector: {} }),
    `spec.selector: Invalid value: ${NO_SELECTOR}: empty selector is invalid for statefulset`,
  ],
  [
    'a stateful set managed otherwise',
    statefulSet({ podManagementPolicy: 'X' }),
    `spec.podManagementPolicy: Invalid value: "X": must be 'OrderedReady' or 'Parallel'`,
  ],
  [
    'a stateful set renewed otherwise',
    statefulSet({ updateStrategy: { type: 'X' } }),
    `spec.updateStrategy: Invalid value: apps.StatefulSetUpdateStrategy{Type:"X", RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: must be 'RollingUpdate' or 'OnDelete'`,
  ],
  ['a negative partition', statefulSet({ updateStrategy: { rollingUpdate: { partition: -1 } } })],
  [
    'a negative partition of a roll',
    statefulSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: -1 } } }),
    `spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: ${NEGATIVE}`,
  ],
  [
    'mounts of claims to come',
    statefulSet({
      template: { ...TEMPLATE, spec: { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] } },
    }),
  ],
  [
    'a controller without template',
    controller({ template: undefined, selector: {} }),
    'spec.selector: Required value',
    'spec.template: Required value',
  ],
  ['a controller of other pods', controller({ selector: { app: 'y' } }), MISMATCH('map[string]string{"app":"x"}')],
  [
    'a controller of pods that end',
    controller({ template: { ...TEMPLATE, spec: { ...ENDS, activeDeadlineSeconds: 1 } } }),
    CANNOT_RESTART,
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
  ],
];

const JOBS: readonly Row[] = [
  ['a job as it should be', job()],
  [
    'a job that restarts for ever',
    job({ template: { spec: POD } }),
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    'a job that restarts sometimes',
    job({ template: { spec: { ...POD, restartPolicy: 'X' } } }),
    'spec.template.spec.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    'negative counts',
    job({ parallelism: -1, completions: -2, backoffLimit: -3, activeDeadlineSeconds: -4 }),
    `spec.parallelism: Invalid value: -1: ${NEGATIVE}`,
    `spec.completions: Invalid value: -2: ${NEGATIVE}`,
    `spec.activeDeadlineSeconds: Invalid value: -4: ${NEGATIVE}`,
    `spec.backoffLimit: Invalid value: -3: ${NEGATIVE}`,
  ],
  ['a selector by hand without any', job({ manualSelector: true }), 'spec.selector: Required value', MISMATCH('map[string]string(nil)')],
  ['a selector by hand', job({ manualSelector: true, selector: SELECTOR, template: { metadata: { labels: { app: 'x' } }, spec: ENDS } })],
  ['a cron job as it should be', cron()],
  ['a cron job of 52 characters', cron({}, { name: 'a'.repeat(52) })],
  [
    'a cron job of 53 characters',
    cron({}, { name: 'a'.repeat(53) }),
    `metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`,
  ],
  ['no schedule', scheduled(''), 'spec.schedule: Required value'],
  ['four fields', scheduled('* * * *'), 'spec.schedule: Invalid value: "* * * *": Expected exactly 5 fields, found 4: * * * *'],
  ['the sixtieth minute', scheduled('60 * * * *'), 'spec.schedule: Invalid value: "60 * * * *": End of range (60) above maximum (59): 60'],
  ['day 0', scheduled('* * 0 * *'), 'spec.schedule: Invalid value: "* * 0 * *": Beginning of range (0) below minimum (1): 0'],
  [
    'a word',
    scheduled('a * * * *'),
    'spec.schedule: Invalid value: "a * * * *": Failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax',
  ],
  ['names', scheduled('0 0 1 jan-mar mon,FRI')],
  [
    'steps of nothing',
    scheduled('*/0 * * * *'),
    'spec.schedule: Invalid value: "*/0 * * * *": Step of range should be a positive number: */0',
  ],
  [
    'a range backwards',
    scheduled('5-3 * * * *'),
    'spec.schedule: Invalid value: "5-3 * * * *": Beginning of range (5) beyond end of range (3): 5-3',
  ],
  ['a descriptor', scheduled('@daily')],
  ['a descriptor that is none', scheduled('@never'), 'spec.schedule: Invalid value: "@never": Unrecognized descriptor: @never'],
  ['every so often', scheduled('@every 1h30m')],
  [
    'a policy that is none',
    cron({ concurrencyPolicy: 'X' }),
    'spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    'a selector for jobs to come',
    cron({ jobTemplate: { spec: { selector: {}, manualSelector: true, template: { spec: ENDS } } } }),
    `spec.jobTemplate.spec.selector: Invalid value: ${NO_SELECTOR}: \`selector\` will be auto-generated`,
    'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
  ],
  [
    'a negative history',
    cron({ successfulJobsHistoryLimit: -1, startingDeadlineSeconds: -1 }),
    `spec.startingDeadlineSeconds: Invalid value: -1: ${NEGATIVE}`,
    `spec.successfulJobsHistoryLimit: Invalid value: -1: ${NEGATIVE}`,
  ],
];

const POLICIES: readonly Row[] = [
  [
    'a budget of both kinds',
    budget({ minAvailable: 1, maxUnavailable: 1 }),
    'spec: Invalid value: policy.PodDisruptionBudgetSpec{MinAvailable:(*intstr.IntOrString)(0xc0*), Selector:(*v1.LabelSelector)(0xc0*), MaxUnavailable:(*intstr.IntOrString)(0xc0*)}: minAvailable and maxUnavailable cannot be both set',
  ],
  [
    'a budget of more than all',
    budget({ minAvailable: '110%' }),
    `spec.minAvailable: Invalid value: ${intstr('110%')}: must not be greater than 100%`,
  ],
  ['a budget in words', budget({ maxUnavailable: 'one' }), `spec.maxUnavailable: Invalid value: ${intstr('one')}: ${PERCENT}`],
  [
    'a scaler to nothing',
    scaler({ maxReplicas: 0 }),
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
  ],
  ['a scaler from nothing', scaler({ minReplicas: 0 }), 'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1'],
  [
    'a scaler of nothing',
    scaler({ scaleTargetRef: { kind: '', name: 'a/b' } }),
    'spec.scaleTargetRef.kind: Required value',
    `spec.scaleTargetRef.name: Invalid value: "a/b": may not contain '/'`,
  ],
  [
    'a scaler of no use',
    scaler({ targetCPUUtilizationPercentage: 0 }),
    'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
  ],
  [
    'a metric of no type',
    scaler2({ metrics: [{ type: 'Luck', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] }),
    expect.stringContaining(
      'spec.metrics[0].type: Unsupported value: "Luck": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
    ) as unknown as string,
  ],
  [
    'a target of both kinds',
    scaler2({
      metrics: [
        { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 50, averageValue: '1' } } },
      ],
    }),
    'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
  ],
  [
    'scaling without policies',
    scaler2({ behavior: { scaleUp: { stabilizationWindowSeconds: 3601, policies: [{ type: 'X', value: 0, periodSeconds: 1801 }] } } }),
    'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
    'spec.behavior.scaleUp.policies[0].type: Unsupported value: "X": supported values: "Pods", "Percent"',
    'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
    'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
  ],
  [
    'a class above all',
    priority({ value: 1_000_000_001 }),
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ],
  [
    'a class of the system',
    priority({ value: 1 }, 'system-mine'),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ],
  [
    'a class that does not preempt so',
    priority({ value: 1, preemptionPolicy: 'X' }),
    'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
  ],
  ['a policy as it should be', policy()],
  [
    'a policy for users that is none',
    policy({ runAsUser: { rule: 'X', ranges: [{ min: 5, max: 1 }] } }),
    'spec.runAsUser.rule: Unsupported value: "X": supported values: "MustRunAs", "MustRunAsNonRoot", "RunAsAny"',
    'spec.runAsUser.ranges[0].min: Invalid value: 5: min cannot be greater than max',
  ],
  [
    'all capabilities but one',
    policy({ allowedCapabilities: ['*'], requiredDropCapabilities: ['A'], defaultAddCapabilities: ['A'] }),
    'requiredDropCapabilities: Invalid value: []core.Capability{"A"}: must be empty when all capabilities are allowed by a wildcard',
    'defaultAddCapabilities: Invalid value: "A": capability is listed in defaultAddCapabilities and requiredDropCapabilities',
  ],
  [
    'settings that are allowed and forbidden',
    policy({ allowedUnsafeSysctls: ['kernel.*'], forbiddenSysctls: ['kernel.msg'] }),
    'spec.forbiddenSysctls[0]: Invalid value: "kernel.msg": sysctl overlaps with kernel.*',
  ],
];

describe.each([
  ['deployments', DEPLOYMENTS],
  ['sets', SETS],
  ['jobs', JOBS],
  ['policies', POLICIES],
])('of %s', (_what, rows) => {
  it.each(rows.map(([name, object, ...want]) => ({ name, object, want })))('$name', async ({ object, want }) => {
    const wanted = want.length === 0 ? 'ok' : want.length === 1 ? want[0]! : `[${want.join(', ')}]`;
    expect((await rules.refusal(object)).replace(/0xc0[0-9a-f]+/g, '0xc0*')).toEqual(wanted);
  });
});

type Change = (spec: Record<string, unknown>) => void;

describe('what is there may not', () => {
  const refusalOf = async (object: object, change: Change, name: string): Promise<string> => {
    const named = { ...object, metadata: { name } };
    expect((await rules.create(named)).words).toBe('ok');
    const { body } = await rules.get(named);
    change(body.spec as unknown as Record<string, unknown>);
    const { words } = await rules.update(body);
    return words.replace(/^\S+ "[^"]*" is invalid: /, '').replace(/0xc0[0-9a-f]+/g, '0xc0*');
  };
  const OTHER = { matchLabels: { app: 'y' } };
  const other: Change = (spec) => Object.assign(spec, { selector: OTHER, template: { ...TEMPLATE, metadata: { labels: { app: 'y' } } } });
  const IMMUTABLE =
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"y"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable';
  const ONLY =
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template', and 'updateStrategy' are forbidden";

  it.each([
    ['select other pods (deployment)', deployment(), other, IMMUTABLE],
    ['select other pods (replica set)', replicaSet(), other, IMMUTABLE],
    ['select other pods (daemon set)', daemonSet(), other, IMMUTABLE],
    ['get another service (stateful set)', statefulSet(), ((spec) => (spec['serviceName'] = 'other')) as Change, ONLY],
    [
      'be fewer than none (stateful set)',
      statefulSet(),
      ((spec) => (spec['replicas'] = -1)) as Change,
      `spec.replicas: Invalid value: -1: ${NEGATIVE}`,
    ],
    [
      'be done more often (job)',
      job(),
      ((spec: Record<string, unknown>) => (spec['completions'] = 2)) as Change,
      'spec.completions: Invalid value: 2: field is immutable',
    ],
    [
      'be done once (job)',
      job({ completions: 3 }),
      ((spec: Record<string, unknown>) => delete spec['completions']) as unknown as Change,
      'spec.completions: Invalid value: "null": field is immutable',
    ],
  ])('%s', async (name, object, change, want) => {
    expect(await refusalOf(object, change, `u-${name.replace(/[^a-z]+/g, '-').replace(/-$/, '')}`)).toBe(want);
  });

  it('run other pods (job): the template is shown as Go has it', async () => {
    const words = await refusalOf(
      job(),
      (spec: object) => ((spec as unknown as Loose)['template']!['spec']!['containers']![0]!['image'] = 'httpd' as never),
      'u-job',
    );
    expect(words).toContain(
      'spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", GenerateName:"", Namespace:""',
    );
    expect(words).toContain('Containers:[]core.Container{core.Container{Name:"c", Image:"httpd", Command:[]string(nil)');
    expect(words).toContain('RestartPolicy:"Never", TerminationGracePeriodSeconds:(*int64)(0xc0*), ActiveDeadlineSeconds:(*int64)(nil)');
    expect(words).toMatch(/: field is immutable$/);
  });

  it('and all causes are told as often as they were found', async () => {
    const named = { ...replicaSet(), metadata: { name: 'causes' } };
    await rules.create(named);
    const { body } = await rules.get(named);
    (body.spec as unknown as { replicas: number }).replicas = -1;
    const { body: status } = await rules.update(body);
    expect(status.message).toBe(`ReplicaSet.apps "causes" is invalid: spec.replicas: Invalid value: -1: ${NEGATIVE}`);
    expect(status.details!.causes).toHaveLength(2);
  });
});

describe('a job gets', () => {
  it('labels with the name that is made for it', async () => {
    const { body } = await rules.create({ ...job(), metadata: { generateName: 'gen-' } }, '?dryRun=All');
    const { name, labels } = body.metadata as unknown as { name: string; labels: Record<string, string> };
    expect(labels).toMatchObject({ 'job-name': name });
  });

  it('a selector and labels with its own uid', async () => {
    const { body } = await rules.create(job());
    const { uid } = body.metadata as unknown as { uid: string };
    const spec = body.spec as unknown as Loose;
    expect(spec['selector']).toEqual({ matchLabels: { 'controller-uid': uid } });
    expect(spec['template']!['metadata']!['labels']).toEqual({ 'controller-uid': uid, 'job-name': 'x' });
  });

  it('no time to be cleaned up after, which is off', async () => {
    const { body } = await rules.create(job({ ttlSecondsAfterFinished: 5 }, { name: 'ttl' }));
    expect(body.spec).not.toHaveProperty('ttlSecondsAfterFinished');
  });
});

describe('defaults', () => {
  const specOf = async (object: object): Promise<Loose> => (await rules.create(object, '?dryRun=All')).body.spec as unknown as Loose;

  it('of deployments', async () => {
    expect(await specOf(deployment())).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    });
  });

  it('of stateful sets: claims are whole objects', async () => {
    const claims = [{ metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } } }];
    expect(await specOf(statefulSet({ volumeClaimTemplates: claims }))).toMatchObject({
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          spec: { volumeMode: 'Filesystem', resources: { requests: { storage: '1Gi' } } },
          status: { phase: 'Pending' },
        },
      ],
    });
  });

  it('of controllers: selector and labels are those of the template', async () => {
    const { body } = await rules.create(controller({ selector: undefined }), '?dryRun=All');
    expect(body.spec!['selector']).toEqual({ app: 'x' });
    expect((body.metadata as unknown as Loose)['labels']).toEqual({ app: 'x' });
  });

  it('count changes of a deployment’s annotations as new generations', async () => {
    const named = deployment({}, { name: 'noted' });
    await rules.create(named);
    const { body } = await rules.mergePatch(named, { metadata: { annotations: { a: 'b' } } });
    expect((body.metadata as unknown as Loose)['generation']).toBe(2);
  });
});

describe('bodies of subresources that do not fit', () => {
  const pods = '/api/v1/namespaces/default/pods/x';
  it.each([
    [
      'POST',
      `${pods}/binding`,
      { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'x' }, target: { name: 5 } },
      'Binding in version "v1" cannot be handled as a Binding: v1.Binding.Target: v1.ObjectReference.Name: ReadString: expects " or n, but found 5',
    ],
    [
      'POST',
      `${pods}/eviction`,
      { metadata: { name: 'x', labels: [] } },
      'Eviction in version "v1beta1" cannot be handled as a Eviction: v1beta1.Eviction.ObjectMeta: v1.ObjectMeta.Labels: ReadMapCB: expect { or n, but found [',
    ],
    [
      'PUT',
      '/apis/apps/v1/namespaces/default/deployments/scaled/scale',
      { metadata: { name: 'scaled' }, spec: { replicas: 'two' } },
      'Scale in version "v1" cannot be handled as a Scale: v1.Scale.Spec: v1.ScaleSpec.Replicas: readUint32: unexpected character: \ufffd',
    ],
    [
      'PUT',
      '/apis/apps/v1/namespaces/default/deployments/scaled/scale',
      { metadata: { name: 'scaled' }, spec: { replicas: -1 } },
      'Scale.autoscaling "scaled" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('%s %s', async (method, target, body, want) => {
    await rules.create(deployment({}, { name: 'scaled' }));
    expect((await rules.request(method, target, body)).words.replace(/, error found in .*$/s, '')).toBe(want);
  });
});
