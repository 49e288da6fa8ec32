// Models what lies behind the NAT adapter: name servers, and hosts that answer pings and, where registered, HTTP and HTTPS.

import type { Clock } from '../../sim/clock.ts';
import { SysError } from '../../sim/errno.ts';
import { SeededRng, type Rng } from '../../sim/rng.ts';
import { addressOfReverseName, decodeDns, encodeDns, type DnsMessage, type DnsRecord } from '../dns.ts';
import { serveConnection, serveHttp } from '../http-server.ts';
import type { HttpHandler } from '../http.ts';
import type { OwnedNetStack, UdpSocket } from '../net-stack.ts';
import { createNetStack } from '../stack.ts';
import { createCertificate, generateKeyPair } from '../x509.ts';
import type { Identity } from '../tls.ts';
import { FixedNetHost } from './fixed-host.ts';

export const PUBLIC_NAME_SERVERS: readonly string[] = ['1.1.1.1', '8.8.8.8', '1.0.0.1', '8.8.4.4'];

/** Names that exist whether or not somebody registered a site there; addresses out of blocks that belong to their owners. */
const CATALOGUE: Readonly<Record<string, string>> = {
  'registry-1.docker.io': '34.237.244.67',
  'auth.docker.io': '34.226.69.105',
  'index.docker.io': '34.205.13.154',
  'production.cloudflare.docker.com': '104.18.122.25',
  'docker.io': '54.156.140.159',
  'hub.docker.com': '44.219.3.189',
  'download.docker.com': '13.225.117.51',
  'k8s.gcr.io': '142.250.206.241',
  'gcr.io': '142.250.157.82',
  'registry.k8s.io': '34.96.108.209',
  'quay.io': '52.54.132.118',
  'cdn.quay.io': '13.225.117.104',
  'ghcr.io': '20.200.245.241',
  'github.com': '20.200.245.247',
  'raw.githubusercontent.com': '185.199.108.133',
  'objects.githubusercontent.com': '185.199.109.133',
  'packages.cloud.google.com': '142.250.207.46',
  'storage.googleapis.com': '142.250.206.208',
  'dl.k8s.io': '34.107.204.206',
  'docs.projectcalico.org': '34.234.106.80',
  'mirror.kakao.com': '113.29.189.165',
  'mirror.navercorp.com': '125.209.216.167',
  'mirrorlist.centos.org': '18.225.36.18',
  'mirrors.fedoraproject.org': '38.145.60.20',
  'google.com': '142.250.206.206',
  'www.google.com': '142.250.206.228',
  'naver.com': '223.130.195.200',
  'www.naver.com': '223.130.200.107',
  'one.one.one.one': '1.1.1.1',
  'dns.google': '8.8.8.8',
};

const ANSWER_TTL_SECONDS = 300;
/** Sites that are registered without a catalogue entry get addresses from here (TEST-NET-3 and its neighbours). */
const SPARE_BLOCK = '203.0.113';
const YEAR_MS = 365 * 24 * 3_600_000;

const AUTHORITY_SEED = 443;

export class Internet {
  readonly net: OwnedNetStack;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #addresses = new Map<string, string>(Object.entries(CATALOGUE));
  readonly #sites = new Map<string, { readonly handler: HttpHandler; identity: Identity | undefined }>();
  readonly #stop = new AbortController();
  #authority: Identity | undefined;
  #spare = 10;

