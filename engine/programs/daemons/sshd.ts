// Models sshd(8) of OpenSSH 7.4: a process for every connection, logins against passwd, shadow and authorized_keys, sessions
// with or without a terminal. Sessions outlive a restart of the listener.
// Not modelled: port forwarding, agents, sftp, GSSAPI; unknown options of sshd_config end it as in reality.

import type { Connection, Process, Program } from '../../kernel/process.ts';
import { checkPassword } from '../../machine/password.ts';
import { boxHostKey, sshKeyOfPem, sha256Fingerprint, keyKind, type SshKeyPair } from '../../net/ssh-keys.ts';
import { SshServer, type SshAuthRequest, type SshServerChannel } from '../../net/ssh.ts';
import { isSysError } from '../../sim/errno.ts';
import { accountOf, credentialsOf, shadowField, type Account } from '../net/accounts.ts';
import { err, readIfThere } from '../net/io.ts';
import { lastLogin, recordLogin, recordLogout } from './accounts.ts';
import { readSshdConfig, type SshdConfig } from './sshd-config.ts';

const HOST_KEY = '/etc/ssh/ssh_host_ecdsa_key';
/** pam_faildelay of pam_unix. */
const FAIL_DELAY_MS = 2_000;
/** The port forward of the learner's computer comes from the NAT gateway; it alone may vouch for keys. */
const TRUSTED_DOOR = '10.0.2.2';

export const sshd: Program = {
  name: 'sshd',
  paths: ['/usr/sbin/sshd'],
  memory: { residentBytes: 4_300_000, virtualBytes: 115_000_000 },
  async main(process) {
    const { sys } = process;
    const config = readSshdConfig(readIfThere(process, '/etc/ssh/sshd_config'));
    if (typeof config === 'string') {
      await err(process, config);
      return 255;
    }
    if (process.argv.includes('-t')) return 0;
    if (sys.credentials().uid !== 0) {
      await err(process, 'sshd: no hostkeys available -- exiting.\n');
      return 1;
    }
    if (!process.argv.some((arg) => /^-[a-z]*[Dd]/.test(arg))) {
      sys.spawn('/usr/sbin/sshd', [...process.argv, '-D'], { newSession: true, env: process.env });
      return 0;
    }
    const hostKey = loadHostKey(process);
    const listeners = [];
    for (const address of config.listenAddresses) {
      for (const port of config.ports) {
        try {
          listeners.push(sys.net.listen({ address, port }));
        } catch (error) {
          if (!isSysError(error)) throw error;
          await err(process, `error: Bind to port ${port} on ${address} failed: ${error.strerror}.\n`);
          continue;
        }
        if (!process.resumed) await err(process, `Server listening on ${address} port ${port}.\n`);
      }
    }
    if (listeners.length === 0) {
      await err(process, 'fatal: Cannot bind any address.\n');
      return 255;
    }
    writePid(process);
    await Promise.all(
      listeners.map(async (listener) => {
        for (;;) serve(process, await listener.accept(), config, hostKey);
      }),
    );
    return 0;
  },
};

/** The listener's part ends here: the connection belongs to a process of its own. */
function serve(process: Process, connection: Connection, config: SshdConfig, hostKey: SshKeyPair): void {
  process.sys.fork(
    async (child) => {
      const own = child.sys.adopt(connection);
      await new SshdConnection(child, own, config, hostKey).run();
      return 0;
    },
    { title: 'sshd: [accepted]' },
  );
}

/** The scope pam_systemd has logind make: what `systemctl stop sshd` leaves alone and a shutdown ends first. */
function sessionScope(process: Process, account: Account): string {
  return `/user.slice/user-${account.uid}.slice/session-${process.pid}.scope`;
}

class SshdConnection {
  readonly #process: Process;
  readonly #config: SshdConfig;
  readonly #server: SshServer;
  readonly #from: string;
  readonly #port: string;
  #failures = 0;
  #account: Account | undefined;
  readonly #sessions: Promise<void>[] = [];

