import { expect, it } from 'vitest';
import { text, utf8 } from '../sim/bytes.ts';
import { connectionPair } from '../sim/connection-pair.ts';
import { SeededRng } from '../sim/rng.ts';
import { boxHostKey, generateSshKey, md5Fingerprint, sha256Fingerprint } from './ssh-keys.ts';
import { SshClient, SshServer } from './ssh.ts';

it('lets a user in by password or key and carries a session', async () => {
  const [ours, theirs] = connectionPair();
  const own = generateSshKey(new SeededRng(1));
  const server = new SshServer(theirs, {
    hostKey: boxHostKey(),
    methods: ['publickey', 'password'],
    trustsProvenKeys: false,
    authenticate: (request) => Promise.resolve(request.password === 'vagrant' || request.key === own.publicLine),
    open(channel) {
      void (async () => {
        const size = new Promise<number>((resolve) => channel.onResize(({ columns }) => resolve(columns)));
        const typed = await channel.input.read();
        await channel.write(utf8(`${channel.command ?? 'shell'} ${channel.pty?.columns ?? 0} ${text(typed!)} ${await size}`));
        await channel.writeError(utf8('oops'));
        await channel.finish({ status: 3 });
      })();
    },
  });
  const serving = server.run();
  const client = new SshClient(ours);
  const { hostKey, serverVersion } = await client.handshake();
  expect(serverVersion).toBe('SSH-2.0-OpenSSH_7.4');
  expect(hostKey).toBe(boxHostKey().publicLine);
  expect(sha256Fingerprint(hostKey)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  expect(md5Fingerprint(hostKey)).toMatch(/^MD5:([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  expect(await client.authenticate({ user: 'root' })).toBe(false);
  expect(client.methods).toEqual(['publickey', 'password']);
  expect(await client.authenticate({ user: 'root', provenKey: own.publicLine })).toBe(false);
  expect(await client.authenticate({ user: 'root', key: own })).toBe(true);
  const shell = await client.openShell({ term: 'xterm', columns: 80, rows: 24 });
  await shell.stdin.write(utf8('hi'));
  shell.resize({ columns: 132, rows: 50 });
  expect(await shell.exit).toEqual({ status: 3 });
  expect(text((await shell.stdout.read())!)).toBe('shell 80 hi 132');
  expect(text((await shell.stderr.read())!)).toBe('oops');
  client.close();
  await serving;
});
