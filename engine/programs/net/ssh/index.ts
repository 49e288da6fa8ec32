// Models ssh(1) of OpenSSH 7.4 over our own wire (net/ssh.ts).
// Not modelled: forwarding of ports, agents and X11, multiplexing.

import type { Process, Program, Tty } from '../../../kernel/process.ts';
import { sshKeyOfPem } from '../../../net/ssh-keys.ts';
import { SshClient, SshDisconnect, type SshChannel } from '../../../net/ssh.ts';
import { isSysError } from '../../../sim/errno.ts';
import { accountOfUid } from '../accounts.ts';
import { lookup, readIfThere } from '../io.ts';
import { parseSshArguments, type SshOptions } from './arguments.ts';
import { verifyHostKey } from './known-hosts.ts';
import { ask, say } from './terminal.ts';

const FAILED = 255;

export const ssh: Program = {
  name: 'ssh',
  async main(process) {
    if (process.argv.includes('-V')) {
      await say(process, 'OpenSSH_7.4p1, OpenSSL 1.0.2k-fips  26 Jan 2017\n');
      return 0;
    }
    const account = accountOfUid(process, process.sys.credentials().uid);
    const home = process.env.get('HOME') ?? account?.home ?? '/';
    const options = parseSshArguments(process, process.argv, home, account?.name ?? 'root');
    if (typeof options === 'string') {
      await say(process, options);
      return FAILED;
    }
    const client = await open(process, options);
    if (client === undefined) return FAILED;
    try {
      return await session(process, options, client);
    } finally {
      client.close();
    }
  },
};

/** Connects and logs in; undefined when that failed, which was said. */
async function open(process: Process, options: SshOptions): Promise<SshClient | undefined> {
  const { sys } = process;
  const { host, port } = options;
  const found = await lookup(process, host);
  if (found.kind !== 'found') {
    await say(
      process,
      `ssh: Could not resolve hostname ${host}: ${found.kind === 'not-found' ? 'Name or service not known' : 'Temporary failure in name resolution'}\n`,
    );
    return undefined;
  }
  const address = found.addresses[0]!;
  const giveUp = new AbortController();
  const timedOut = new Error('timed out');
  const timer =
    options.connectTimeoutMs === undefined ? undefined : sys.clock.setTimer(options.connectTimeoutMs, () => giveUp.abort(timedOut));
  let client: SshClient;
  let hostKey: string;
  try {
    let connection;
    try {
      connection = await sys.net.connect({ address, port, signal: giveUp.signal });
    } catch (error) {
      if (error !== timedOut && !isSysError(error)) throw error;
      const reason = error === timedOut ? 'Connection timed out' : isSysError(error) ? error.strerror : '';
      if (!options.isQuiet) await say(process, `ssh: connect to host ${host} port ${port}: ${reason}\n`);
      return undefined;
    }
    client = new SshClient(connection);
    try {
      ({ hostKey } = await client.handshake(giveUp.signal));
    } catch (error) {
      if (error === timedOut) await say(process, 'Connection timed out during banner exchange\n');
      else if (isSysError(error, 'ECONNRESET')) await say(process, `ssh_exchange_identification: read: Connection reset by peer\n`);
      else if (error instanceof SshDisconnect) await say(process, `${error.message}\n`);
      else throw error;
      client.close();
      return undefined;
    }
  } finally {
    timer?.dispose();
  }
  const policy = { strict: options.strict, file: options.knownHosts, host, address, port, isQuiet: options.isQuiet };
  if (!(await verifyHostKey(process, hostKey, policy)) || !(await logIn(process, options, client, address))) {
    client.close();
    return undefined;
  }
  return client;
}

async function logIn(process: Process, options: SshOptions, client: SshClient, address: string): Promise<boolean> {
  const { user } = options;
  try {
    if (await client.authenticate({ user })) return true;
    if (client.banner !== '') await say(process, client.banner);
    if (client.methods.includes('publickey')) {
      for (const path of options.identities) {
        const pem = readIfThere(process, path);
        if (pem === '') continue;
        if ((process.sys.stat(path).mode & 0o077) !== 0) {
          await say(process, unprotected(path, process.sys.stat(path).mode));
          continue;
        }
        if (await client.authenticate({ user, key: sshKeyOfPem(pem) })) return true;
      }
    }
    if (client.methods.includes('password') && !options.isBatch) {
      for (let tried = 0; tried < options.passwordPrompts; tried++) {
        const password = await ask(process, `${user}@${options.host}'s password: `, { echo: false });
        if (password === undefined) break;
        if (await client.authenticate({ user, password })) return true;
        if (tried + 1 < options.passwordPrompts) await say(process, 'Permission denied, please try again.\n');
      }
    }
    if (!options.isQuiet) await say(process, `Permission denied (${client.methods.join(',')}).\n`);
  } catch (error) {
    if (error instanceof SshDisconnect)
      await say(process, `Received disconnect from ${address} port ${options.port}:2: ${error.message}\nAuthentication failed.\n`);
    else if (isSysError(error, 'ECONNRESET', 'EPIPE', 'ECONNABORTED'))
      await say(process, `Connection closed by ${address} port ${options.port}\n`);
    else throw error;
  }
  return false;
}

