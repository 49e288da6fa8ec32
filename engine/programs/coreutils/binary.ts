// Models programs for bytes: checksums, base64, od, hexdump, xxd, cmp, strings, gzip, tar.

import { gzip as deflate, ungzip } from 'pako';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Program } from '../../kernel/process.ts';
import { toBytes, toText } from '../../shell/bytes.ts';
import { formatTime } from '../../shell/time-format.ts';
import { SysError } from '../../sim/errno.ts';
import { fromBase64, toBase64, toHex } from '../../sim/bytes.ts';
import { modeText } from './lib/mode.ts';
import { Accounts, dirName, joinPath, parseSize, quote, tool, type Tool } from './lib/tool.ts';

const sum = (name: string, digest: (bytes: Uint8Array) => Uint8Array): Program =>
  tool(name, async (t) => {
    const o = await t.options('bctw', { binary: 'b', check: 'c', text: 't', warn: 'w', quiet: 'quiet', status: 'status', tag: 'tag' });
    if (o.has('c')) {
      let failed = 0;
      await t.eachInput(o.rest, async (input) => {
        for await (const line of input.lines()) {
          const match = /^([0-9a-f]+)\s+\*?(.+)$/.exec(line);
          if (match === null) continue;
          try {
            const isGood = toHex(digest(t.sys.readFile(match[2]!))) === match[1];
            if (!isGood) failed++;
            if (!o.has('status') && !(isGood && o.has('quiet'))) await t.write(`${match[2]}: ${isGood ? 'OK' : 'FAILED'}\n`);
          } catch (error) {
            if (!(error instanceof SysError)) throw error;
            failed++;
            await t.message(`${match[2]}: ${error.strerror}`);
            await t.write(`${match[2]}: FAILED open or read\n`);
          }
        }
      });
      if (failed > 0) await t.fail(`WARNING: ${failed} computed checksum${failed === 1 ? '' : 's'} did NOT match`);
      return t.status;
    }
    await t.eachInput(o.rest, async (input, path) => {
      await t.write(`${toHex(digest(await input.readAll()))} ${o.has('b') ? '*' : ' '}${path}\n`);
    });
    return t.status;
  });

const cksum = tool('cksum', async (t) => {
  const o = await t.options('');
  const table = Array.from({ length: 256 }, (_, i) => {
    let c = i << 24;
    for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
    return c;
  });
  await t.eachInput(o.rest, async (input) => {
    const bytes = await input.readAll();
    let crc = 0;
    for (const byte of bytes) crc = (crc << 8) ^ table[((crc >>> 24) ^ byte) & 255]!;
    for (let n = bytes.length; n > 0; n = Math.floor(n / 256)) crc = (crc << 8) ^ table[((crc >>> 24) ^ n) & 255]!;
    await t.write(`${~crc >>> 0} ${bytes.length}${o.rest.length === 0 ? '' : ' ' + input.path}\n`);
  });
  return t.status;
});

const base64 = tool('base64', async (t) => {
  const o = await t.options('diw:', { decode: 'd', 'ignore-garbage': 'i', wrap: 'w:' });
  await t.eachInput(o.rest.slice(0, 1), async (input) => {
    const bytes = await input.readAll();
    if (!o.has('d')) {
      const width = Number(o.get('w') ?? 76);
      const text = toBase64(bytes);
      if (width === 0) await t.write(text);
      else for (let at = 0; at < text.length; at += width) await t.write(text.slice(at, at + width) + '\n');
      return;
    }
    let text = toText(bytes).replace(/\n/g, '');
    if (o.has('i')) text = text.replace(/[^A-Za-z0-9+/=]/g, '');
    const valid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(text)![0];
    await t.write(fromBase64(valid));
    if (valid.length !== text.length) await t.fail('invalid input');
  });
  return t.status;
});

