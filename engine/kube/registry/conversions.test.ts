import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalize } from '../machinery/schema/codec.ts';
import { structOf } from '../machinery/schema/schema.ts';
import type { ApiObject } from './definition.ts';
import { BUILT_IN } from './index.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const amount = fc.constantFrom('1', '500m', '2Gi', '100Mi', '3k');
const percent = fc.integer({ min: 1, max: 100 });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const identifier = fc.record({ name, selector: maybe(fc.record({ matchLabels: fc.dictionary(name, name, { maxKeys: 2 }) })) });
const described = fc.record({ kind: name, name, apiVersion: maybe(fc.constant('v1')) });
const averageTarget = amount.map((averageValue) => ({ type: 'AverageValue', averageValue }));
const valueTarget = amount.map((value) => ({ type: 'Value', value }));
const resource = (names: readonly string[]): fc.Arbitrary<object> =>
  fc.record({
    name: fc.constantFrom(...names),
    target: fc.oneof(
      averageTarget,
      percent.map((averageUtilization) => ({ type: 'Utilization', averageUtilization })),
    ),
  });
const metric = fc.oneof(
  resource(['memory', 'nvidia.com/gpu']).map((given) => ({ type: 'Resource', resource: given })),
  fc.record({ metric: identifier, target: averageTarget }).map((pods) => ({ type: 'Pods', pods })),
  fc.record({ metric: identifier, describedObject: described, target: valueTarget }).map((object) => ({ type: 'Object', object })),
  fc.record({ metric: identifier, target: fc.oneof(averageTarget, valueTarget) }).map((external) => ({ type: 'External', external })),
);
const policies = fc.array(fc.record({ type: fc.constantFrom('Pods', 'Percent'), value: percent, periodSeconds: percent }), {
  minLength: 1,
  maxLength: 3,
});
const scalingRules = fc.record({
  stabilizationWindowSeconds: fc.integer({ min: 0, max: 3600 }),
  selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
  policies,
});
const condition = fc.record({
  type: fc.constantFrom('AbleToScale', 'ScalingActive'),
  status: fc.constantFrom('True', 'False'),
  reason: name,
  message: name,
});

const autoscaler = fc.record({
  metadata: fc.record({ name, annotations: maybe(fc.dictionary(name, name, { minKeys: 1, maxKeys: 2 })) }),
  spec: fc.record({
    scaleTargetRef: described,
    minReplicas: percent,
    maxReplicas: percent,
    metrics: fc
      .tuple(fc.array(metric, { maxLength: 3 }), percent)
      // The one CPU metric that v1 has a field for comes last when it comes back.
      .map(([others, averageUtilization]) => [
        ...others,
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } },
      ]),
    behavior: maybe(fc.record({ scaleUp: scalingRules, scaleDown: scalingRules })),
  }),
  status: fc.record({
    currentReplicas: percent,
    desiredReplicas: percent,
    currentMetrics: fc.constantFrom(null, [
      { type: 'Resource', resource: { name: 'cpu', current: { averageValue: '10m', averageUtilization: 7 } } },
    ]),
    conditions: fc.array(condition, { minLength: 1, maxLength: 2 }),
  }),
});