async function session(process: Process, options: SshOptions, client: SshClient): Promise<number> {
  const { sys } = process;
  const tty = process.stdin.tty;
  const wantsTerminal =
    options.terminal === 'force' ||
    (options.terminal === 'yes' && tty !== undefined) ||
    (options.terminal === 'auto' && options.command === undefined && tty !== undefined);
  if (options.terminal === 'yes' && tty === undefined)
    await say(process, 'Pseudo-terminal will not be allocated because stdin is not a terminal.\n');
  else if (options.terminal === 'auto' && options.command === undefined && tty === undefined) {
    await say(process, 'Pseudo-terminal will not be allocated because stdin is not a terminal.\n');
  }
  const env = Object.fromEntries([...process.env].filter(([name]) => name === 'LANG' || name.startsWith('LC_')));
  const size = tty?.size ?? { columns: 80, rows: 24 };
  const pty = { term: process.env.get('TERM') ?? 'dumb', columns: size.columns, rows: size.rows };
  const channel =
    options.command === undefined
      ? wantsTerminal
        ? await client.openShell({ ...pty, env })
        : await client.shellWithoutPty()
      : await client.exec(options.command, wantsTerminal ? { pty, env } : { env });
  const before = tty?.termios;
  if (wantsTerminal && tty !== undefined) makeRaw(tty);
  sys.onSignal('SIGWINCH', () => {
    if (wantsTerminal && tty !== undefined) channel.resize(tty.size);
  });
  const over = new AbortController();
  const finished = new Error('session over');
  let isDropped = false;
  const typing = options.noStdin
    ? channel.stdin.end()
    : type(process, channel, over.signal, wantsTerminal, () => {
        isDropped = true;
        client.close();
      });
  try {
    await Promise.all([
      carry(channel.stdout, (bytes) => process.stdout.write(bytes)),
      carry(channel.stderr, (bytes) => process.stderr.write(bytes)),
    ]);
    const exit = await channel.exit;
    over.abort(finished);
    await typing.catch((error: unknown) => {
      if (error !== finished && !isSysError(error)) throw error;
    });
    if (tty !== undefined && before !== undefined) tty.termios = before;
    if (exit === undefined) {
      await say(process, isDropped ? `Connection to ${options.host} closed.\n` : `Connection to ${options.host} closed by remote host.\n`);
      if (wantsTerminal && !isDropped && !options.isQuiet) await say(process, `Connection to ${options.host} closed.\n`);
      return FAILED;
    }
    if (wantsTerminal && !options.isQuiet) await say(process, `Connection to ${options.host} closed.\n`);
    return exit.status;
  } finally {
    if (tty !== undefined && before !== undefined) tty.termios = before;
  }
}

function makeRaw(tty: Tty): void {
  tty.termios = { canonical: false, echo: false, signals: false, inputCrToNl: false, outputNlToCrNl: false, flowControl: false };
}

/** What is typed goes to the other side; `~.` at the beginning of a line drops the connection. */
async function type(process: Process, channel: SshChannel, signal: AbortSignal, hasTerminal: boolean, drop: () => void): Promise<void> {
  let isLineStart = true;
  let isEscape = false;
  for (;;) {
    const bytes = await process.stdin.read(undefined, signal);
    if (bytes === undefined) {
      await channel.stdin.end();
      return;
    }
    if (!hasTerminal) {
      await channel.stdin.write(bytes);
      continue;
    }
    const forward: number[] = [];
    for (const byte of bytes) {
      if (isEscape) {
        isEscape = false;
        if (byte === 46) {
          drop();
          return;
        }
        forward.push(126);
      } else if (isLineStart && byte === 126) {
        isEscape = true;
        continue;
      }
      forward.push(byte);
      isLineStart = byte === 13 || byte === 10;
    }
    if (forward.length > 0) await channel.stdin.write(Uint8Array.from(forward));
  }
}

async function carry(source: SshChannel['stdout'], write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  for (;;) {
    const bytes = await source.read();
    if (bytes === undefined) return;
    await write(bytes);
  }
}

function unprotected(path: string, mode: number): string {
  const rule = '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n';
  return (
    `${rule}@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n${rule}Permissions 0${(mode & 0o777).toString(8)} for '${path}' are too open.\n` +
    `It is required that your private key files are NOT accessible by others.\nThis private key will be ignored.\nLoad key "${path}": bad permissions\n`
  );
}