const od = tool('od', async (t) => {
  const o = await t.options('A:j:N:t:w::vabcdDeFhHiIlLoOsxX', {
    'address-radix': 'A:',
    'skip-bytes': 'j:',
    'read-bytes': 'N:',
    format: 't:',
    width: 'w::',
  });
  let bytes = new Uint8Array(0) as Uint8Array;
  await t.eachInput(o.rest, async (input) => {
    const more = await input.readAll();
    const joined = new Uint8Array(bytes.length + more.length);
    joined.set(bytes);
    joined.set(more, bytes.length);
    bytes = joined;
  });
  const skip = parseSize(o.get('j') ?? '0') ?? 0;
  bytes = bytes.subarray(skip, o.has('N') ? skip + (parseSize(o.get('N')!) ?? 0) : undefined);
  const formats: string[] = [];
  for (const option of o.list) {
    if (option.key === 't') formats.push(...(option.value!.match(/[acdfoux]\d*z?/g) ?? []));
    else if (option.key === 'c') formats.push('c');
    else if (option.key === 'a') formats.push('a');
    else if (option.key === 'b') formats.push('o1');
    else if (option.key === 'x' || option.key === 'h') formats.push('x2');
    else if (option.key === 'd') formats.push('u2');
  }
  if (formats.length === 0) formats.push('o2');
  const radix = o.get('A') ?? 'o';
  const address = (n: number): string =>
    radix === 'n'
      ? ''
      : radix === 'x'
        ? n.toString(16).padStart(6, '0')
        : radix === 'd'
          ? String(n).padStart(7, '0')
          : n.toString(8).padStart(7, '0');
  const NAMES = [
    'nul',
    'soh',
    'stx',
    'etx',
    'eot',
    'enq',
    'ack',
    'bel',
    'bs',
    'ht',
    'nl',
    'vt',
    'ff',
    'cr',
    'so',
    'si',
    'dle',
    'dc1',
    'dc2',
    'dc3',
    'dc4',
    'nak',
    'syn',
    'etb',
    'can',
    'em',
    'sub',
    'esc',
    'fs',
    'gs',
    'rs',
    'us',
    'sp',
  ];
  const show = (format: string, at: number, end: number): string => {
    const kind = format[0]!;
    const size = kind === 'c' || kind === 'a' ? 1 : Number(/\d+/.exec(format)?.[0] ?? 4);
    const digits =
      kind === 'x'
        ? size * 2
        : kind === 'o'
          ? Math.ceil((size * 8) / 3)
          : kind === 'u'
            ? [0, 3, 5, 0, 10, 0, 0, 0, 20][size]!
            : [0, 4, 6, 0, 11, 0, 0, 0, 20][size]!;
    let out = '';
    for (let i = at; i < end; i += size) {
      if (kind === 'c') {
        const b = bytes[i]!;
        const named: Record<number, string> = { 0: '\\0', 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r' };
        out += ' ' + (named[b] ?? (b >= 32 && b < 127 ? String.fromCharCode(b) : b.toString(8).padStart(3, '0'))).padStart(3);
        continue;
      }
      if (kind === 'a') {
        const b = bytes[i]! & 127;
        out += ' ' + (b === 127 ? 'del' : (NAMES[b] ?? String.fromCharCode(b))).padStart(3);
        continue;
      }
      let value = 0n;
      for (let k = size - 1; k >= 0; k--) value = value * 256n + BigInt(bytes[i + k] ?? 0);
      if (kind === 'd') value = BigInt.asIntN(size * 8, value);
      const text = value.toString(kind === 'x' ? 16 : kind === 'o' ? 8 : 10);
      out += ' ' + (kind === 'x' || kind === 'o' ? text.padStart(digits, '0') : text.padStart(digits));
    }
    return out;
  };
  let last = '';
  let isStarred = false;
  for (let at = 0; at < bytes.length; at += 16) {
    const end = Math.min(at + 16, bytes.length);
    const raw = toHex(bytes.subarray(at, end));
    if (raw === last && end - at === 16 && !o.has('v')) {
      if (!isStarred) await t.write('*\n');
      isStarred = true;
      continue;
    }
    isStarred = false;
    last = raw;
    for (const [i, format] of formats.entries())
      await t.write((i === 0 ? address(at + skip) : ' '.repeat(address(0).length)) + show(format, at, end) + '\n');
  }
  if (radix !== 'n') await t.write(address(bytes.length + skip) + '\n');
  return t.status;
});

const hexdump = tool('hexdump', async (t) => {
  const o = await t.options('bcCdn:os:vx', {});
  const input = await t.openInput(o.rest[0] ?? '-');
  if (input === undefined) return 1;
  let bytes = await input.readAll();
  const skip = parseSize(o.get('s') ?? '0') ?? 0;
  bytes = bytes.subarray(skip, o.has('n') ? skip + (parseSize(o.get('n')!) ?? 0) : undefined);
  let last = '';
  let isStarred = false;
  const width = o.has('C') ? 8 : 7;
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const raw = toHex(row);
    if (raw === last && row.length === 16 && !o.has('v')) {
      if (!isStarred) await t.write('*\n');
      isStarred = true;
      continue;
    }
    isStarred = false;
    last = raw;
    let line = (at + skip).toString(16).padStart(width, '0');
    if (o.has('C')) {
      let hex = '';
      for (let i = 0; i < 16; i++)
        hex += (i % 8 === 0 ? '  ' : ' ') + (row[i] === undefined ? '  ' : row[i]!.toString(16).padStart(2, '0'));
      line += `${hex}  |${[...row].map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('')}|`;
    } else for (let i = 0; i < row.length; i += 2) line += ' ' + (row[i]! + (row[i + 1] ?? 0) * 256).toString(16).padStart(4, '0');
    await t.write(line + '\n');
  }
  if (bytes.length > 0) await t.write((bytes.length + skip).toString(16).padStart(width, '0') + '\n');
  return t.status;
});

