import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Rules } from '../registry/rules-harness.ts';

const GROUP = '/apis/flowcontrol.apiserver.k8s.io/v1beta1';
let rules: Rules;
beforeAll(async () => {
  rules = await openRules(() => setImmediate());
});
afterAll(() => rules[Symbol.asyncDispose]());

const names = async (resource: string): Promise<readonly string[]> =>
  ((await rules.request('GET', `${GROUP}/${resource}`)).body['items']! as unknown as { metadata: { name: string } }[]).map(
    (item) => item.metadata.name,
  );
const dangling = async (name: string): Promise<readonly unknown[]> => {
  const { body } = await rules.request('GET', `${GROUP}/flowschemas/${name}`);
  const { conditions } = body['status'] as unknown as { conditions: { type: string; status: string; reason: string; message: string }[] };
  return conditions.map(({ type, status, reason, message }) => [type, status, reason, message]);
};

describe('flow schemas', () => {
  it('are there from the start, with their priority levels', async () => {
    expect(await names('flowschemas')).toHaveLength(10);
    expect(await names('prioritylevelconfigurations')).toEqual([
      'catch-all',
      'exempt',
      'global-default',
      'leader-election',
      'system',
      'workload-high',
      'workload-low',
    ]);
  });

  it('say whether their priority level is there', async () => {
    expect(await dangling('system-nodes')).toEqual([
      ['Dangling', 'False', 'Found', 'This FlowSchema references the PriorityLevelConfiguration object named "system" and it exists'],
    ]);
    await rules.request('DELETE', `${GROUP}/prioritylevelconfigurations/system`);
    await rules.api.clock.advance(1000);
    expect(await dangling('system-nodes')).toEqual([
      [
        'Dangling',
        'True',
        'NotFound',
        'This FlowSchema references the PriorityLevelConfiguration object named "system" but there is no such object',
      ],
    ]);
  });

  it('come back within a minute when the server cannot do without them, and only then', async () => {
    for (const name of ['exempt', 'catch-all', 'service-accounts']) await rules.request('DELETE', `${GROUP}/flowschemas/${name}`);
    await rules.api.clock.advance(75_000);
    const left = await names('flowschemas');
    expect(left).toEqual(expect.arrayContaining(['exempt', 'catch-all']));
    expect(left).not.toContain('service-accounts');
    expect(await names('prioritylevelconfigurations')).not.toContain('system');
  });
});
