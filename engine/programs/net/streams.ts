// Models nc (nmap-ncat 7.50), telnet 0.17 and wget 1.14, as far as people poke at ports with them.

import type { Connection, Process, Program } from '../../kernel/process.ts';
import { HttpClient } from '../../net/http-client.ts';
import { connectTls, TlsError } from '../../net/tls.ts';
import { X509Error } from '../../net/x509.ts';
import { isSysError } from '../../sim/errno.ts';
import { err, Interrupt, lookup, out, readIfThere } from './io.ts';

export const nc: Program = {
  name: 'nc',
  paths: ['/usr/bin/nc', '/usr/bin/ncat'],
  async main(process) {
    const words: string[] = [];
    let listen = false;
    let keep = false;
    let zero = false;
    let verbose = false;
    let udp = false;
    let waitMs: number | undefined;
    let port: number | undefined;
    const args = process.argv.slice(1);
    while (args.length > 0) {
      const arg = args.shift()!;
      if (!arg.startsWith('-')) {
        words.push(arg);
        continue;
      }
      for (let at = 1; at < arg.length; at++) {
        const letter = arg[at]!;
        if (letter === 'l') listen = true;
        else if (letter === 'k') keep = true;
        else if (letter === 'z') zero = true;
        else if (letter === 'v') verbose = true;
        else if (letter === 'u') udp = true;
        else if (letter === 'n' || letter === '4') continue;
        else if (letter === 'w' || letter === 'p') {
          const value = arg.slice(at + 1) || (args.shift() ?? '');
          if (letter === 'w') waitMs = Number(value.replace(/s$/, '')) * 1000;
          else port = Number(value);
          break;
        } else {
          await err(
            process,
            `nc: invalid option -- '${letter}'\nNcat: Try \`--help' or man(1) ncat for more information, usage options and help. QUITTING.\n`,
          );
          return 2;
        }
      }
    }
    const { net, clock } = process.sys;
    if (verbose) await err(process, 'Ncat: Version 7.50 ( https://nmap.org/ncat )\n');
    if (listen) {
      const target = port ?? Number(words.at(-1) ?? 31_337);
      try {
        const listener = net.listen({ address: words.length > 1 ? words[0]! : '0.0.0.0', port: target });
        if (verbose) await err(process, `Ncat: Listening on 0.0.0.0:${target}\n`);
        do {
          const connection = await listener.accept();
          if (verbose)
            await err(
              process,
              `Ncat: Connection from ${connection.remoteAddress.split(':')[0]}.\nNcat: Connection from ${connection.remoteAddress}.\n`,
            );
          await talk(process, connection);
        } while (keep);
        return 0;
      } catch (error) {
        if (!isSysError(error)) throw error;
        await err(process, `Ncat: bind to 0.0.0.0:${target}: ${error.strerror}. QUITTING.\n`);
        return 2;
      }
    }
    const [host, portText] = words;
    const target = Number(portText ?? port ?? 31_337);
    if (host === undefined) {
      await err(process, 'Ncat: You must specify a host to connect to. QUITTING.\n');
      return 2;
    }
    const found = await lookup(process, host);
    if (found.kind !== 'found') {
      await err(process, `Ncat: Could not resolve hostname "${host}": Name or service not known. QUITTING.\n`);
      return 2;
    }
    const address = found.addresses[0]!;
    if (udp) {
      const socket = net.udp({});
      for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read())
        socket.send(chunk, { address, port: target });
      return 0;
    }
    const giveUp = new AbortController();
    const timedOut = new Error('timed out');
    const timer = waitMs === undefined ? undefined : clock.setTimer(waitMs, () => giveUp.abort(timedOut));
    try {
      const connection = await net.connect({ address, port: target, signal: giveUp.signal });
      timer?.dispose();
      if (verbose) await err(process, `Ncat: Connected to ${address}:${target}.\n`);
      if (zero) {
        connection.close();
        if (verbose) await err(process, 'Ncat: 0 bytes sent, 0 bytes received in 0.01 seconds.\n');
        return 0;
      }
      await talk(process, connection);
      return 0;
    } catch (error) {
      timer?.dispose();
      if (error !== timedOut && !isSysError(error)) throw error;
      await err(process, `Ncat: ${isSysError(error) ? error.strerror : 'Connection timed out'}.\n`);
      return 1;
    }
  },
};

