// Models nginx: a master that listens, workers below it, a document root, access and error logs.

import { utf8 } from '../../../sim/bytes.ts';
import { isSysError, SysError } from '../../../sim/errno.ts';
import type { Listener } from '../../../sim/stream.ts';
import { serveHttp } from '../../../net/http-server.ts';
import { createCertificate, generateKeyPair } from '../../../net/x509.ts';
import type { Identity } from '../../../net/tls.ts';
import type { HttpHandler } from '../../../net/http.ts';
import type { Process, Program, Syscalls } from '../../../kernel/process.ts';
import { ConfigError, find, parseConfig, type Directive } from './config.ts';
import { errorTime, Site } from './site.ts';

export const nginx: Program = { name: 'nginx', paths: [], memory: { residentBytes: 5_800_000, virtualBytes: 9_000_000 }, main };

const CONFIG = '/etc/nginx/nginx.conf';
const LEVELS = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'] as const;
type Level = (typeof LEVELS)[number];

interface Options {
  readonly config: string;
  readonly isTest: boolean;
  readonly globals: string;
  readonly signal: string | undefined;
}

async function main(process: Process): Promise<number> {
  const version = process.env.get('NGINX_VERSION') ?? '1.21.6';
  const options = parseOptions(process.argv.slice(1));
  if (typeof options === 'string') return fail(process, options);
  if (process.argv.includes('-v') || process.argv.includes('-V')) {
    await process.stderr.write(utf8(`nginx version: nginx/${version}\n`));
    return 0;
  }
  let config: readonly Directive[];
  try {
    config = load(process.sys, options);
  } catch (error) {
    if (error instanceof ConfigError) return fail(process, error.message);
    throw error;
  }
  if (options.isTest) {
    await process.stderr.write(
      utf8(
        `nginx: the configuration file ${options.config} syntax is ok\nnginx: configuration file ${options.config} test is successful\n`,
      ),
    );
    return 0;
  }
  if (options.signal !== undefined) return sendSignal(process, config, options.signal);
  return new Master(process, config, options, version).run();
}

async function fail(process: Process, message: string): Promise<number> {
  const line = `${errorTime(process.sys.now())} [emerg] ${process.pid}#${process.pid}: ${message}\n`;
  await process.stderr.write(utf8(process.stderr.tty === undefined ? `${line}nginx: [emerg] ${message}\n` : `nginx: [emerg] ${message}\n`));
  return 1;
}

function parseOptions(args: readonly string[]): Options | string {
  const options = { config: CONFIG, isTest: false, globals: '', signal: undefined as string | undefined };
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!;
    if (argument === '-t' || argument === '-T') options.isTest = true;
    else if (argument === '-c') options.config = args[++at] ?? CONFIG;
    else if (argument === '-g') options.globals = args[++at] ?? '';
    else if (argument === '-s') options.signal = args[++at];
    else if (argument !== '-v' && argument !== '-V' && argument !== '-q') return `invalid option: "${argument}"`;
  }
  return options;
}

function load(sys: Syscalls, options: Options): readonly Directive[] {
  const read = (file: string): readonly Directive[] => {
    try {
      return parseConfig(sys.readTextFile(file), file, (pattern) => included(sys, pattern).flatMap(read));
    } catch (error) {
      if (isSysError(error)) throw new ConfigError(`open() "${file}" failed (${error.errno === 'ENOENT' ? 2 : 13}: ${error.strerror})`);
      throw error;
    }
  };
  return [...read(options.config), ...parseConfig(options.globals, 'command line', () => [])];
}

function included(sys: Syscalls, pattern: string): readonly string[] {
  const absolute = pattern.startsWith('/') ? pattern : `/etc/nginx/${pattern}`;
  if (!absolute.includes('*')) return [absolute];
  const directory = absolute.slice(0, absolute.lastIndexOf('/'));
  const name = new RegExp(
    `^${absolute
      .slice(directory.length + 1)
      .replace(/[.+]/g, '\\$&')
      .replace(/\*/g, '.*')}$`,
  );
  if (!sys.exists(directory)) return [];
  return [...sys.readdir(directory)]
    .filter((file) => name.test(file))
    .sort()
    .map((file) => `${directory}/${file}`);
}

async function sendSignal(process: Process, config: readonly Directive[], name: string): Promise<number> {
  const signal = ({ stop: 'SIGTERM', quit: 'SIGQUIT', reload: 'SIGHUP', reopen: 'SIGUSR1' } as const)[name];
  if (signal === undefined) return fail(process, `invalid option: "-s ${name}"`);
  const path = find(config, 'pid')?.args[0] ?? '/run/nginx.pid';
  try {
    process.sys.kill(Number(process.sys.readTextFile(path)), signal);
    return 0;
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return fail(process, `open() "${path}" failed (2: No such file or directory)`);
    if (isSysError(error, 'ESRCH')) return fail(process, `kill(${process.sys.readTextFile(path).trim()}, 15) failed (3: No such process)`);
    throw error;
  }
}

