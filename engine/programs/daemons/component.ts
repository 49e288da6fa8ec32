// What the daemons of the control plane share: flags as cobra takes them, klog lines, and a health port.

import { serveHttp } from '../../net/http-server.ts';
import type { HttpHandler } from '../../net/http.ts';
import { createCertificate, generateKeyPair } from '../../net/x509.ts';
import { utf8 } from '../../sim/bytes.ts';
import { SeededRng } from '../../sim/rng.ts';
import type { Process } from '../../kernel/process.ts';

/** What the flags said, or how the program ends: with `status` and what was printed. */
export type Flags = ReadonlyMap<string, string>;

export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** `--name=value`, `--name value`, `--bool`. Throws FlagError with pflag's words. */
export function parseFlags(
  argv: readonly string[],
  known: { readonly values: readonly string[]; readonly booleans: readonly string[] },
): Flags {
  const flags = new Map<string, string>();
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i]!;
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(argument);
    if (match === null) throw new FlagError(`unknown command "${argument}"`);
    const [, name = '', inline] = match;
    if (known.booleans.includes(name)) flags.set(name, inline ?? 'true');
    else if (known.values.includes(name)) {
      const value = inline ?? argv[++i];
      if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
      flags.set(name, value);
    } else throw new FlagError(`unknown flag: --${name}`);
  }
  return flags;
}

/** Go's duration (`5s`, `1m0s`, `8760h0m0s`) in milliseconds. Throws FlagError. */
export function durationMs(flags: Flags, name: string, fallbackMs: number): number {
  const text = flags.get(name);
  if (text === undefined) return fallbackMs;
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let total = 0;
  const rest = text.replace(/([\d.]+)(ms|h|m|s)/g, (_, number: string, unit: string) => {
    total += Number(number) * units[unit]!;
    return '';
  });
  if (rest !== '' || text === '') {
    throw new FlagError(`invalid argument "${text}" for "--${name}" flag: time: invalid duration "${text}"`);
  }
  return total;
}

export function numberFlag(flags: Flags, name: string, fallback: number): number {
  const text = flags.get(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) {
    throw new FlagError(`invalid argument "${text}" for "--${name}" flag: strconv.ParseFloat: parsing "${text}": invalid syntax`);
  }
  return value;
}

/** klog to stderr: `I1121 02:10:03.123456       1 file.go:12] text`. */
export function klog(process: Process, source: string): (severity: 'I' | 'W' | 'E', text: string) => void {
  return (severity, text) => {
    const now = new Date(process.sys.now()).toISOString();
    const line = `${severity}${now.slice(5, 7)}${now.slice(8, 10)} ${now.slice(11, 23)}000 ${String(process.pid).padStart(7)} ${source}] ${text}\n`;
    // A log line that cannot be written has nobody left to be told.
    process.stderr.write(utf8(line)).catch((): void => {});
  };
}

/** Serves until `signal`; with `tls` under a certificate of its own, as these daemons make one when given none. */
export function servePort(
  process: Process,
  options: {
    readonly address: string;
    readonly port: number;
    readonly tls?: string;
    readonly handler: HttpHandler;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { sys } = process;
  const listener = sys.net.listen({ address: options.address, port: options.port, pid: process.pid });
  return serveHttp(listener, options.handler, {
    clock: sys.clock,
    rng: sys.rng,
    signal: options.signal,
    onFault: (error) =>
      klog(process, 'server.go:3095')('E', `http: panic serving: ${error instanceof Error ? error.message : String(error)}`),
    ...(options.tls === undefined ? {} : { tls: { certificate: selfSigned(process, options.tls) } }),
  });
}

function selfSigned(process: Process, host: string): { readonly certificatePem: string; readonly privateKeyPem: string } {
  const { sys } = process;
  const keys = generateKeyPair(sys.rng);
  const nowMs = sys.now();
  const certificatePem = createCertificate({
    subject: { commonName: `${host}@${Math.floor(nowMs / 1000)}`, organizations: [] },
    publicKeyPem: keys.publicKeyPem,
    issuer: { selfSignedBy: keys.privateKeyPem },
    serial: Uint8Array.from([2]),
    notBeforeMs: nowMs - 3_600_000,
    notAfterMs: nowMs + 365 * 86_400_000,
    dnsNames: [host],
    addresses: ['127.0.0.1'],
    usages: ['server'],
  });
  return { certificatePem, privateKeyPem: keys.privateKeyPem };
}

/** /healthz answers ok, other paths 404. */
export function healthHandler(paths: readonly string[] = ['/healthz', '/livez', '/readyz']): HttpHandler {
  return async (request, respond) => {
    const path = request.target.split('?')[0] ?? '';
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
    if (paths.includes(path)) await respond.send({ status: 200, headers }, 'ok');
    else await respond.send({ status: 404, headers }, '404 page not found\n');
  };
}

/**
 * What leader election calls this process: host name and a UUID. It belongs to the process and not to chance alone, so that
 * a leader that a saved lab had is still the leader when the lab goes on.
 */
export function electionIdentity(process: Process): string {
  const { sys } = process;
  const own = sys.processes().find((info) => info.pid === process.pid);
  const name = `${sys.hostname()} ${process.argv[0] ?? ''} ${own?.startMs ?? 0}`;
  return `${sys.hostname()}_${uuidOf(new SeededRng(1).fork(name).bytes(16))}`;
}

function uuidOf(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * Runs a daemon until it returns a status, SIGTERM comes or the process ends; `signal` aborts in every case. Loops of the
 * daemon wait on the clock, which knows no processes, so they must get this signal. As the first process of a container it
 * would not die of SIGTERM: Go's runtime exits with status 2 instead.
 */
export async function untilEnd(
  process: Process,
  run: (signal: AbortSignal, onTerminate: (farewell: () => Promise<void>) => void) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  let farewell = (): Promise<void> => Promise.resolve();
  try {
    return await process.sys.block<number>((resolve, reject) => {
      const fail = (error: unknown): void => reject(error instanceof Error ? error : new Error(String(error)));
      process.sys.onSignal('SIGTERM', () => {
        farewell().then(() => resolve(2), fail);
      });
      run(stop.signal, (last) => (farewell = last)).then(resolve, fail);
      return undefined;
    });
  } finally {
    stop.abort(new Error('the process ended'));
  }
}

/** The text and status of a program that does not understand its flags. */
export async function flagsOrExit(process: Process, parse: () => Flags): Promise<Flags | undefined> {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    await process.stderr.write(utf8(`Error: ${error.message}\n`));
    return undefined;
  }
}
