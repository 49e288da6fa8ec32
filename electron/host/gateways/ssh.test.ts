// The SSH door before the real OpenSSH client, with a guest of cardboard behind it.

import { execFile, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { connectionPair } from '#engine/sim/connection-pair.ts';
import { SysError } from '#engine/sim/errno.ts';
import { FakeLab } from '../../../tests/support/fake-lab.ts';
import { fakeGuestLogin } from '../../../tests/support/fake-guest.ts';
import { ClockDriver } from '../clock-driver.ts';
import { openSshDoor, type SshDoor } from './ssh.ts';

const hasClient = spawnSync('sshpass', ['-V']).status === 0 && spawnSync('ssh', ['-V']).status === 0;
const OPTIONS = [
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
  '-o',
  'PubkeyAuthentication=no',
];

let door: SshDoor | undefined;
afterEach(() => door?.close());

async function openDoor(lab: FakeLab): Promise<number> {
  const driver = new ClockDriver({ clock: lab.clock, onFault: () => undefined });
  door = await openSshDoor({
    lab,
    driver,
    login: fakeGuestLogin,
    onError: (error) => {
      throw error;
    },
  });
  return door.ports['m-k8s']!;
}

function ssh(
  port: number,
  args: readonly string[],
  options: { readonly password?: string; readonly input?: string; readonly level?: string } = {},
): Promise<object> {
  return new Promise((resolve) => {
    const words = [
      '-p',
      options.password ?? 'vagrant',
      'ssh',
      ...OPTIONS,
      '-o',
      `LogLevel=${options.level ?? 'ERROR'}`,
      '-p',
      String(port),
      'root@127.0.0.1',
      ...args,
    ];
    const child = execFile('sshpass', words, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : error.code, stdout, stderr });
    });
    child.stdin?.end(options.input ?? '');
  });
}

describe.skipIf(!hasClient)(`the SSH door${hasClient ? '' : ' (skipped: no ssh or sshpass here)'}`, () => {
  const pair = (): ReturnType<FakeLab['connectForward']> => Promise.resolve(connectionPair()[0]);

  test('runs a command and passes its output and status on', async () => {
    const lab = new FakeLab();
    lab.forward = pair;
    const port = await openDoor(lab);
    expect(await ssh(port, ['hostname'])).toEqual({ status: 0, stdout: 'ran hostname\n', stderr: '' });
    expect(await ssh(port, ['fail'])).toEqual({ status: 3, stdout: '', stderr: 'it failed\n' });
  });

  test('passes a megabyte of input on, and its end', async () => {
    const lab = new FakeLab();
    lab.forward = pair;
    const port = await openDoor(lab);
    expect(await ssh(port, ['wc -c'], { input: 'x'.repeat(1_000_000) })).toEqual({ status: 0, stdout: '1000000\n', stderr: '' });
  });

  test('leaves the password to the guest', async () => {
    const lab = new FakeLab();
    lab.forward = pair;
    const port = await openDoor(lab);
    expect(await ssh(port, ['hostname'], { password: 'wrong' })).toMatchObject({ status: 5 });
  });

  test.each([
    [
      'a guest that refuses shows as a reset',
      'ECONNREFUSED',
      /kex_exchange_identification: (read: )?Connection reset by peer|Connection reset/,
    ],
    ['a guest that did not answer in time shows as a reset', 'ETIMEDOUT', /Connection reset/],
  ] as const)('%s', async (_, errno, wanted) => {
    const lab = new FakeLab();
    lab.forward = () => Promise.reject(new SysError(errno));
    const port = await openDoor(lab);
    expect(await ssh(port, ['hostname'], { level: 'INFO' })).toMatchObject({
      status: 255,
      stderr: expect.stringMatching(wanted) as string,
    });
  });

  test('a machine that is off has no listener', async () => {
    const lab = new FakeLab();
    lab.forward = pair;
    const port = await openDoor(lab);
    lab.powerOff('m-k8s', 'hard');
    expect(await ssh(port, ['hostname'])).toMatchObject({ status: 255, stderr: expect.stringContaining('Connection refused') as string });
  });
});
