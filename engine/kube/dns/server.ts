// Models CoreDNS 1.7.0 as the cluster's DNS: one server block with the kubernetes zone, forwarding and a cache.

import { serveHttp } from '../../net/http-server.ts';
import { decodeDns, encodeDns, type DnsMessage, type DnsQuestion, type DnsRecord } from '../../net/dns.ts';
import { ask, parseResolvConf } from '../../net/resolver.ts';
import type { UdpSocket } from '../../net/net-stack.ts';
import { md5 } from '@noble/hashes/legacy.js';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Process } from '../../kernel/process.ts';
import { createClient, userAgentOf } from '../client/connect.ts';
import type { InformerSet } from '../client/contracts.ts';
import { SharedInformers } from '../client/informer.ts';
import { loadClientConfig } from '../client/kubeconfig.ts';
import { ENDPOINTS, NAMESPACE, SERVICE } from '../machinery/resources.ts';
import type { Endpoints, Namespace, Service } from '../machinery/types.ts';
import { parseCorefile, type Plugin, type ServerBlock } from './corefile.ts';
import { ClusterZone } from './zone.ts';

/** A forwarded question is tried this long at each server (plugin/forward). */
const FORWARD_TIMEOUT_MS = 5000;
/** Looked at this often for a changed Corefile (plugin/reload: 30 s, with jitter left out). */
const RELOAD_MS = 30_000;
const VERSION = '1.7.0';

interface Cached {
  readonly message: DnsMessage;
  readonly untilMs: number;
}

export class CoreDns {
  readonly #process: Process;
  readonly #signal: AbortSignal;
  readonly #corefilePath: string;
  readonly #cache = new Map<string, Cached>();
  readonly #informers: InformerSet;
  readonly #sources;
  #block: ServerBlock;
  #corefile: string;

