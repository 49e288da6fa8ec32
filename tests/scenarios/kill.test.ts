// The host is killed hard while scripts create things on four machines: whatever had been answered is there afterwards.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRng } from '#engine/sim/rng.ts';
import { buildHost, DrivenProcess } from '../support/driven.ts';

/** The long form is NOBOX_KILLS=50. */
const KILLS = Number(process.env['NOBOX_KILLS'] ?? 8);
/** The longest a process may create things before it is killed. */
const LONGEST_MS = 400;
const SECONDS_PER_KILL = 30;

const folder = mkdtempSync(path.join(tmpdir(), 'nobox-kill-'));
const MACHINES = ['m-k8s', 'w1-k8s', 'w2-k8s', 'w3-k8s'] as const;

/** Creates on every machine at once until the process is killed; what is answered lands in `answered`. */
function createForever(lab: DrivenProcess, round: number, answered: { objects: string[]; files: Map<string, string[]> }): void {
  const objects = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      const name = `r${round}-${i}`;
      const { exit } = await lab.ask({ vm: 'm-k8s', run: `kubectl create configmap ${name} --from-literal=round=${round}` });
      if (exit !== 0) throw new Error(`configmap ${name} was not created`);
      answered.objects.push(name);
    }
  };
  const files = async (machine: string): Promise<void> => {
    for (let i = 0; ; i++) {
      const name = `r${round}-${i}`;
      const { exit } = await lab.ask({ vm: machine, run: `echo ${name} > /root/kill/${name}` });
      if (exit !== 0) throw new Error(`${machine}: file ${name} was not written`);
      answered.files.get(machine)!.push(name);
    }
  };
  void objects();
  for (const machine of MACHINES.slice(1)) void files(machine);
}

describe('a lab whose host is killed', () => {
  beforeAll(buildHost, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it(
    `has everything that was answered, ${KILLS} times over`,
    async () => {
      const state = path.join(folder, 'lab.nobox');
      const rng = new SeededRng(58);
      const answered = { objects: [] as string[], files: new Map(MACHINES.map((machine) => [machine as string, [] as string[]])) };
      const first = new DrivenProcess(state);
      for (const machine of MACHINES) await first.run(machine, 'mkdir -p /root/kill');
      await first.kill();

      for (let round = 1; round <= KILLS + 1; round++) {
        const lab = new DrivenProcess(state);
        const found = (await lab.run('m-k8s', 'kubectl get configmaps -o name')).split('\n');
        expect(answered.objects.filter((name) => !found.includes(`configmap/${name}`))).toEqual([]);
        for (const machine of MACHINES.slice(1)) {
          const lines = (await lab.run(machine, 'cat /root/kill/* 2>/dev/null')).split('\n');
          expect(answered.files.get(machine)!.filter((name) => !lines.includes(name))).toEqual([]);
        }
        expect((await lab.run('m-k8s', 'kubectl get nodes --no-headers')).match(/ Ready /g)).toHaveLength(MACHINES.length);
        expect(lab.errors).toBe('');
        if (round > KILLS) {
          // Nothing was restarted by all this, and the cluster still does its work.
          await lab.ask({ advance: '60s' });
          const pods = await lab.run('m-k8s', 'kubectl get pods -A --no-headers');
          expect(pods.match(/ 1\/1 +Running +0 /g)).toHaveLength(15);
          expect(await lab.end()).toBe(0);
          break;
        }
        createForever(lab, round, answered);
        await sleep(rng.float() * LONGEST_MS);
        await lab.kill();
      }
      expect(answered.objects.length).toBeGreaterThan(KILLS / 2);
    },
    (KILLS + 2) * SECONDS_PER_KILL * 1000,
  );
});