const xxd = tool('xxd', async (t) => {
  const o = await t.options('bc:g:il:ps:ru', {});
  const input = await t.openInput(o.rest[0] ?? '-');
  if (input === undefined) return 2;
  if (o.has('r')) {
    const text = await input.readText();
    const hex = o.has('p')
      ? text.replace(/\s/g, '')
      : text
          .split('\n')
          .map((line) =>
            line
              .replace(/^[0-9a-f]+:/i, '')
              .split('  ')[0]!
              .replace(/\s/g, ''),
          )
          .join('');
    await t.write(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    return 0;
  }
  let bytes = await input.readAll();
  const skip = Number(o.get('s') ?? 0);
  bytes = bytes.subarray(skip, o.has('l') ? skip + Number(o.get('l')) : undefined);
  if (o.has('p')) {
    const hex = toHex(bytes);
    for (let at = 0; at < hex.length; at += 60) await t.write(hex.slice(at, at + 60) + '\n');
    return 0;
  }
  const width = Number(o.get('c') ?? 16);
  const group = Number(o.get('g') ?? 2);
  for (let at = 0; at < bytes.length; at += width) {
    const row = bytes.subarray(at, at + width);
    let hex = '';
    for (let i = 0; i < width; i++)
      hex += (row[i] === undefined ? '  ' : row[i]!.toString(16).padStart(2, '0')) + ((i + 1) % group === 0 ? ' ' : '');
    await t.write(
      `${(at + skip).toString(16).padStart(7, '0')}: ${hex} ${[...row].map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('')}\n`,
    );
  }
  return 0;
});

const cmp = tool(
  'cmp',
  async (t) => {
    const o = await t.options('bi:ln:s', { 'print-bytes': 'b', verbose: 'l', bytes: 'n:', quiet: 's', silent: 's' });
    const [first, second = '-'] = o.rest;
    if (first === undefined) return t.dieUsage(`missing operand after 'cmp'`);
    const [a, b] = [await t.openInput(first), await t.openInput(second)];
    if (a === undefined || b === undefined) return 2;
    const [x, y] = [await a.readAll(), await b.readAll()];
    let line = 1;
    let differs = false;
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      if (x[i] !== y[i]) {
        if (o.has('s')) return 1;
        differs = true;
        if (!o.has('l')) {
          await t.write(`${first} ${second} differ: byte ${i + 1}, line ${line}\n`);
          return 1;
        }
        await t.write(`${i + 1} ${x[i]!.toString(8).padStart(3)} ${y[i]!.toString(8).padStart(3)}\n`);
      }
      if (x[i] === 10) line++;
    }
    if (x.length !== y.length) {
      if (!o.has('s')) await t.message(`EOF on ${x.length < y.length ? first : second}`);
      return 1;
    }
    return differs ? 1 : 0;
  },
  { usageStatus: 2 },
);