/** Both directions at once, until the other side has closed. */
async function talk(process: Process, connection: Connection): Promise<void> {
  const over = new AbortController();
  const finished = new Error('over');
  const sending = (async () => {
    for (;;) {
      const bytes = await process.stdin.read(undefined, over.signal);
      if (bytes === undefined) {
        connection.shutdownWrite();
        return;
      }
      await connection.write(bytes);
    }
  })().catch((error: unknown) => {
    if (error !== finished && !isSysError(error)) throw error;
  });
  try {
    for (;;) {
      const bytes = await connection.read();
      if (bytes === undefined) break;
      await process.stdout.write(bytes);
    }
  } finally {
    over.abort(finished);
    connection.close();
  }
  await sending;
}

export const telnet: Program = {
  name: 'telnet',
  async main(process) {
    const [host, portText = '23'] = process.argv.slice(1).filter((arg) => !arg.startsWith('-'));
    if (host === undefined) {
      await err(process, 'not emulated: interactive telnet commands\n');
      return 1;
    }
    const found = await lookup(process, host);
    if (found.kind !== 'found') {
      await err(process, `telnet: ${host}: Name or service not known\n${host}: Unknown host\n`);
      return 1;
    }
    const address = found.addresses[0]!;
    await out(process, `Trying ${address}...\n`);
    const interrupt = new Interrupt(process);
    try {
      const connection = await process.sys.net.connect({ address, port: Number(portText), signal: interrupt.signal });
      await out(process, `Connected to ${host}.\nEscape character is '^]'.\n`);
      await talk(process, connection);
      await err(process, 'Connection closed by foreign host.\n');
      return 1;
    } catch (error) {
      if (error === interrupt.reason) return 130;
      if (!isSysError(error)) throw error;
      await err(process, `telnet: connect to address ${address}: ${error.strerror}\n`);
      return 1;
    }
  },
};

export const wget: Program = {
  name: 'wget',
  async main(process) {
    const args = process.argv.slice(1);
    let output: string | undefined;
    let quiet = false;
    let insecure = false;
    let timeoutMs: number | undefined;
    const urls: string[] = [];
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-q' || arg === '--quiet') quiet = true;
      else if (arg === '-O') output = args.shift();
      else if (arg === '-qO-' || arg === '-qO' || arg === '-O-') {
        quiet ||= arg.startsWith('-q');
        output = arg.endsWith('-') && arg !== '-qO' ? '-' : args.shift();
      } else if (arg === '--no-check-certificate') insecure = true;
      else if (arg === '-T' || arg === '-t') {
        const value = args.shift();
        if (arg === '-T') timeoutMs = Number(value) * 1000;
      } else if (arg.startsWith('--timeout=')) timeoutMs = Number(arg.slice(10)) * 1000;
      else if (arg.startsWith('--tries=') || arg === '-nv' || arg === '--spider' || arg === '-c') continue;
      else if (arg.startsWith('-')) {
        await err(
          process,
          `wget: unrecognized option '${arg}'\nUsage: wget [OPTION]... [URL]...\n\nTry \`wget --help' for more options.\n`,
        );
        return 2;
      } else urls.push(arg);
    }
    if (urls.length === 0) {
      await err(process, "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n");
      return 1;
    }
    let status = 0;
    for (const url of urls) status = await fetch(process, url, { output, quiet, insecure, timeoutMs, redirects: 20 });
    return status;
  },
};

interface FetchOptions {
  readonly output: string | undefined;
  readonly quiet: boolean;
  readonly insecure: boolean;
  readonly timeoutMs: number | undefined;
  readonly redirects: number;
}

