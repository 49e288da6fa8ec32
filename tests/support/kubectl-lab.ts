// kubectl on a real kernel before a real API server: no kubelets, no controllers.

import { openTestApi, type TestApi } from '#engine/kube/apiserver/test-api.ts';
import type { ImageEntry } from '#engine/fs/image-tree.ts';
import { serveHttp } from '#engine/net/http-server.ts';
import { kubectl } from '#engine/programs/kubectl/kubectl.ts';
import { newClock, readAll, TestKernel } from './test-kernel.ts';

const KUBECONFIG = `apiVersion: v1
kind: Config
preferences: {}
current-context: kubernetes-admin@kubernetes
clusters:
- name: kubernetes
  cluster: {server: "http://127.0.0.1:6443"}
contexts:
- name: kubernetes-admin@kubernetes
  context: {cluster: kubernetes, user: kubernetes-admin}
users:
- name: kubernetes-admin
  user: {}
`;

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

export class KubectlLab {
  readonly test: TestKernel;
  readonly api: TestApi;

  private constructor(test: TestKernel, api: TestApi) {
    this.test = test;
    this.api = api;
  }

  /** Files of the disk besides the kubeconfig; `kubeconfig: false` leaves that out. */
  static async open(
    options: { readonly files?: Readonly<Record<string, string>>; readonly kubeconfig?: boolean } = {},
  ): Promise<KubectlLab> {
    const clock = newClock();
    const api = await openTestApi({ clock });
    const file = (contents: string): ImageEntry => ({ kind: 'file', contents });
    const test = new TestKernel({
      clock,
      programs: [kubectl],
      entries: {
        '/root/work': { kind: 'directory' },
        ...(options.kubeconfig === false ? {} : { '/root/.kube/config': file(KUBECONFIG) }),
        ...Object.fromEntries(Object.entries(options.files ?? {}).map(([path, contents]) => [path, file(contents)])),
      },
    });
    void test
      .run(
        async ({ sys }) => {
          sys.net.setLink('lo', { isUp: true });
          const listener = sys.net.listen({ address: '127.0.0.1', port: 6443 });
          await serveHttp(listener, (request, respond) => api.server.handle(request, respond), { clock, onFault: () => undefined });
        },
        { withinMs: 0 },
      )
      .catch(() => undefined);
    await clock.settle();
    return new KubectlLab(test, api);
  }

  async run(
    words: readonly string[],
    options: { readonly stdin?: string; readonly withinMs?: number; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<Outcome> {
    return this.test.run(
      async (process) => {
        const { sys } = process;
        sys.chdir('/root/work');
        const [inRead, inWrite] = sys.pipe();
        const [outRead, outWrite] = sys.pipe();
        const [errRead, errWrite] = sys.pipe();
        const pid = sys.spawn('/usr/bin/kubectl', ['kubectl', ...words], {
          env: new Map(Object.entries({ HOME: '/root', PATH: '/usr/bin', ...options.env })),
          fds: new Map([
            [0, inRead],
            [1, outWrite],
            [2, errWrite],
          ]),
        });
        for (const fd of [inRead, outWrite, errWrite]) sys.close(fd);
        if (options.stdin !== undefined) await sys.file(inWrite).write(new TextEncoder().encode(options.stdin));
        sys.close(inWrite);
        const [stdout, stderr, ended] = await Promise.all([readAll(process, outRead), readAll(process, errRead), sys.wait(pid)]);
        return { stdout, stderr, exit: ended?.kind === 'exited' ? ended.status : 128 };
      },
      options.withinMs === undefined ? {} : { withinMs: options.withinMs },
    );
  }
}