  constructor(options: { readonly clock: Clock; readonly rng: Rng }) {
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.net = createNetStack({
      namespace: 'internet',
      clock: options.clock,
      rng: options.rng.fork('internet'),
      host: new FixedNetHost({ 'net.ipv4.ip_forward': '1' }),
    });
    this.net.setLink('lo', { isUp: true });
    // A packet for an address nobody here has wanders off and is never heard of again.
    this.net.addRoute({ destination: '0.0.0.0/0', type: 'blackhole', protocol: 'static', scope: 'global' });
    for (const address of new Set([...PUBLIC_NAME_SERVERS, ...this.#addresses.values()])) this.#own(address);
    for (const address of PUBLIC_NAME_SERVERS) void this.serveNames(this.net.udp({ address, port: 53 }));
  }

  /** The certificate all sites' certificates are signed with; it belongs into the machines' trust store. */
  get authorityPem(): string {
    return this.#authorityIdentity().certificatePem;
  }

  /** Answers HTTP and HTTPS for a host. Its name resolves from now on. */
  registerSite(host: string, handler: HttpHandler): void {
    if (this.#sites.has(host)) throw new SysError('EEXIST', host);
    let address = this.#addresses.get(host);
    if (address === undefined) {
      address = `${SPARE_BLOCK}.${this.#spare++}`;
      this.#addresses.set(host, address);
      this.#own(address);
    }
    const site = { handler, identity: undefined };
    this.#sites.set(host, site);
    const plain = this.net.listen({ address, port: 80 });
    void serveHttp(plain, handler, { clock: this.#clock, signal: this.#stop.signal });
    void this.#serveTls(host, address, site);
  }

  /** Adds a name without a site: it resolves and answers pings. */
  registerName(host: string, address: string): void {
    this.#addresses.set(host.toLowerCase(), address);
    this.#own(address);
  }

  /** Answers questions that arrive at a socket, until the socket closes. */
  async serveNames(socket: UdpSocket): Promise<void> {
    for (;;) {
      let datagram;
      try {
        datagram = await socket.receive();
      } catch (error) {
        if (error instanceof SysError && error.errno === 'EBADF') return;
        throw error;
      }
      const question = decodeDns(datagram.bytes);
      if (question === undefined || question.isResponse) continue;
      try {
        socket.send(encodeDns(this.answer(question)), datagram.from, datagram.to);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
      }
    }
  }

  /** The answer to a question, as a recursive server gives it. */
  answer(message: DnsMessage): DnsMessage {
    const question = message.questions[0];
    const base = {
      id: message.id,
      isResponse: true,
      recursionDesired: message.recursionDesired ?? false,
      recursionAvailable: true,
      questions: message.questions,
    };
    if (question === undefined) return { ...base, code: 'FORMERR', answers: [] };
    const name = question.name.toLowerCase();
    if (question.type === 'PTR') {
      const address = addressOfReverseName(name);
      const found = [...this.#addresses].find(([, one]) => one === address);
      const answers: DnsRecord[] =
        found === undefined ? [] : [{ name: question.name, type: 'PTR', ttl: ANSWER_TTL_SECONDS, data: found[0] }];
      return {
        ...base,
        code: found === undefined ? 'NXDOMAIN' : 'NOERROR',
        answers,
        ...(found === undefined ? { authority: [soaOf(name)] } : {}),
      };
    }
    const address = this.#addresses.get(name);
    if (address === undefined) return { ...base, code: 'NXDOMAIN', answers: [], authority: [soaOf(name)] };
    if (question.type !== 'A' && question.type !== 'ANY') return { ...base, code: 'NOERROR', answers: [], authority: [soaOf(name)] };
    return { ...base, code: 'NOERROR', answers: [{ name: question.name, type: 'A', ttl: ANSWER_TTL_SECONDS, data: address }] };
  }

  dispose(): void {
    this.#stop.abort(new SysError('EBADF'));
    this.net.dispose();
  }

  #own(address: string): void {
    if (!this.net.addresses().some((one) => one.address === address)) this.net.addAddress('lo', `${address}/32`, { scope: 'global' });
  }

  /** Certificates are made when first asked for: most sites of most labs are never visited. */
  async #serveTls(host: string, address: string, site: { readonly handler: HttpHandler; identity: Identity | undefined }): Promise<void> {
    const listener = this.net.listen({ address, port: 443 });
    for (;;) {
      let connection;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (error instanceof SysError && error.errno === 'EBADF') return;
        throw error;
      }
      site.identity ??= this.#identityFor(host);
      void serveConnection(connection, site.handler, { clock: this.#clock, tls: { certificate: site.identity } });
    }
  }

  #identityFor(host: string): Identity {
    const keys = generateKeyPair(this.#rng.fork(`site ${host}`));
    const certificatePem = createCertificate({
      subject: { commonName: host, organizations: [] },
      publicKeyPem: keys.publicKeyPem,
      issuer: this.#authorityIdentity(),
      serial: Uint8Array.of(2),
      notBeforeMs: this.#clock.now() - YEAR_MS,
      notAfterMs: this.#clock.now() + YEAR_MS,
      dnsNames: [host],
      usages: ['server'],
    });
    return { certificatePem, privateKeyPem: keys.privateKeyPem };
  }

  #authorityIdentity(): Identity {
    if (this.#authority !== undefined) return this.#authority;
    // The same for every lab: machines' images carry the certificate, and nobody outside of a lab trusts it.
    const keys = generateKeyPair(new SeededRng(AUTHORITY_SEED));
    const certificatePem = createCertificate({
      subject: { commonName: 'NoBox Internet Root CA', organizations: ['NoBox'] },
      publicKeyPem: keys.publicKeyPem,
      issuer: { selfSignedBy: keys.privateKeyPem },
      serial: Uint8Array.of(1),
      // Fixed, so that a saved lab and a fresh one trust the same certificate.
      notBeforeMs: Date.UTC(2015, 0, 1),
      notAfterMs: Date.UTC(2045, 0, 1),
      isCa: true,
    });
    this.#authority = { certificatePem, privateKeyPem: keys.privateKeyPem };
    return this.#authority;
  }
}

/** The zone a missing name would be in, for the negative answer. */
function soaOf(name: string): DnsRecord {
  const zone = name.split('.').pop() ?? '';
  return { name: zone, type: 'SOA', ttl: 900, data: 'a.root-servers.net nstld.verisign-grs.com 2024010100 1800 900 604800 86400' };
}