  constructor(process: Process, connection: Connection, config: SshdConfig, hostKey: SshKeyPair) {
    this.#process = process;
    this.#config = config;
    const [from = '', port = ''] = connection.remoteAddress.split(':');
    this.#from = from;
    this.#port = port;
    const methods = [
      ...(config.publicKey ? ['publickey'] : []),
      'gssapi-keyex',
      'gssapi-with-mic',
      ...(config.password ? ['password'] : []),
    ];
    const banner = config.banner === undefined ? undefined : readIfThere(process, config.banner);
    this.#server = new SshServer(connection, {
      hostKey,
      methods,
      ...(banner === undefined || banner === '' ? {} : { banner }),
      trustsProvenKeys: from === TRUSTED_DOOR,
      authenticate: (request) => this.#authenticate(request),
      open: (channel) => this.#sessions.push(this.#session(channel)),
    });
  }

  async run(): Promise<void> {
    await this.#server.run();
    await Promise.all(this.#sessions);
  }

  async #authenticate(request: SshAuthRequest): Promise<boolean | string> {
    const account = accountOf(this.#process, request.user);
    if (request.method === 'none') return false;
    const isAllowed = this.#isAllowed(request.user, request.method, account);
    const isGood =
      isAllowed &&
      account !== undefined &&
      (request.method === 'password'
        ? this.#config.password && checkPassword(request.password ?? '', shadowField(this.#process, request.user))
        : this.#config.publicKey && this.#isAuthorized(account, request.key ?? ''));
    const where = `${account === undefined ? 'invalid user ' : ''}${request.user} from ${this.#from} port ${this.#port} ssh2`;
    if (isGood) {
      this.#account = account;
      const detail = request.method === 'publickey' ? `: ${keyKind(request.key!)} ${sha256Fingerprint(request.key!)}` : '';
      await this.#log(`Accepted ${request.method} for ${where}${detail}`);
      await this.#log(`pam_unix(sshd:session): session opened for user ${request.user} by (uid=0)`);
      return true;
    }
    if (request.method === 'publickey') return false;
    await this.#process.sys.sleep(FAIL_DELAY_MS);
    await this.#log(`Failed ${request.method} for ${where}`);
    if (++this.#failures >= this.#config.maxAuthTries) {
      await this.#log(`error: maximum authentication attempts exceeded for ${where} [preauth]`);
      return 'Too many authentication failures';
    }
    return false;
  }

  #isAllowed(user: string, method: string, account: Account | undefined): boolean {
    const { permitRootLogin, allowUsers, denyUsers } = this.#config;
    if (account === undefined) return false;
    if (account.uid === 0 && (permitRootLogin === 'no' || (permitRootLogin === 'keys-only' && method === 'password'))) return false;
    if (denyUsers.includes(user)) return false;
    return allowUsers.length === 0 || allowUsers.includes(user);
  }

  #isAuthorized(account: Account, key: string): boolean {
    const blob = key.trim().split(/\s+/)[1];
    if (blob === undefined) return false;
    return readIfThere(this.#process, `${account.home}/.ssh/authorized_keys`)
      .split('\n')
      .some((line) => !line.startsWith('#') && line.split(/\s+/).includes(blob));
  }

  async #session(channel: SshServerChannel): Promise<void> {
    const account = this.#account!;
    const { sys } = this.#process;
    const env = new Map<string, string>([
      ['USER', account.name],
      ['LOGNAME', account.name],
      ['HOME', account.home],
      ['PATH', '/usr/local/bin:/usr/bin'],
      ['MAIL', `/var/mail/${account.name}`],
      ['SHELL', account.shell],
      ['SSH_CLIENT', `${this.#from} ${this.#port} 22`],
      ['SSH_CONNECTION', `${this.#from} ${this.#port} ${sys.net.addresses().find((one) => one.scope === 'global')?.address ?? ''} 22`],
      ...Object.entries(channel.env).filter(([name]) => /^(LANG|LC_\w+)$/.test(name)),
    ]);
    if (channel.pty === undefined) await this.#withPipes(channel, account, env);
    else await this.#withTerminal(channel, account, env, channel.pty);
  }

  /** Login shell `-bash`, or `bash -c COMMAND`. */
  #argv(account: Account, command: string | undefined): readonly string[] {
    const name = account.shell.split('/').pop() ?? 'sh';
    return command === undefined ? [`-${name}`] : [name, '-c', command];
  }

  async #withTerminal(
    channel: SshServerChannel,
    account: Account,
    env: Map<string, string>,
    pty: NonNullable<SshServerChannel['pty']>,
  ): Promise<void> {
    const { sys } = this.#process;
    const master = sys.open('/dev/ptmx', { read: true, write: true });
    const terminal = sys.file(master).tty!;
    terminal.resize({ columns: pty.columns, rows: pty.rows });
    env.set('TERM', pty.term);
    env.set('SSH_TTY', `/dev/${terminal.name}`);
    const slave = sys.open(`/dev/${terminal.name}`, { read: true, write: true });
    sys.chown(`/dev/${terminal.name}`, account.uid, 5);
    const resizing = channel.onResize((size) => terminal.resize(size));
    if (channel.command === undefined) await this.#greet(account, slave);
    const pid = sys.spawn(account.shell, this.#argv(account, channel.command), {
      env,
      cwd: sys.exists(account.home) ? account.home : '/',
      fds: new Map([
        [0, slave],
        [1, slave],
        [2, slave],
      ]),
      newSession: true,
      controllingTty: terminal,
      credentials: credentialsOf(this.#process, account),
      cgroup: sessionScope(this.#process, account),
    });
    sys.close(slave);
    recordLogin(sys, { name: account.name, terminal: terminal.name, host: this.#from });
    let isOpen = true;
    const hangUp = (): void => {
      if (!isOpen) return;
      isOpen = false;
      sys.close(master);
    };
    const closing = channel.onClose(hangUp);
    const typing = (async () => {
      for (;;) {
        const bytes = await channel.input.read();
        if (bytes === undefined || !isOpen) return;
        await sys.file(master).write(bytes);
      }
    })();
    try {
      while (isOpen) {
        const bytes = await sys.file(master).read();
        if (bytes === undefined) break;
        await channel.write(bytes);
      }
    } catch (error) {
      if (!isSysError(error, 'EIO', 'EBADF', 'EPIPE', 'ECONNRESET', 'ETIMEDOUT')) throw error;
    }
    // With the terminal gone the session gets SIGHUP; without it the shell has ended by itself.
    const hasClient = isOpen;
    closing.dispose();
    resizing.dispose();
    hangUp();
    const ended = await sys.wait(pid);
    recordLogout(sys, terminal.name);
    await this.#log(`pam_unix(sshd:session): session closed for user ${account.name}`);
    if (hasClient) await this.#finish(channel, ended);
    void typing;
  }

  async #greet(account: Account, slave: number): Promise<void> {
    const { sys } = this.#process;
    const encoder = new TextEncoder();
    const last = this.#config.printLastLog ? lastLogin(sys, account.name) : undefined;
    if (last !== undefined) await sys.file(slave).write(encoder.encode(`Last login: ${last}\n`));
    const motd = this.#config.printMotd ? readIfThere(this.#process, '/etc/motd') : '';
    if (motd !== '' && !sys.exists(`${account.home}/.hushlogin`)) await sys.file(slave).write(encoder.encode(motd));
  }

  async #withPipes(channel: SshServerChannel, account: Account, env: Map<string, string>): Promise<void> {
    const { sys } = this.#process;
    const [inputRead, inputWrite] = sys.pipe();
    const [outputRead, outputWrite] = sys.pipe();
    const [errorRead, errorWrite] = sys.pipe();
    const pid = sys.spawn(account.shell, this.#argv(account, channel.command), {
      env,
      cwd: sys.exists(account.home) ? account.home : '/',
      fds: new Map([
        [0, inputRead],
        [1, outputWrite],
        [2, errorWrite],
      ]),
      newSession: true,
      credentials: credentialsOf(this.#process, account),
      cgroup: sessionScope(this.#process, account),
    });
    for (const fd of [inputRead, outputWrite, errorWrite]) sys.close(fd);
    let isInputOpen = true;
    const closeInput = (): void => {
      if (!isInputOpen) return;
      isInputOpen = false;
      sys.close(inputWrite);
    };
    sys.onSignal('SIGPIPE', 'ignore');
    const typing = (async () => {
      for (;;) {
        const bytes = await channel.input.read();
        if (bytes === undefined) break;
        try {
          await sys.file(inputWrite).write(bytes);
        } catch (error) {
          if (!isSysError(error, 'EPIPE', 'EBADF')) throw error;
          break;
        }
      }
      closeInput();
    })();
    const closing = channel.onClose(() => closeInput());
    const carry = async (fd: number, write: (bytes: Uint8Array) => Promise<void>): Promise<void> => {
      for (;;) {
        const bytes = await sys.file(fd).read();
        if (bytes === undefined) return;
        try {
          await write(bytes);
        } catch (error) {
          if (!isSysError(error, 'EPIPE', 'ECONNRESET', 'ETIMEDOUT')) throw error;
          return;
        }
      }
    };
    await Promise.all([carry(outputRead, (bytes) => channel.write(bytes)), carry(errorRead, (bytes) => channel.writeError(bytes))]);
    sys.close(outputRead);
    sys.close(errorRead);
    const ended = await sys.wait(pid);
    closing.dispose();
    await this.#finish(channel, ended);
    void typing;
  }

  async #finish(channel: SshServerChannel, ended: Awaited<ReturnType<Process['sys']['wait']>>): Promise<void> {
    const exit =
      ended?.kind === 'signaled'
        ? { status: 255, signal: ended.signal.replace(/^SIG/, '') }
        : { status: ended?.kind === 'exited' ? ended.status : 255 };
    try {
      await channel.finish(exit);
    } catch (error) {
      if (!isSysError(error, 'EPIPE', 'ECONNRESET', 'ETIMEDOUT')) throw error;
    }
  }

  #log(line: string): Promise<void> {
    return err(this.#process, `${line}\n`);
  }
}

function loadHostKey(process: Process): SshKeyPair {
  const { sys } = process;
  const pem = readIfThere(process, HOST_KEY);
  if (pem !== '') return sshKeyOfPem(pem);
  // sshd-keygen.service makes missing keys; here the box's own key is the one that was lost.
  const key = boxHostKey();
  sys.mkdir('/etc/ssh', { recursive: true });
  sys.writeFile(HOST_KEY, key.privateKeyPem, { mode: 0o640 });
  sys.writeFile(`${HOST_KEY}.pub`, `${key.publicLine} \n`, { mode: 0o644 });
  return key;
}

function writePid(process: Process): void {
  try {
    process.sys.writeFile('/var/run/sshd.pid', `${process.pid}\n`);
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'EROFS', 'ENOSPC')) throw error;
  }
}