async function fetch(process: Process, given: string, options: FetchOptions): Promise<number> {
  const { sys } = process;
  const url = /^https?:\/\//.test(given) ? given : `http://${given}`;
  const parts = /^(https?):\/\/([^/:?]+)(?::(\d+))?([^#]*)/.exec(url);
  const say = (message: string): Promise<void> => (options.quiet ? Promise.resolve() : err(process, message));
  if (parts === null) {
    await say(`${given}: Unsupported scheme.\n`);
    return 1;
  }
  const [, scheme = 'http', host = ''] = parts;
  const port = Number(parts[3] ?? (scheme === 'https' ? 443 : 80));
  const path = parts[4] === '' ? '/' : parts[4]!;
  const shown = url + (parts[4] === '' ? '/' : '');
  const date = new Date(sys.now());
  await say(`--${date.toISOString().slice(0, 19).replace('T', ' ')}--  ${shown}\n`);
  const found = await lookup(process, host);
  if (found.kind !== 'found') {
    await say(
      `Resolving ${host} (${host})... failed: Name or service not known.\nwget: unable to resolve host address '${host}'\n`
        .replaceAll("'", '’')
        .replace(/’(.*)’/, '‘$1’'),
    );
    return 4;
  }
  const address = found.addresses[0]!;
  if (host !== address) await say(`Resolving ${host} (${host})... ${address}\n`);
  await say(`Connecting to ${host === address ? address : `${host} (${host})|${address}|`}:${port}... `);
  const giveUp = new AbortController();
  const timedOut = new Error('timed out');
  const timer = options.timeoutMs === undefined ? undefined : sys.clock.setTimer(options.timeoutMs, () => giveUp.abort(timedOut));
  try {
    let connection = await sys.net.connect({ address, port, signal: giveUp.signal });
    await say('connected.\n');
    if (scheme === 'https') {
      connection = await connectTls(connection, {
        serverName: host,
        insecure: options.insecure,
        nowMs: sys.now(),
        rng: sys.rng,
        ca: readIfThere(process, '/etc/pki/tls/certs/ca-bundle.crt'),
      });
    }
    const client = new HttpClient({
      connect: () => Promise.resolve(connection),
      host: port === 80 || port === 443 ? host : `${host}:${port}`,
    });
    const response = await client.request({
      method: 'GET',
      target: path,
      headers: { 'User-Agent': 'Wget/1.14 (linux-gnu)', Accept: '*/*', Connection: 'Keep-Alive' },
      signal: giveUp.signal,
    });
    await say(`HTTP request sent, awaiting response... ${response.status} ${response.reason}\n`);
    const location = response.headers.get('location');
    if (location !== undefined && response.status >= 300 && response.status < 400 && options.redirects > 0) {
      client.close();
      await say(`Location: ${location} [following]\n`);
      return await fetch(process, location.startsWith('/') ? `${scheme}://${host}:${port}${location}` : location, {
        ...options,
        redirects: options.redirects - 1,
      });
    }
    if (response.status >= 400) {
      client.close();
      await say(`${date.toISOString().slice(0, 19).replace('T', ' ')} ERROR ${response.status}: ${response.reason}.\n\n`);
      return 8;
    }
    const length = response.headers.get('content-length');
    const type = response.headers.get('content-type')?.split(';')[0];
    await say(`Length: ${length ?? 'unspecified'}${type === undefined ? '' : ` [${type}]`}\n`);
    const name = options.output ?? freeName(process, path.split('?')[0]!.split('/').pop() || 'index.html');
    await say(`Saving to: ${name === '-' ? '‘STDOUT’' : `‘${name}’`}\n\n`);
    const fd = name === '-' ? undefined : sys.open(name, { write: true, create: true, truncate: true });
    let received = 0;
    for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read()) {
      received += chunk.length;
      await (fd === undefined ? process.stdout.write(chunk) : sys.file(fd).write(chunk));
    }
    if (fd !== undefined) sys.close(fd);
    client.close();
    const total = length === undefined ? String(received) : `${received}/${length}`;
    await say(`\r100%[======================================>] ${received.toLocaleString('en-US').padEnd(11)} --.-K/s   in 0s      \n\n`);
    await say(
      `${date.toISOString().slice(0, 19).replace('T', ' ')} (${(received / 1024 / 1024).toFixed(1)} MB/s) - ${name === '-' ? 'written to stdout' : `‘${name}’ saved`} [${total}]\n\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof X509Error || error instanceof TlsError) {
      await say(
        `ERROR: cannot verify ${host}'s certificate, issued by ‘/CN=${host}’:\n  Unable to locally verify the issuer's authority.\nTo connect to ${host} insecurely, use ‘--no-check-certificate’.\n`,
      );
      return 5;
    }
    if (error !== timedOut && !isSysError(error)) throw error;
    await say(`failed: ${isSysError(error) ? error.strerror : 'Connection timed out'}.\n`);
    return 4;
  } finally {
    timer?.dispose();
  }
}

function freeName(process: Process, name: string): string {
  let candidate = name;
  for (let count = 1; process.sys.exists(candidate); count++) candidate = `${name}.${count}`;
  return candidate;
}