const strings = tool('strings', async (t) => {
  const o = await t.options('an:ft:', { all: 'a', bytes: 'n:' });
  const least = Number(o.get('n') ?? 4);
  await t.eachInput(o.rest, async (input) => {
    let run = '';
    for (const byte of await input.readAll()) {
      if ((byte >= 32 && byte < 127) || byte === 9) run += String.fromCharCode(byte);
      else {
        if (run.length >= least) await t.write(run + '\n');
        run = '';
      }
    }
    if (run.length >= least) await t.write(run + '\n');
  });
  return t.status;
});

const gzip = (name: 'gzip' | 'gunzip' | 'zcat'): Program =>
  tool(name, async (t) => {
    const o = await t.options('123456789cdfhklnNqrS:tv', {
      stdout: 'c',
      'to-stdout': 'c',
      decompress: 'd',
      uncompress: 'd',
      force: 'f',
      keep: 'k',
      list: 'l',
      test: 't',
      verbose: 'v',
      fast: '1',
      best: '9',
    });
    const decompresses = name !== 'gzip' || o.has('d', 't');
    const toOutput = name === 'zcat' || o.has('c', 't');
    const convert = async (bytes: Uint8Array, path: string): Promise<Uint8Array | undefined> => {
      if (!decompresses) return deflate(bytes, { level: 6 });
      if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
        await t.errorText(`\n${t.name === 'zcat' ? 'gzip' : t.name}: ${path}: not in gzip format\n`);
        t.status = 1;
        return undefined;
      }
      return ungzip(bytes);
    };
    for (const path of o.rest.length === 0 ? ['-'] : o.rest) {
      if (path === '-') {
        const input = (await t.openInput('-'))!;
        const out = await convert(await input.readAll(), 'stdin');
        if (out !== undefined && !o.has('t')) await t.write(out);
        continue;
      }
      let from = path;
      if (decompresses && t.stat(path) === undefined && t.stat(path + '.gz') !== undefined) from = path + '.gz';
      const stat = t.stat(from);
      if (stat === undefined) {
        await t.fail(`${from}${decompresses && !from.endsWith('.gz') ? '.gz' : ''}: No such file or directory`);
        continue;
      }
      if (stat.kind === 'directory') {
        t.status = 2;
        await t.message(`${from} is a directory -- ignored`);
        continue;
      }
      if (decompresses && !toOutput && !/\.(?:gz|tgz|z)$/i.test(from)) {
        t.status = 2;
        await t.message(`${from}: unknown suffix -- ignored`);
        continue;
      }
      if (!decompresses && from.endsWith('.gz') && !toOutput) {
        t.status = 2;
        await t.message(`${from} already has .gz suffix -- unchanged`);
        continue;
      }
      const bytes = t.sys.readFile(from);
      const out = await convert(bytes, from);
      if (out === undefined || o.has('t')) continue;
      if (toOutput) {
        await t.write(out);
        continue;
      }
      const to = decompresses ? from.replace(/\.tgz$/i, '.tar').replace(/\.(?:gz|z)$/i, '') : from + '.gz';
      if (t.stat(to) !== undefined && !o.has('f')) {
        await t.fail(`${to} already exists;\tnot overwritten`, 2);
        continue;
      }
      t.sys.writeFile(to, out, { mode: stat.mode });
      t.sys.utimes(to, stat.atimeMs, stat.mtimeMs);
      if (!o.has('k')) t.sys.unlink(from);
      if (o.has('v'))
        await t.errorText(`${from}:\t ${((1 - out.length / Math.max(1, bytes.length)) * 100).toFixed(1)}% -- replaced with ${to}\n`);
    }
    return t.status;
  });

