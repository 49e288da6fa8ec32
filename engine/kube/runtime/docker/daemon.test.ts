import { describe, expect, it } from 'vitest';
import { TestKernel } from '../../../../tests/support/test-kernel.ts';
import { text } from '../../../sim/bytes.ts';
import type { Program } from '../../../kernel/process.ts';
import { programs as daemons } from '../../../programs/daemons/index.ts';
import { programs as images } from '../../../programs/images/index.ts';
import { catalogue, imageTrees } from '../catalogue/index.ts';
import { DockerClient } from './client.ts';

const sleep: Program = {
  name: 'sleep',
  paths: [],
  async main({ argv, sys }) {
    await sys.sleep(argv[1] === 'infinity' ? 1e12 : Number(argv[1]) * 1000);
    return 0;
  },
};
const echo: Program = {
  name: 'echo',
  paths: [],
  async main({ argv, stdout, stderr }) {
    await stdout.write(new TextEncoder().encode(`${argv.slice(1).join(' ')}\n`));
    await stderr.write(new TextEncoder().encode('done\n'));
    return 3;
  },
};

/** Puts an image on the node as a pull would. */
function preload(write: (path: string, contents: string) => void, repository: string): string {
  const image = catalogue().find((candidate) => candidate.repository === repository)!;
  const root = '/var/lib/docker/image/overlay2';
  write(`${root}/imagedb/content/sha256/${image.id}`, image.configJson);
  const config = JSON.parse(image.configJson) as { rootfs: { diff_ids: string[] } };
  const layers = image.layers.filter((layer) => layer.sizeBytes > 0);
  config.rootfs.diff_ids.forEach((diff, index) => write(`${root}/layerdb/sha256/${diff.slice(7)}/size`, String(layers[index]!.sizeBytes)));
  const name = repository.replace(/^docker\.io\/(library\/)?/, '');
  write(`${root}/repositories.json`, JSON.stringify({ Repositories: { [name]: { [`${name}:${image.tags[0]!}`]: `sha256:${image.id}` } } }));
  return `${name}:${image.tags[0]!}`;
}

async function withDocker<T>(use: (docker: DockerClient, test: TestKernel, image: string) => Promise<T>): Promise<T> {
  const programs = [...daemons, ...images, sleep, echo];
  const names = new Set(programs.map((program) => program.name));
  const test = new TestKernel({ programs, images: imageTrees((name) => names.has(name)) });
  let image = '';
  await test.run(async ({ sys }) => {
    image = preload((path, contents) => {
      sys.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
      sys.writeFile(path, contents);
    }, 'docker.io/library/busybox');
    sys.mkdir('/var/run', { recursive: true });
    sys.spawn('/usr/bin/containerd', ['/usr/bin/containerd'], { newSession: true });
    sys.spawn('/usr/bin/dockerd', ['/usr/bin/dockerd', '-H', 'fd://'], { newSession: true });
  });
  await test.clock.advance(10);
  return test.run(async (process) => use(new DockerClient(process.sys), test, image));
}

describe('dockerd', () => {
  it('runs a container below a shim, keeps its output and its exit code', async () => {
    const got = await withDocker(async (docker, test, image) => {
      const { Id: id } = await docker.create({ Image: image, Cmd: ['echo', 'hello', 'world'] }, 'one');
      await docker.start(id);
      const { StatusCode } = await docker.call<{ StatusCode: number }>('POST', `/containers/one/wait`);
      const logs = await docker.request('GET', '/containers/one/logs?stdout=1&stderr=1');
      let out = '';
      for (let chunk = await logs.body.read(); chunk !== undefined; chunk = await logs.body.read()) out += text(chunk);
      const [row] = await docker.containers({ all: true });
      return { StatusCode, out, row: row!, left: test.kernel.processes().map((one) => one.command) };
    });
    expect(got.StatusCode).toBe(3);
    expect(got.out).toContain('hello world\n');
    expect(got.out).toContain('done\n');
    expect(got.row).toMatchObject({
      Names: ['/one'],
      State: 'exited',
      Status: 'Exited (3) Less than a second ago',
      Command: 'echo hello world',
    });
    expect(got.left).not.toContain('containerd-shim');
  });

  it('kills pid 1 without a handler only after the grace', async () => {
    const got = await withDocker(async (docker, test, image) => {
      const { Id: id } = await docker.create({ Image: image, Cmd: ['sleep', 'infinity'] });
      await docker.start(id);
      const parents = test.kernel.processes().find((one) => one.command === 'sleep');
      const before = test.clock.now();
      await docker.stop(id);
      const inspected = await docker.inspect(id);
      return {
        tookMs: test.clock.now() - before,
        code: inspected.State.ExitCode,
        parent: test.kernel.process(parents!.parent),
        namespacePid: parents!.namespacePid,
      };
    });
    expect(got.code).toBe(137);
    expect(got.tookMs).toBe(10_000);
    expect(got.namespacePid).toBe(1);
  });

  it('says what runc says when there is no such executable', async () => {
    const message = await withDocker(async (docker, _test, image) => {
      const { Id: id } = await docker.create({ Image: image, Cmd: ['nosuch'] });
      return docker.start(id).then(
        () => 'started',
        (error: unknown) => (error as Error).message,
      );
    });
    expect(message).toBe(
      'OCI runtime create failed: container_linux.go:370: starting container process caused: exec: "nosuch": executable file not found in $PATH: unknown',
    );
  });

  it('executes more processes in a running container', async () => {
    const got = await withDocker(async (docker, _test, image) => {
      const { Id: id } = await docker.create({ Image: image, Cmd: ['sleep', 'infinity'] });
      await docker.start(id);
      let out = '';
      const sink = {
        write: (bytes: Uint8Array): Promise<void> => {
          out += text(bytes);
          return Promise.resolve();
        },
      };
      const code = await docker.exec(
        id,
        { Cmd: ['echo', 'inside'] },
        { stdin: undefined, stdout: sink, stderr: sink, tty: false, resize: undefined },
        new AbortController().signal,
      );
      return { code, out };
    });
    expect(got).toEqual({ code: 3, out: 'inside\ndone\n' });
  });
});