  constructor(process: Process, options: { readonly corefile: string; readonly signal: AbortSignal }) {
    this.#process = process;
    this.#signal = options.signal;
    this.#corefilePath = options.corefile;
    this.#corefile = process.sys.readTextFile(options.corefile);
    this.#block = firstBlock(this.#corefile);
    const client = createClient(process, loadClientConfig(process), { userAgent: userAgentOf('coredns') });
    this.#informers = new SharedInformers({ client, clock: process.sys.clock, rng: process.sys.rng });
    this.#sources = {
      services: this.#informers.for<Service>(SERVICE),
      endpoints: this.#informers.for<Endpoints>(ENDPOINTS),
      namespaces: this.#informers.for<Namespace>(NAMESPACE),
    };
  }

  async run(): Promise<number> {
    const { sys } = this.#process;
    this.#informers.start(this.#signal);
    const socket = sys.net.udp({ address: '0.0.0.0', port: this.#block.port, pid: this.#process.pid });
    const http = [
      this.#httpPlugin('health', 8080, () => true, 'OK'),
      this.#httpPlugin('ready', 8181, () => this.#isReady, 'OK'),
      this.#metrics(),
    ];
    if (!this.#process.resumed)
      await this.#log(
        `.:${this.#block.port}\n[INFO] plugin/reload: Running configuration MD5 = ${toHex(md5(utf8(this.#corefile)))}\nCoreDNS-${VERSION}\nlinux/amd64, go1.14.4, f59c03d`,
      );
    await Promise.all([this.#serve(socket), this.#watchCorefile(), ...http]);
    return 0;
  }

  get #isReady(): boolean {
    return this.#sources.services.hasSynced && this.#sources.endpoints.hasSynced && this.#sources.namespaces.hasSynced;
  }

  async #serve(socket: UdpSocket): Promise<void> {
    for (;;) {
      const { bytes, from, to } = await socket.receive(this.#signal);
      const message = decodeDns(bytes);
      if (message === undefined || message.isResponse) continue;
      void this.#reply(socket, message, from, to);
    }
  }

  async #reply(
    socket: UdpSocket,
    message: DnsMessage,
    to: { readonly address: string; readonly port: number },
    from: string,
  ): Promise<void> {
    const answer = await this.answer(message);
    if (this.#signal.aborted) return;
    try {
      socket.send(encodeDns(answer), to, from);
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
  }

  /** The whole answer to a question. */
  async answer(message: DnsMessage): Promise<DnsMessage> {
    const question = message.questions[0];
    const base = {
      id: message.id,
      isResponse: true,
      recursionAvailable: true,
      recursionDesired: message.recursionDesired === true,
      questions: message.questions,
    };
    if (question === undefined) return { ...base, code: 'FORMERR', answers: [] };
    const zone = this.#zone();
    const lower: DnsQuestion = { ...question, name: question.name.toLowerCase() };
    if (zone?.holds(lower.name) === true) return { ...base, ...(await this.#fromZone(zone, lower)) };
    const reverse = lower.type === 'PTR' ? zone?.reverse(lower) : undefined;
    if (reverse !== undefined) return { ...base, isAuthoritative: true, code: 'NOERROR', answers: reverse };
    const forwarded = await this.#forward(lower);
    return {
      ...base,
      code: forwarded.code,
      answers: forwarded.answers,
      ...(forwarded.authority === undefined ? {} : { authority: forwarded.authority }),
    };
  }

  async #fromZone(zone: ClusterZone, question: DnsQuestion): Promise<Omit<DnsMessage, 'id' | 'isResponse' | 'questions'>> {
    const { code, answers, additional } = zone.answer(question);
    const alias = answers[0];
    if (alias?.type === 'CNAME' && question.type !== 'CNAME') {
      const target = await this.answer({
        id: 0,
        isResponse: false,
        code: 'NOERROR',
        questions: [{ name: alias.data, type: question.type }],
        answers: [],
      });
      return { isAuthoritative: true, code: 'NOERROR', answers: [alias, ...target.answers] };
    }
    if (answers.length === 0) return { isAuthoritative: true, code, answers: [], authority: [zone.soa(this.#process.sys.now())] };
    return { isAuthoritative: true, code, answers: this.#shuffled(answers), additional };
  }

  /** plugin/loadbalance: addresses in turn. */
  #shuffled(answers: readonly DnsRecord[]): readonly DnsRecord[] {
    if (this.#plugin('loadbalance') === undefined || answers.length < 2) return answers;
    const start = this.#process.sys.rng.int(answers.length);
    return [...answers.slice(start), ...answers.slice(0, start)];
  }

  async #forward(question: DnsQuestion): Promise<DnsMessage> {
    const refused: DnsMessage = { id: 0, isResponse: true, code: 'REFUSED', questions: [question], answers: [] };
    const forward = this.#plugin('forward');
    if (forward === undefined) return refused;
    const { sys } = this.#process;
    const key = `${question.type} ${question.name}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.untilMs > sys.now()) return cached.message;
    const servers = forward.args
      .slice(1)
      .flatMap((target) => (target.startsWith('/') ? parseResolvConf(sys.readTextFile(target)).servers : [target.replace(/:53$/, '')]));
    for (const server of servers) {
      const answer = await ask(server, question.name, question.type, FORWARD_TIMEOUT_MS, {
        net: sys.net,
        clock: sys.clock,
        rng: sys.rng,
        signal: this.#signal,
      });
      if (answer === undefined) continue;
      this.#remember(key, answer);
      return answer;
    }
    await this.#log(`[ERROR] plugin/errors: 2 ${question.name}. ${question.type}: read udp ->${servers[0] ?? ''}:53: i/o timeout`);
    return { ...refused, code: 'SERVFAIL' };
  }

  #remember(key: string, message: DnsMessage): void {
    const limit = Number(this.#plugin('cache')?.args[0] ?? 0);
    if (limit === 0) return;
    const ttl = Math.min(limit, ...message.answers.map((record) => record.ttl));
    this.#cache.set(key, { message, untilMs: this.#process.sys.now() + ttl * 1000 });
  }

  #zone(): ClusterZone | undefined {
    const plugin = this.#plugin('kubernetes');
    const domain = plugin?.args[0];
    if (plugin === undefined || domain === undefined) return undefined;
    const ttl = Number(plugin.options.find(([name]) => name === 'ttl')?.[1] ?? '5');
    const { services, endpoints, namespaces } = this.#sources;
    return new ClusterZone(domain, {
      ttl,
      sources: { services: services.lister, endpoints: endpoints.lister, namespaces: namespaces.lister },
    });
  }

  #plugin(name: string): Plugin | undefined {
    return this.#block.plugins.find((plugin) => plugin.name === name);
  }

  async #httpPlugin(name: string, port: number, isUp: () => boolean, text: string): Promise<void> {
    const plugin = this.#plugin(name);
    if (plugin === undefined) return;
    const { sys } = this.#process;
    const path = `/${name}`;
    const listener = sys.net.listen({
      address: '0.0.0.0',
      port: Number(/:(\d+)$/.exec(plugin.args[0] ?? '')?.[1] ?? port),
      pid: this.#process.pid,
    });
    await serveHttp(
      listener,
      async (request, respond) => {
        if (request.target !== path)
          await respond.send({ status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, '404 page not found\n');
        else await respond.send({ status: isUp() ? 200 : 503 }, isUp() ? text : 'kubernetes');
      },
      { clock: sys.clock, signal: this.#signal },
    );
  }

  async #metrics(): Promise<void> {
    const plugin = this.#plugin('prometheus');
    if (plugin === undefined) return;
    const { sys } = this.#process;
    const listener = sys.net.listen({
      address: '0.0.0.0',
      port: Number(/:(\d+)$/.exec(plugin.args[0] ?? '')?.[1] ?? 9153),
      pid: this.#process.pid,
    });
    const body = `# TYPE coredns_build_info gauge\ncoredns_build_info{goversion="go1.14.4",revision="f59c03d",version="${VERSION}"} 1\n`;
    await serveHttp(
      listener,
      (request, respond) =>
        request.target === '/metrics'
          ? respond.send({ status: 200, headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' } }, body)
          : respond.send({ status: 404 }, '404 page not found\n'),
      { clock: sys.clock, signal: this.#signal },
    );
  }

  async #watchCorefile(): Promise<void> {
    const { sys } = this.#process;
    for (;;) {
      await sys.clock.sleep(RELOAD_MS, this.#signal);
      const now = sys.readTextFile(this.#corefilePath);
      if (now === this.#corefile) continue;
      this.#corefile = now;
      try {
        this.#block = firstBlock(now);
        await this.#log('[INFO] Reloading\n[INFO] Reloading complete');
      } catch (error) {
        await this.#log(`[ERROR] Restart failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  async #log(text: string): Promise<void> {
    await this.#process.stdout.write(utf8(`${text}\n`));
  }
}

function firstBlock(corefile: string): ServerBlock {
  return parseCorefile(corefile)[0] ?? { zones: ['.'], port: 53, plugins: [] };
}