interface TarEntry {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  readonly type: string;
  readonly link: string;
  readonly data: Uint8Array;
}

const tar = tool(
  'tar',
  async (t) => {
    const [first = '', ...rest] = t.args;
    // The old way: letters without a dash, their values behind.
    let args = t.args;
    if (first !== '' && !first.startsWith('-')) {
      const values = [...rest];
      args = [
        ...[...first].flatMap((letter) => ('fCTX'.includes(letter) ? ['-' + letter, values.shift() ?? ''] : ['-' + letter])),
        ...values,
      ];
    }
    const o = await t.options(
      'ctxruvzjJf:C:pOhkmT:X:P',
      {
        create: 'c',
        list: 't',
        extract: 'x',
        get: 'x',
        verbose: 'v',
        gzip: 'z',
        file: 'f:',
        directory: 'C:',
        'strip-components': 'strip:',
        exclude: 'exclude:',
        'to-stdout': 'O',
        'same-permissions': 'p',
        overwrite: 'overwrite',
        'no-same-owner': 'nso',
        owner: 'owner:',
        group: 'group:',
      },
      args,
    );
    const action = o.last('c', 't', 'x', 'r', 'u');
    if (action === undefined) {
      await t.message("You must specify one of the '-Acdtrux' options");
      await t.errorText("Try 'tar --help' or 'tar --usage' for more information.\n");
      return 2;
    }
    const file = o.get('f') ?? '-';
    const fatal = async (message: string): Promise<number> => {
      await t.message(message);
      await t.message('Error is not recoverable: exiting now');
      return 2;
    };
    const excluded = o.all('exclude').map(
      (pattern) =>
        new RegExp(
          `(?:^|/)${pattern
            .replace(/[.+^${}()|\\]/g, '\\$&')
            .replace(/\*/g, '.*')
            .replace(/\?/g, '.')}(?:$|/)`,
        ),
    );
    if (action === 'c') {
      if (o.rest.length === 0) {
        await t.message('Cowardly refusing to create an empty archive');
        await t.errorText("Try 'tar --help' or 'tar --usage' for more information.\n");
        return 2;
      }
      const parts: Uint8Array[] = [];
      const base = o.get('C');
      let warned = false;
      const accounts = new Accounts(t.sys);
      const add = async (path: string): Promise<void> => {
        const real = base === undefined || path.startsWith('/') ? path : joinPath(base, path);
        if (excluded.some((regex) => regex.test(path))) return;
        const stat = t.stat(real, o.has('h'));
        if (stat === undefined) {
          await t.fail(`${path}: Cannot stat: No such file or directory`, 2);
          return;
        }
        let name = path;
        if (name.startsWith('/') && !o.has('P')) {
          if (!warned) await t.message("Removing leading `/' from member names");
          warned = true;
          name = name.replace(/^\/+/, '');
        }
        const isDirectory = stat.kind === 'directory';
        if (isDirectory && !name.endsWith('/')) name += '/';
        if (o.has('v')) await (file === '-' ? t.errorText(name + '\n') : t.write(name + '\n'));
        if (stat.kind === 'file' || isDirectory || stat.kind === 'symlink') {
          const data = stat.kind === 'file' ? t.sys.readFile(real) : new Uint8Array(0);
          const link = stat.kind === 'symlink' ? t.sys.readlink(real) : '';
          parts.push(
            ...tarEntry(
              name,
              {
                mode: stat.mode,
                uid: stat.uid,
                gid: stat.gid,
                mtimeMs: stat.mtimeMs,
                type: isDirectory ? '5' : stat.kind === 'symlink' ? '2' : '0',
                link,
                data,
              },
              accounts,
            ),
          );
        }
        if (isDirectory) for (const child of [...t.sys.readdir(real)].sort()) await add(joinPath(path, child));
      };
      for (const path of o.rest) await add(path);
      parts.push(new Uint8Array(1024));
      let bytes = concatAll(parts);
      const padded = new Uint8Array(Math.ceil(bytes.length / 10240) * 10240);
      padded.set(bytes);
      bytes = padded;
      const out = o.has('z') ? deflate(bytes) : bytes;
      if (file === '-') await t.write(out);
      else {
        try {
          t.sys.writeFile(file, out);
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          return fatal(`${file}: Cannot open: ${error.strerror}`);
        }
      }
      if (t.status === 2) await t.message('Exiting with failure status due to previous errors');
      return t.status;
    }
    let bytes: Uint8Array;
    try {
      bytes = file === '-' ? await (await t.openInput('-'))!.readAll() : t.sys.readFile(file);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return fatal(`${file}: Cannot open: ${error.strerror}`);
    }
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = ungzip(bytes);
    else if (o.has('z')) {
      await t.errorText('\ngzip: stdin: not in gzip format\n');
      await t.message('Child returned status 1');
      await t.message('Error is not recoverable: exiting now');
      return 2;
    }
    const entries = readTar(bytes);
    if (entries === undefined) {
      await t.message('This does not look like a tar archive');
      await t.message('Exiting with failure status due to previous errors');
      return 2;
    }
    const found = new Set<string>();
    const strip = Number(o.get('strip') ?? 0);
    const base = o.get('C');
    if (base !== undefined && !t.isDirectory(base)) return fatal(`${base}: Cannot open: No such file or directory`);
    for (const entry of entries) {
      if (o.rest.length > 0) {
        const wanted = o.rest.find(
          (name) => entry.name === name || entry.name === name + '/' || entry.name.startsWith(name.replace(/\/$/, '') + '/'),
        );
        if (wanted === undefined) continue;
        found.add(wanted);
      }
      if (excluded.some((regex) => regex.test(entry.name))) continue;
      if (action === 't') {
        const kind = entry.type === '5' ? 'directory' : entry.type === '2' ? 'symlink' : 'file';
        const accounts = new Accounts(t.sys);
        await t.write(
          o.has('v')
            ? `${modeText(kind, entry.mode)} ${accounts.userName(entry.uid)}/${accounts.groupName(entry.gid)} ${String(entry.data.length).padStart(9)} ${formatTime('%Y-%m-%d %H:%M', entry.mtimeMs, t.sys, t.env.get('TZ'))} ${entry.name}${entry.link === '' ? '' : ` -> ${entry.link}`}\n`
            : entry.name + '\n',
        );
        continue;
      }
      const name = entry.name.replace(/^\/+/, '').split('/').slice(strip).join('/');
      if (name === '' || name.split('/').includes('..')) continue;
      if (o.has('v')) await t.write(entry.name + '\n');
      if (o.has('O')) {
        await t.write(entry.data);
        continue;
      }
      const path = base === undefined ? name : joinPath(base, name);
      try {
        extract(t, path.replace(/\/$/, ''), entry);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await t.fail(`${name}: Cannot open: ${error.strerror}`, 2);
      }
    }
    for (const name of o.rest) if (!found.has(name)) await t.fail(`${name}: Not found in archive`, 2);
    if (t.status === 2) await t.message('Exiting with failure status due to previous errors');
    return t.status;
  },
  { usageStatus: 64 },
);

