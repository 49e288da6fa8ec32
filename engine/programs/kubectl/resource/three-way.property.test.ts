import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMergePatch } from '../../../kube/machinery/json-patch.ts';
import { applyStrategicMergePatch } from '../../../kube/machinery/strategic-merge.ts';
import { threeWayMerge, threeWayStrategic } from './strategic-merge.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

type Json = Record<string, unknown>;

const LABELS = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { maxKeys: 3, noNullPrototype: true });
const CONTAINER = fc.record(
  {
    name: fc.constantFrom('x', 'y', 'z'),
    image: fc.constantFrom('nginx', 'httpd'),
    args: fc.array(fc.constantFrom('-a', '-b'), { minLength: 1, maxLength: 2 }),
    env: fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B'), value: fc.constantFrom('1', '2') }), {
      selector: (each) => each.name,
      minLength: 1,
      maxLength: 2,
    }),
  },
  { requiredKeys: ['name', 'image'] },
);
const CONFIG: fc.Arbitrary<Json> = fc
  .record({
    labels: LABELS,
    replicas: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
    containers: fc.uniqueArray(CONTAINER, { minLength: 1, maxLength: 3, selector: (each) => each.name }),
  })
  .map(({ labels, replicas, containers }) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels },
    spec: { ...(replicas === undefined ? {} : { replicas }), template: { spec: { containers } } },
  }));

interface Deployment {
  readonly metadata: { readonly labels?: Json; readonly annotations?: Json };
  readonly spec: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly template: { readonly spec: { readonly containers: readonly Json[] } };
  };
  readonly status?: unknown;
}

/** What the cluster adds to what was applied. */
function lived(original: Json): Json {
  const { metadata, spec } = original as unknown as Deployment;
  const containers = spec.template.spec.containers.map((container) => ({ ...container, imagePullPolicy: 'Always' }));
  return {
    ...original,
    metadata: { ...metadata, labels: { ...metadata.labels, live: 'yes' }, annotations: { revision: '1' } },
    spec: { ...spec, paused: true, template: { spec: { containers: [...containers, { name: 'sidecar', image: 'proxy' }] } } },
    status: { replicas: 1 },
  };
}

describe("apply's three-way patch", () => {
  it('strategic: gives what is wanted and leaves what only the cluster has', () => {
    fc.assert(
      fc.property(CONFIG, CONFIG, (original, modified) => {
        const current = lived(original);
        const result = applyStrategicMergePatch(
          current,
          threeWayStrategic(original, modified, current),
          'apps/v1.Deployment',
        ) as unknown as Deployment;
        const wanted = modified as unknown as Deployment;
        expect(result.metadata.labels).toEqual({ ...wanted.metadata.labels, live: 'yes' });
        expect(result.metadata.annotations).toEqual({ revision: '1' });
        expect(result.spec.replicas).toBe(wanted.spec.replicas);
        expect(result.spec.paused).toBe(true);
        expect(result.status).toEqual({ replicas: 1 });
        const { containers } = result.spec.template.spec;
        const names = wanted.spec.template.spec.containers.map(({ name }) => name);
        // In the order of the file; the sidecar is somewhere between.
        expect(containers.map(({ name }) => name).filter((name) => name !== 'sidecar')).toEqual(names);
        expect(containers).toContainEqual({ name: 'sidecar', image: 'proxy' });
        for (const container of wanted.spec.template.spec.containers) {
          const { imagePullPolicy: _policy, ...rest } = containers.find(({ name }) => name === container['name'])!;
          expect(rest).toEqual(container);
        }
        expect(threeWayStrategic(modified, modified, result as unknown as Json)).toEqual({});
      }),
      { numRuns: 500 },
    );
  });

  it('merge: gives what is wanted and leaves what only the cluster has', () => {
    fc.assert(
      fc.property(CONFIG, CONFIG, (original, modified) => {
        const current = lived(original);
        const result = applyMergePatch(current, threeWayMerge(original, modified, current)) as Deployment;
        const wanted = modified as unknown as Deployment;
        expect(result.metadata.labels).toEqual({ ...wanted.metadata.labels, live: 'yes' });
        expect(result.spec).toEqual({ ...wanted.spec, paused: true });
        expect(result.status).toEqual({ replicas: 1 });
      }),
    );
  });
});
