// The book's self-healing, as it is done: one terminal inside the container, another one asking for its page once a second.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildHost, DrivenProcess } from '../support/driven.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'nobox-healing-'));

async function terminal(lab: DrivenProcess): Promise<{ type(text: string): Promise<void>; screen(): Promise<string> }> {
  const { session } = await lab.ask({ tty: 'm-k8s', open: { columns: 100, rows: 60 } });
  return {
    type: async (text) => {
      await lab.ask({ session, type: text });
    },
    screen: async () => {
      const { lines = [] } = await lab.ask({ session, screen: true });
      return lines.map((line) => `${line.trimEnd()}\n`).join('');
    },
  };
}

describe('kill 1 in a container', () => {
  beforeAll(buildHost, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('ends the shell inside, silences the page for a while, and leaves the address', async () => {
    const lab = new DrivenProcess(path.join(folder, 'lab.nobox'));
    await lab.run('m-k8s', 'kubectl run nginx-pod --image=nginx && kubectl wait --for=condition=Ready pod/nginx-pod --timeout=120s');
    const address = await lab.run('m-k8s', "kubectl get pod nginx-pod -o jsonpath='{.status.podIP}'");
    const [inside, outside] = [await terminal(lab), await terminal(lab)];
    await inside.type('kubectl exec -it nginx-pod -- /bin/bash\r');
    await lab.ask({ advance: '2s' });
    await inside.type('cat /run/nginx.pid\r');
    await outside.type(`i=1; while true; do sleep 1; echo $((i++)) $(curl --silent ${address} | grep title); done\r`);
    await lab.ask({ advance: '3500ms' });
    expect(await inside.screen()).toContain('root@nginx-pod:/# cat /run/nginx.pid\n1\nroot@nginx-pod:/#\n');
    await inside.type('kill 1\r');
    await lab.ask({ advance: '8s' });
    expect(await inside.screen()).toMatch(/kill 1\n.*command terminated with exit code 137\n\[root@m-k8s ~\]#\n/);
    expect(await lab.run('m-k8s', 'kubectl get pod nginx-pod --no-headers -o wide')).toMatch(
      new RegExp(`^nginx-pod +1/1 +Running +1 +\\S+ +${address} `),
    );

    // The second time it is held back for ten seconds or more.
    await inside.type('kubectl exec -it nginx-pod -- /bin/bash\r');
    await lab.ask({ advance: '2s' });
    await inside.type('kill 1\r');
    await lab.ask({ advance: '40s' });
    await outside.type('\x03');
    const page = await outside.screen();
    expect(page).toMatch(/^3 <title>Welcome to nginx!<\/title>\n4\n(5\n)?(5|6) <title>Welcome/m);
    expect(page).toMatch(/(^\d+\n){9,}\d+ <title>Welcome to nginx!<\/title>$/m);
    expect(await lab.run('m-k8s', 'kubectl get pod nginx-pod --no-headers -o wide')).toMatch(
      new RegExp(`^nginx-pod +1/1 +Running +2 +\\S+ +${address} `),
    );
    expect(await lab.end()).toBe(0);
  }, 120_000);
});