function extract(t: Tool, path: string, entry: TarEntry): void {
  const parent = dirName(path);
  if (!t.isDirectory(parent)) t.sys.mkdir(parent, { recursive: true });
  if (entry.type === '5') {
    if (!t.isDirectory(path)) t.sys.mkdir(path, { mode: entry.mode });
  } else {
    if (t.stat(path, false) !== undefined) t.sys.unlink(path);
    if (entry.type === '2') t.sys.symlink(entry.link, path);
    else t.sys.writeFile(path, entry.data, { mode: entry.mode & 0o777 });
  }
  if (t.sys.credentials().uid === 0) t.sys.chown(path, entry.uid, entry.gid, { followSymlink: false });
  if (entry.type !== '2') {
    if (t.sys.credentials().uid === 0) t.sys.chmod(path, entry.mode);
    t.sys.utimes(path, t.sys.now(), entry.mtimeMs);
  }
}

function tarEntry(name: string, entry: Omit<TarEntry, 'name'>, accounts: Accounts): Uint8Array[] {
  const header = new Uint8Array(512);
  const put = (text: string, at: number, size: number): void => header.set(toBytes(text).subarray(0, size), at);
  const parts: Uint8Array[] = [];
  const bytes = toBytes(name);
  if (bytes.length > 100) {
    // GNU's long name: a member of its own before.
    const longName = new Uint8Array(bytes.length + 1);
    longName.set(bytes);
    parts.push(...tarEntry('././@LongLink', { ...entry, type: 'L', data: longName, link: '' }, accounts));
  }
  put(name, 0, 100);
  const octal = (value: number, at: number, size: number): void => put(value.toString(8).padStart(size - 1, '0') + '\0', at, size);
  octal(entry.mode & 0o7777, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.data.length, 124, 12);
  octal(Math.floor(entry.mtimeMs / 1000), 136, 12);
  put('        ', 148, 8);
  put(entry.type, 156, 1);
  put(entry.link, 157, 100);
  put('ustar  \0', 257, 8);
  put(accounts.userName(entry.uid), 265, 32);
  put(accounts.groupName(entry.gid), 297, 32);
  const checksum = header.reduce((total, byte) => total + byte, 0);
  put(checksum.toString(8).padStart(6, '0') + '\0 ', 148, 8);
  const data = new Uint8Array(Math.ceil(entry.data.length / 512) * 512);
  data.set(entry.data);
  return [...parts, header, data];
}