const backend = fc.oneof(
  fc
    .record({
      name,
      port: fc.oneof(
        percent.map((number) => ({ number })),
        name.map((portName) => ({ name: portName })),
      ),
    })
    .map((service) => ({ service })),
  fc.record({ apiGroup: fc.constant('example.com'), kind: name, name }).map((target) => ({ resource: target })),
);
const ingress = fc.record({
  metadata: fc.record({ name }),
  spec: fc.record({
    defaultBackend: maybe(backend),
    ingressClassName: maybe(name),
    rules: fc.array(
      fc.record({
        host: maybe(name),
        http: fc.record({
          paths: fc.array(
            fc.record({
              path: maybe(name.map((each) => `/${each}`)),
              pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific'),
              backend,
            }),
            {
              minLength: 1,
              maxLength: 3,
            },
          ),
        }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
});

const event = fc.record({
  metadata: fc.record({ name }),
  involvedObject: fc.record({ kind: name, name }),
  message: name,
  reason: name,
  type: fc.constantFrom('Normal', 'Warning'),
  source: fc.record({ component: name, host: maybe(name) }),
  firstTimestamp: fc.constant('2026-01-01T00:00:00Z'),
  lastTimestamp: fc.constant('2026-01-01T00:10:00Z'),
  eventTime: fc.constantFrom(null, '2026-01-01T00:00:00.000001Z'),
  count: percent,
  reportingComponent: name,
});

const request = (plural: string, group: string): { readonly served: (typeof BUILT_IN)[number]; readonly stored: string } => {
  const served = BUILT_IN.find((each) => each.plural === plural && each.group === group)!;
  return { served, stored: structOf(served.group, served.version, served.kind)! };
};

/** Without members that are undefined, as JSON has it. */
const plain = (value: object): ApiObject => JSON.parse(JSON.stringify(value)) as ApiObject;

describe('an object that is stored and read back in the same version', () => {
  /** Written in `version`, stored, and read in `version` again, it is what it was. */
  const keeps = (plural: string, group: string, version: string, made: fc.Arbitrary<object>, times = 150): void => {
    const { served: definition, stored } = request(plural, group);
    const served = definition.alsoServedAs.find((each) => `${each.group}/${each.version}` === version)!;
    const struct = structOf(served.group, served.version, definition.kind)!;
    fc.assert(
      fc.property(made, (given) => {
        const written = normalize(struct, plain(given));
        const kept = normalize(stored, served.toStorage!(structuredClone(written)));
        expect(normalize(struct, served.fromStorage!(kept))).toEqual(written);
      }),
      { numRuns: times, seed: 20 },
    );
  };
  /** Stored, shown in `version` and written back from there, it is what it was. */
  const survives = (plural: string, group: string, version: string, made: fc.Arbitrary<object>): void => {
    const { served: definition, stored } = request(plural, group);
    const served = definition.alsoServedAs.find((each) => `${each.group}/${each.version}` === version)!;
    const struct = structOf(served.group, served.version, definition.kind)!;
    fc.assert(
      fc.property(made, (given) => {
        const kept = normalize(stored, plain(given));
        const shown = normalize(struct, served.fromStorage!(structuredClone(kept)));
        expect(normalize(stored, served.toStorage!(shown))).toEqual(kept);
      }),
      { numRuns: 150, seed: 20 },
    );
  };

  it('is unchanged: autoscalers of v2beta2', () => keeps('horizontalpodautoscalers', 'autoscaling', 'autoscaling/v2beta2', autoscaler));
  it('is unchanged on its way through v2beta1: autoscalers', () => {
    const { served: definition, stored } = request('horizontalpodautoscalers', 'autoscaling');
    const [beta1, beta2] = definition.alsoServedAs;
    fc.assert(
      fc.property(autoscaler, (given) => {
        const kept = normalize(stored, beta2!.toStorage!(normalize('autoscaling/v2beta2.HorizontalPodAutoscaler', plain(given))));
        const shown = normalize('autoscaling/v2beta1.HorizontalPodAutoscaler', beta1!.fromStorage!(structuredClone(kept)));
        expect(normalize(stored, beta1!.toStorage!(shown))).toEqual(kept);
      }),
      { numRuns: 150, seed: 21 },
    );
  });
  for (const version of ['networking.k8s.io/v1beta1', 'extensions/v1beta1'])
    it(`is unchanged on its way through ${version}: ingresses`, () => survives('ingresses', 'networking.k8s.io', version, ingress));
  for (const version of ['events.k8s.io/v1', 'events.k8s.io/v1beta1'])
    it(`is unchanged on its way through ${version}: events`, () => survives('events', '', version, event));
});
