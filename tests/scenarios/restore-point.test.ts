// What a restored snapshot replaced is not lost: the automatic restore point leads back to it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildHost, DrivenProcess } from '../support/driven.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'nobox-points-'));

describe('restore points', () => {
  beforeAll(buildHost, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lead back to the broken lab after a snapshot was restored, also from a lab that was opened again', async () => {
    const state = path.join(folder, 'lab.nobox');
    const before = new DrivenProcess(state);
    await before.run('m-k8s', 'echo whole > /root/state');
    await before.ask({ snapshot: 'save', name: 'whole' });
    await before.run('m-k8s', 'echo broken > /root/state; kubectl cordon w1-k8s');
    await before.run('w2-k8s', 'iptables -I INPUT -s 203.0.113.7 -j DROP; modprobe -r br_netfilter');
    await before.run('w3-k8s', 'systemctl stop docker');
    await before.ask({ snapshot: 'restore', name: 'whole' });
    expect(await before.run('m-k8s', 'cat /root/state')).toBe('whole\n');
    expect(await before.run('w3-k8s', 'systemctl is-active docker')).toBe('active\n');
    expect(await before.end()).toBe(0);

    const after = new DrivenProcess(state);
    const { points = [] } = await after.ask({ snapshot: 'points' });
    const broken = points.find(({ label }) => label === 'restore "whole"');
    expect(broken).toBeDefined();
    expect(await after.ask({ snapshot: 'restore-point', revision: broken!.revision })).not.toHaveProperty('error');
    expect(await after.run('m-k8s', 'cat /root/state; kubectl get nodes w1-k8s --no-headers | cut -c-40')).toMatch(
      /^broken\nw1-k8s +Ready,SchedulingDisabled/,
    );
    expect(await after.run('w2-k8s', 'iptables -S INPUT 1; lsmod | grep -c br_netfilter')).toBe('-A INPUT -s 203.0.113.7/32 -j DROP\n0\n');
    expect(await after.run('w3-k8s', 'systemctl is-active docker')).toBe('inactive\n');

    // And back again: what was left by that is a point as well.
    expect(await after.ask({ snapshot: 'restore', name: 'whole' })).not.toHaveProperty('error');
    expect(await after.run('w2-k8s', 'iptables -S INPUT 1; lsmod | grep -c "^br_netfilter"')).not.toContain('203.0.113.7');
    expect(await after.run('m-k8s', 'kubectl get nodes --no-headers | grep -c " Ready "')).toBe('4\n');
    expect(await after.ask({ snapshot: 'restore-point', revision: 999_999 })).toHaveProperty('error', 'there is no restore point 999999');
    expect(after.errors).toBe('');
    expect(await after.end()).toBe(0);
  }, 120_000);
});