function readTar(bytes: Uint8Array): TarEntry[] | undefined {
  const out: TarEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + 512 <= bytes.length;) {
    const header = bytes.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break;
    const textAt = (from: number, size: number): string => toText(header.subarray(from, from + size)).replace(/\0[\s\S]*$/, '');
    const number = (from: number, size: number): number => Number.parseInt(textAt(from, size).trim() || '0', 8);
    if (!textAt(257, 6).startsWith('ustar')) return out.length > 0 ? out : undefined;
    const size = number(124, 12);
    const data = bytes.subarray(at + 512, at + 512 + size);
    const type = textAt(156, 1) || '0';
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === 'L') {
      longName = toText(data).replace(/\0[\s\S]*$/, '');
      continue;
    }
    if (type === 'x' || type === 'g') {
      const path = /\d+ path=([^\n]*)\n/.exec(toText(data));
      if (path !== null) longName = path[1];
      continue;
    }
    const prefix = header[263] === 48 ? textAt(345, 155) : '';
    out.push({
      name: longName ?? (prefix === '' ? '' : prefix + '/') + textAt(0, 100),
      mode: number(100, 8),
      uid: number(108, 8),
      gid: number(116, 8),
      mtimeMs: number(136, 12) * 1000,
      type,
      link: textAt(157, 100),
      data,
    });
    longName = undefined;
  }
  return out;
}

function concatAll(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
void quote;

export const BINARY_PROGRAMS: readonly Program[] = [
  sum('md5sum', md5),
  sum('sha1sum', sha1),
  sum('sha256sum', sha256),
  sum('sha512sum', sha512),
  cksum,
  base64,
  od,
  hexdump,
  xxd,
  cmp,
  strings,
  gzip('gzip'),
  gzip('gunzip'),
  gzip('zcat'),
  tar,
];