class Master {
  readonly #process: Process;
  readonly #sys: Syscalls;
  readonly #options: Options;
  readonly #version: string;
  #config: readonly Directive[];
  #site: Site;
  readonly #workers = new Set<number>();
  readonly #stop = new AbortController();
  #isQuitting = false;

  constructor(process: Process, config: readonly Directive[], options: Options, version: string) {
    this.#process = process;
    this.#sys = process.sys;
    this.#options = options;
    this.#version = version;
    this.#config = config;
    this.#site = this.#siteOf(config);
  }

  #siteOf(config: readonly Directive[]): Site {
    return new Site(this.#sys, find(config, 'http')?.block ?? [], this.#version);
  }

  async run(): Promise<number> {
    const sys = this.#sys;
    const process = this.#process;
    const missing = this.#missingLog();
    if (missing !== undefined) return fail(process, missing);
    let servers: readonly Promise<void>[];
    try {
      servers = this.#listen();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return fail(process, `bind() to ${error.message.split(': ').pop() ?? ''} failed (98: ${error.strerror})`);
    }
    await this.#note('using the "epoll" event method');
    await this.#note(`nginx/${this.#version}`);
    await this.#note('built by gcc 10.2.1 20210110 (Debian 10.2.1-6) ');
    await this.#note(`OS: Linux ${sys.kernel.release}`);
    await this.#note('getrlimit(RLIMIT_NOFILE): 1048576:1048576');
    const pidFile = find(this.#config, 'pid')?.args[0] ?? '/run/nginx.pid';
    sys.writeFile(pidFile, `${this.#ownPid()}\n`);
    await this.#note('start worker processes');
    await this.#startWorkers();
    sys.onSignal('SIGCHLD', () => void this.#reap());
    sys.onSignal('SIGHUP', () => void this.#reload());
    sys.onSignal('SIGUSR1', 'ignore');
    sys.onSignal('SIGWINCH', 'ignore');
    const how = await sys.block<'fast' | 'graceful'>((resolve) => {
      sys.onSignal('SIGTERM', () => resolve('fast'));
      sys.onSignal('SIGINT', () => resolve('fast'));
      sys.onSignal('SIGQUIT', () => resolve('graceful'));
      return undefined;
    });
    this.#isQuitting = true;
    await this.#note(`signal ${how === 'fast' ? '15 (SIGTERM)' : '3 (SIGQUIT)'} received, ${how === 'fast' ? 'exiting' : 'shutting down'}`);
    this.#stop.abort(new Error('nginx is shutting down'));
    await Promise.all(servers);
    for (const pid of this.#workers) this.#signalWorker(pid);
    await this.#note('exit');
    if (sys.exists(pidFile)) sys.unlink(pidFile);
    return 0;
  }

  /** Its pid as it sees it itself: 1 in a container. */
  #ownPid(): number {
    return (
      this.#sys.processes().find((entry) => entry.pid === this.#process.pid || entry.namespacePid === this.#process.pid)?.namespacePid ??
      this.#process.pid
    );
  }

  /** A log that cannot be opened keeps nginx from starting. */
  #missingLog(): string | undefined {
    const { sys } = { sys: this.#sys };
    const levels = [find(this.#config, 'http')?.block ?? [], ...this.#site.servers.map((server) => server.directives)];
    for (const directives of levels) {
      for (const log of directives.filter((directive) => directive.name === 'access_log' && directive.args[0] !== 'off')) {
        const path = (log.args[0] ?? '').replaceAll('$hostname', sys.hostname());
        const directory = path.slice(0, path.lastIndexOf('/'));
        if (directory !== '' && !sys.exists(directory)) return `open() "${path}" failed (2: No such file or directory)`;
      }
    }
    return undefined;
  }

  #listen(): readonly Promise<void>[] {
    const sys = this.#sys;
    const addresses = new Map<string, { readonly address: string; readonly port: number; readonly isTls: boolean }>();
    for (const server of this.#site.servers) for (const port of server.ports) addresses.set(`${port.address}:${port.port}`, port);
    const listeners: { readonly listener: Listener; readonly isTls: boolean }[] = [];
    for (const { address, port, isTls } of addresses.values()) {
      try {
        listeners.push({ listener: sys.net.listen({ address, port, pid: this.#process.pid }), isTls });
      } catch (error) {
        for (const open of listeners) open.listener.close();
        if (error instanceof SysError) throw new SysError(error.errno, `${address}:${port}`);
        throw error;
      }
    }
    return listeners.map(({ listener, isTls }) =>
      serveHttp(listener, this.#handler(listener.port), {
        clock: sys.clock,
        rng: sys.rng,
        signal: this.#stop.signal,
        ...(isTls ? { tls: { certificate: this.#certificate() } } : {}),
      }),
    );
  }

  /** The image's certificate signs itself and is made when the image is used for the first time. */
  #certificate(): Identity {
    const sys = this.#sys;
    const [certificate, key] = ['/etc/nginx/ssl/tls.crt', '/etc/nginx/ssl/tls.key'] as const;
    if (!sys.exists(certificate)) {
      const pair = generateKeyPair(sys.rng);
      const pem = createCertificate({
        subject: { commonName: sys.hostname(), organizations: [] },
        publicKeyPem: pair.publicKeyPem,
        issuer: { selfSignedBy: pair.privateKeyPem },
        serial: sys.rng.bytes(8),
        notBeforeMs: sys.now(),
        notAfterMs: sys.now() + 365 * 86_400_000,
        isCa: false,
        dnsNames: [sys.hostname()],
        addresses: [],
        usages: ['server'],
      });
      sys.mkdir('/etc/nginx/ssl', { recursive: true });
      sys.writeFile(certificate, pem);
      sys.writeFile(key, pair.privateKeyPem, { mode: 0o600 });
    }
    return { certificatePem: sys.readTextFile(certificate), privateKeyPem: sys.readTextFile(key) };
  }

  #handler(port: number): HttpHandler {
    return async (request, respond) => {
      const { answer, server, variables } = this.#site.answer(request, port);
      await respond.send({ status: answer.status, headers: answer.headers }, request.method === 'HEAD' ? '' : answer.body);
      for (const { path, line } of this.#site.accessLines(answer.location, server, variables)) await this.#writeLog(path, line);
      if (answer.error !== undefined) {
        const client = request.remoteAddress.replace(/:\d+$/, '');
        await this.#log(
          'error',
          `${answer.error}, client: ${client}, server: ${server.names[0] ?? ''}, request: "${request.method} ${request.target} HTTP/1.1", host: "${request.headers.get('host') ?? ''}"`,
        );
      }
    };
  }

  async #writeLog(path: string, line: string): Promise<void> {
    const sys = this.#sys;
    const target = this.#isLink(path) ? sys.readlink(path) : path;
    if (target === '/dev/stdout') await this.#process.stdout.write(utf8(line));
    else if (target === '/dev/stderr') await this.#process.stderr.write(utf8(line));
    else sys.writeFile(target, line, { append: true });
  }

  #isLink(path: string): boolean {
    try {
      return this.#sys.lstat(path).kind === 'symlink';
    } catch (error) {
      if (isSysError(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }

  async #note(message: string): Promise<void> {
    if (!this.#process.resumed || this.#isQuitting) await this.#log('notice', message);
  }

  async #log(level: Level, message: string): Promise<void> {
    const log = find(this.#config, 'error_log');
    const threshold = (log?.args[1] ?? 'error') as Level;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(threshold)) return;
    const pid = this.#ownPid();
    await this.#writeLog(log?.args[0] ?? '/dev/stderr', `${errorTime(this.#sys.now())} [${level}] ${pid}#${pid}: ${message}\n`);
  }

  async #startWorkers(): Promise<void> {
    const asked = find(this.#config, 'worker_processes')?.args[0] ?? '1';
    const count = asked === 'auto' ? this.#sys.kernel.cpus : Number(asked);
    for (let index = 0; index < count; index++) {
      const pid = this.#sys.fork(worker, { title: 'nginx: worker process' });
      this.#workers.add(pid);
      await this.#note(`start worker process ${pid}`);
    }
  }

  #signalWorker(pid: number): void {
    try {
      this.#sys.kill(pid, 'SIGTERM');
    } catch (error) {
      if (!isSysError(error, 'ESRCH')) throw error;
    }
  }

  async #reap(): Promise<void> {
    try {
      for (;;) {
        const ended = await this.#sys.wait(-1, { noHang: true });
        if (ended === undefined) return;
        if (!this.#workers.delete(ended.pid) || this.#isQuitting) continue;
        await this.#note(`worker process ${ended.pid} exited with code ${ended.kind === 'exited' ? ended.status : 0}`);
        const pid = this.#sys.fork(worker, { title: 'nginx: worker process' });
        this.#workers.add(pid);
        await this.#note(`start worker process ${pid}`);
      }
    } catch (error) {
      if (!isSysError(error, 'ECHILD')) throw error;
    }
  }

  async #reload(): Promise<void> {
    await this.#note('signal 1 (SIGHUP) received, reconfiguring');
    try {
      this.#config = load(this.#sys, this.#options);
      this.#site = this.#siteOf(this.#config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      await this.#log('emerg', error.message);
    }
  }
}

/** A worker: nginx accepts in here; in the model the master's sockets serve, and the worker is what ps shows and signals hit. */
async function worker(process: Process): Promise<number> {
  const { sys } = process;
  return sys.block<number>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) sys.onSignal(signal, () => resolve(0));
    return undefined;
  });
}
