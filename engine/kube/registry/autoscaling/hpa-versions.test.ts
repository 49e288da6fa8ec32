import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Loose, type Rules } from '../rules-harness.ts';

let rules: Rules;
beforeAll(async () => {
  rules = await openRules(() => setImmediate());
});
afterAll(() => rules[Symbol.asyncDispose]());

const PREFIX = 'autoscaling.alpha.kubernetes.io';
const at = (version: string, name: string): string => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers/${name}`;
const read = async (version: string, name: string): Promise<Loose> => (await rules.request('GET', at(version, name))).body;
const annotations = async (name: string): Promise<Readonly<Record<string, string>>> =>
  ((await read('v1', name))['metadata']!['annotations'] ?? {}) as unknown as Record<string, string>;

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const create = (version: string, name: string, spec: object, more: object = {}): Promise<{ readonly words: string }> =>
  rules.create({
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, ...more },
    spec: { scaleTargetRef, maxReplicas: 3, ...spec },
  });
const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } } };

describe('an autoscaler', () => {
  it('that names no metric looks at the CPU, whichever version made it', async () => {
    for (const version of ['v1', 'v2beta1', 'v2beta2']) {
      const name = `plain-${version}`;
      expect((await create(version, name, {})).words).toBe('ok');
      expect((await read('v1', name))['spec']).toMatchObject({ minReplicas: 1, targetCPUUtilizationPercentage: 80 });
      expect(await annotations(name)).toEqual({});
    }
  });

  it('shows v1 what it has no fields for as annotations, named as upstream names them', async () => {
    const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } };
    expect((await create('v2beta2', 'rich', { metrics: [memory], behavior })).words).toBe('ok');
    expect(await annotations('rich')).toEqual({
      [`${PREFIX}/metrics`]: '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"100Mi"}}]',
      [`${PREFIX}/behavior`]:
        '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}]},"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}]}}',
    });
    expect((await read('v2beta2', 'rich'))['metadata']).not.toHaveProperty('annotations');
    expect(Object.keys((await read('v2beta1', 'rich'))['metadata']!['annotations']!)).toEqual([`${PREFIX}/behavior`]);
  });

  it('keeps its spec when its status is written, and its status when its spec is', async () => {
    expect((await create('v2beta2', 'both', { metrics: [memory] })).words).toBe('ok');
    const one = (await read('v2beta2', 'both')) as unknown as { spec: object; status: object };
    const conditions = [{ type: 'ScalingActive', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'R', message: 'm' }];
    const status = { currentReplicas: 2, desiredReplicas: 2, currentMetrics: null, conditions };
    expect((await rules.update({ ...one, spec: { ...one.spec, metrics: [] }, status }, 'status')).words).toBe('ok');
    const after = (await read('v2beta2', 'both')) as unknown as { spec: object };
    expect(after).toMatchObject({ spec: { metrics: [memory] }, status: { conditions } });
    expect((await rules.update({ ...after, spec: { ...after.spec, maxReplicas: 9 }, status: {} })).words).toBe('ok');
    expect(await read('v2beta2', 'both')).toMatchObject({
      spec: { maxReplicas: 9, metrics: [memory] },
      status: { currentReplicas: 2, conditions },
    });
  });

  it('is not upset by annotations that stand for nothing', async () => {
    for (const [index, text] of ['{', '5', '[5]', '[{"type":7}]', '{"ScaleUp":3}'].entries()) {
      const given = Object.fromEntries(['metrics', 'behavior', 'current-metrics', 'conditions'].map((name) => [`${PREFIX}/${name}`, text]));
      const { words } = await create('v1', `odd-${index}`, { targetCPUUtilizationPercentage: 50 }, { annotations: given });
      if (words !== 'ok') continue;
      for (const version of ['v1', 'v2beta1', 'v2beta2']) expect((await rules.request('GET', at(version, `odd-${index}`))).code).toBe(200);
    }
  });
});
