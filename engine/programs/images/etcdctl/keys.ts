// etcdctl get, put, del, txn and watch.

import type { Process } from '../../../kernel/process.ts';
import { leaseHex, leaseOf } from '../../../etcd/membership.ts';
import { COMPACTED, prefixEnd, type Compare, type EtcdEvent, type KeyValue, type Op, type OpResult } from '../../../etcd/protocol.ts';
import { EtcdError } from '../../../etcd/mvcc.ts';
import { text, utf8 } from '../../../sim/bytes.ts';
import { withEtcd } from './connection.ts';
import { badArgs, EXIT_INTERRUPTED, Failure } from './failure.ts';
import { need, type CommandLine, type FlagTable } from './flags.ts';
import { headerFields, headerJson, headerOf, kvFields, kvJson, kvSimple, unsupported, type Header } from './printer.ts';

export const GET_FLAGS: FlagTable = {
  consistency: 'value',
  'count-only': 'switch',
  'from-key': 'switch',
  'keys-only': 'switch',
  limit: 'value',
  order: 'value',
  prefix: 'switch',
  'print-value-only': 'switch',
  rev: 'value',
  'sort-by': 'value',
};
export const PUT_FLAGS: FlagTable = { 'ignore-lease': 'switch', 'ignore-value': 'switch', lease: 'value', 'prev-kv': 'switch' };
export const DEL_FLAGS: FlagTable = { 'from-key': 'switch', prefix: 'switch', 'prev-kv': 'switch' };
export const WATCH_FLAGS: FlagTable = { prefix: 'switch', 'prev-kv': 'switch', rev: 'value', 'progress-notify': 'switch' };
export const TXN_FLAGS: FlagTable = { interactive: 'switch' };

const ALL_KEYS_END = prefixEnd('');

/** Where the range ends that the words and --prefix or --from-key stand for; undefined for a single key. */
function rangeEnd(line: CommandLine, words: readonly string[]): string | undefined {
  const [key = '', end] = words;
  const isPrefix = line.isOn('prefix');
  const isFrom = line.isOn('from-key');
  need(!(isPrefix && isFrom), '`--prefix` and `--from-key` cannot be set at the same time, choose one');
  need(!(end !== undefined && isPrefix), 'too many arguments, only accept one argument when `--prefix` is set');
  need(!(end !== undefined && isFrom), 'too many arguments, only accept one argument when `--from-key` is set');
  if (isPrefix) return key === '' ? ALL_KEYS_END : prefixEnd(key);
  return isFrom ? ALL_KEYS_END : end;
}

const TARGETS: Readonly<Record<string, (kv: KeyValue) => string | number>> = {
  CREATE: (kv) => kv.create,
  KEY: (kv) => kv.key,
  MODIFY: (kv) => kv.mod,
  VALUE: (kv) => kv.value,
  VERSION: (kv) => kv.version,
};

export async function get(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  need(words.length > 0 && words.length <= 2, 'get command needs one argument as key and an optional argument as range_end');
  const end = rangeEnd(line, words);
  const consistency = line.or('consistency', 'l');
  if (consistency !== 'l' && consistency !== 's') throw new Failure(`unknown consistency flag ${JSON.stringify(consistency)}`, 4);
  const order = line.or('order', '').toUpperCase();
  if (!['', 'ASCEND', 'DESCEND'].includes(order)) throw new Failure(`bad sort order ${line.or('order', '')}`, 4);
  const by = line.or('sort-by', '').toUpperCase();
  if (by !== '' && TARGETS[by] === undefined) throw new Failure(`bad sort target ${line.or('sort-by', '')}`, 4);
  const isCount = line.isOn('count-only');
  const isKeys = line.isOn('keys-only');
  need(!(isCount && isKeys), '`--keys-only` and `--count-only` cannot be set at the same time, choose one');
  const valueOnly = line.isOn('print-value-only');
  const format = line.format;
  need(!valueOnly || format === 'simple', 'print-value-only is only for `--write-out=simple`');
  const limit = line.integer('limit', 0);
  const isSorted = by !== '' || order !== '';
  // Who sorts needs all before the limit cuts.
  const options = { ...(end === undefined ? {} : { end }), revision: line.integer('rev', 0), keysOnly: isKeys, countOnly: isCount };
  const { result, header } = await withEtcd(process, line, async ({ client }) => ({
    result: await client.range(words[0]!, { ...options, limit: isSorted ? 0 : limit }),
    header: headerOf(await client.status()),
  }));
  let kvs = [...result.kvs];
  if (isSorted) {
    const value = TARGETS[by === '' ? 'KEY' : by]!;
    kvs.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
    if (order === 'DESCEND') kvs.reverse();
    if (limit > 0) kvs = kvs.slice(0, limit);
  }
  const out = (shown: string): Promise<void> => process.stdout.write(utf8(shown));
  const more = kvs.length < result.count && !isCount;
  if (format === 'simple') await out(kvs.map((kv) => kvSimple(kv, { hex: line.isOn('hex'), valueOnly })).join(''));
  else if (format === 'json') {
    const parts = [
      headerJson({ ...header, revision: result.revision }),
      ...(kvs.length === 0 ? [] : [`"kvs":[${kvs.map(kvJson).join(',')}]`]),
      ...(more ? ['"more":true'] : []),
      ...(result.count === 0 ? [] : [`"count":${result.count}`]),
    ];
    await out(`{${parts.join(',')}}\n`);
  } else if (format === 'fields') {
    const body = kvs.map((kv) => kvFields(kv)).join('');
    await out(`${headerFields({ ...header, revision: result.revision })}${body}"More" : ${more}\n"Count" : ${result.count}\n`);
  } else throw unsupported(format);
  return 0;
}

export async function put(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [key] = words;
  const keepsValue = line.isOn('ignore-value');
  need(key !== undefined, 'put command needs 1 argument and input from stdin or 2 arguments');
  need(words.length <= 2, 'put command needs 1 argument and input from stdin or 2 arguments');
  need(!keepsValue || words.length === 1, "put command needs only 1 argument when 'ignore-value' is set");
  const leaseText = line.or('lease', '0');
  const lease = leaseText === '0' ? 0 : leaseOf(leaseText);
  if (lease === undefined)
    throw badArgs(`bad lease ID (strconv.ParseInt: parsing ${JSON.stringify(leaseText)}: invalid syntax), expecting ID in Hex`);
  const format = line.format;
  const value = keepsValue ? '' : (words[1] ?? (await readAll(process)));
  const wantsPrevious = line.isOn('prev-kv');
  const { previous, header } = await withEtcd(process, line, async ({ client }) => {
    const old = keepsValue || line.isOn('ignore-lease') ? (await client.range(key!)).kvs[0] : undefined;
    if ((keepsValue || line.isOn('ignore-lease')) && old === undefined) throw new EtcdError('etcdserver: key not found');
    const op = {
      op: 'put',
      key: key!,
      value: keepsValue ? old!.value : value,
      lease: line.isOn('ignore-lease') ? old!.lease : lease,
      previous: true,
    } as const;
    const result = await client.txn([], [op]);
    const replaced = result.results[0] as { readonly replaced?: KeyValue } | null;
    return { previous: replaced?.replaced, header: headerOf(await client.status(), result.revision) };
  });
  const shown = wantsPrevious ? previous : undefined;
  if (format === 'simple') await process.stdout.write(utf8(`OK\n${shown === undefined ? '' : kvSimple(shown, { hex: line.isOn('hex') })}`));
  else if (format === 'json')
    await process.stdout.write(utf8(`{${headerJson(header)}${shown === undefined ? '' : `,"prev_kv":${kvJson(shown)}`}}\n`));
  else if (format === 'fields')
    await process.stdout.write(utf8(`${headerFields(header)}${shown === undefined ? '' : kvFields(shown, 'Prev')}`));
  else throw unsupported(format);
  return 0;
}

export async function del(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  need(words.length > 0 && words.length <= 2, 'del command needs one argument as key and an optional argument as range_end');
  const end = rangeEnd(line, words);
  const format = line.format;
  const { deleted, previous, header } = await withEtcd(process, line, async ({ client }) => {
    const result = await client.txn([], [{ op: 'delete', key: words[0]!, ...(end === undefined ? {} : { end }), previous: true }]);
    const gone = result.results[0] as { readonly deleted: number; readonly previous?: readonly KeyValue[] };
    return { deleted: gone.deleted, previous: gone.previous ?? [], header: headerOf(await client.status(), result.revision) };
  });
  const shown = line.isOn('prev-kv') ? previous : [];
  if (format === 'simple')
    await process.stdout.write(utf8(`${deleted}\n${shown.map((kv) => kvSimple(kv, { hex: line.isOn('hex') })).join('')}`));
  else if (format === 'json') {
    const kvs = shown.length === 0 ? '' : `,"prev_kvs":[${shown.map(kvJson).join(',')}]`;
    await process.stdout.write(utf8(`{${headerJson(header)}${deleted === 0 ? '' : `,"deleted":${deleted}`}${kvs}}\n`));
  } else if (format === 'fields') {
    await process.stdout.write(utf8(`${headerFields(header)}"Deleted" : ${deleted}\n${shown.map((kv) => kvFields(kv, 'Prev')).join('')}`));
  } else throw unsupported(format);
  return 0;
}

/** Runs until it is interrupted or the revision it starts from is gone. */
export async function watch(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  need(
    words.length > 0 && words.length <= 2,
    'watch in non-interactive mode requires one or two arguments as key or prefix, with range end',
  );
  const end = rangeEnd(line, words);
  const format = line.format;
  const rev = line.integer('rev', 0);
  return withEtcd(process, line, async ({ client }) => {
    const status = await client.status();
    let finish!: (status: number) => void;
    const done = new Promise<number>((resolve) => (finish = resolve));
    const print = (shown: string): void => void process.stdout.write(utf8(shown)).then(undefined, () => finish(1));
    const options = {
      ...(end === undefined ? {} : { end }),
      revision: rev > 0 ? rev - 1 : status.revision,
      previous: line.isOn('prev-kv'),
    };
    const canceled = async (): Promise<number> => {
      await process.stdout.write(utf8(`watch was canceled (${COMPACTED})\n`));
      throw new Failure('watch is canceled by the server', EXIT_INTERRUPTED);
    };
    let stop: () => void;
    try {
      stop = await client.watch(words[0]!, options, {
        events: (events, revision) => print(shownEvents(events, { ...headerOf(status), revision }, { format, hex: line.isOn('hex') })),
        closed: () => finish(EXIT_INTERRUPTED),
      });
    } catch (error) {
      if (error instanceof EtcdError && error.message === COMPACTED) return canceled();
      throw error;
    }
    try {
      return await Promise.race([done, process.sys.block<number>(() => undefined)]);
    } finally {
      stop();
    }
  });
}

function shownEvents(
  events: readonly EtcdEvent[],
  header: Header,
  { format, hex }: { readonly format: string; readonly hex: boolean },
): string {
  const kvOf = (event: EtcdEvent): KeyValue =>
    event.type === 'put' ? event.kv : { key: event.key, value: '', create: 0, mod: event.mod, version: 0, lease: 0 };
  const typeOf = (event: EtcdEvent): string => (event.type === 'put' ? 'PUT' : 'DELETE');
  if (format === 'json') {
    const shown = events.map((event) => {
      const previous = event.previous === undefined ? '' : `,"prev_kv":${kvJson(event.previous)}`;
      return `{${event.type === 'put' ? '' : '"type":1,'}"kv":${kvJson(kvOf(event))}${previous}}`;
    });
    return `{"Header":{${headerJson(header).slice('"header":{'.length)},"Events":[${shown.join(',')}],"CompactRevision":0,"Canceled":false,"Created":false}\n`;
  }
  if (format === 'fields') {
    return (
      headerFields(header) +
      events
        .map(
          (event) =>
            `"Type" : ${JSON.stringify(typeOf(event))}\n${event.previous === undefined ? '' : kvFields(event.previous, 'Prev')}${kvFields(kvOf(event))}`,
        )
        .join('')
    );
  }
  return events
    .map(
      (event) =>
        `${typeOf(event)}\n${event.previous === undefined ? '' : kvSimple(event.previous, { hex })}${kvSimple(kvOf(event), { hex })}`,
    )
    .join('');
}

/** Three blocks of lines with an empty line after each: what to compare, what to do then, what to do otherwise. */
export async function txn(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  need(words.length === 0, 'txn command does not accept argument');
  const format = line.format;
  const lines = new InputLines(process);
  const prompt = async (shown: string): Promise<void> => {
    if (line.isOn('interactive')) await process.stdout.write(utf8(`${shown}\n`));
  };
  await prompt('compares:');
  const when = (await lines.block()).map(compareOf);
  await prompt('success requests (get, put, del):');
  const then = (await lines.block()).map(opOf);
  await prompt('failure requests (get, put, del):');
  const otherwise = (await lines.block()).map(opOf);
  const { result, header } = await withEtcd(process, line, async ({ client }) => {
    const done = await client.txn(when, then, otherwise);
    return { result: done, header: headerOf(await client.status(), done.revision) };
  });
  if (format === 'json') {
    await process.stdout.write(
      utf8(
        `{${headerJson(header)}${result.succeeded ? ',"succeeded":true' : ''},"responses":[${result.results.map((each) => resultJson(each, header)).join(',')}]}\n`,
      ),
    );
  } else if (format === 'simple') {
    const shown = result.results.map((each) => `\n${resultSimple(each, line.isOn('hex'))}`).join('');
    await process.stdout.write(utf8(`${result.succeeded ? 'SUCCESS' : 'FAILURE'}\n${shown}`));
  } else throw unsupported(format);
  return 0;
}

function resultSimple(result: OpResult, hex: boolean): string {
  if (result === null || 'replaced' in result) return 'OK\n';
  if ('deleted' in result) return `${result.deleted}\n`;
  return result.kvs.map((kv) => kvSimple(kv, { hex })).join('');
}

function resultJson(result: OpResult, header: Header): string {
  const head = `"header":{"revision":${header.revision}}`;
  if (result === null || 'replaced' in result) return `{"Response":{"response_put":{${head}}}}`;
  if ('deleted' in result) return `{"Response":{"response_delete_range":{${head},"deleted":${result.deleted}}}}`;
  return `{"Response":{"response_range":{${head},"kvs":[${result.kvs.map(kvJson).join(',')}],"count":${result.count}}}}`;
}

const COMPARE =
  /^\s*(create|c|modification|m|mod|version|ver|value|val|lease|l)\s*\(\s*"((?:[^"\\]|\\.)*)"\s*\)\s*(=|!=|<|>)\s*"((?:[^"\\]|\\.)*)"\s*$/;

function compareOf(line: string): Compare {
  const match = COMPARE.exec(line);
  if (match === null) throw new Failure(`invalid txn compare request: ${line}`, 3);
  const [, what = '', key = '', is, given = ''] = match;
  const target = what.startsWith('c')
    ? 'create'
    : what.startsWith('m')
      ? 'mod'
      : what.startsWith('ver')
        ? 'version'
        : what.startsWith('l')
          ? 'lease'
          : 'value';
  if (target === 'value') return { key, target, is: is as '=', than: given };
  if (!/^-?\d+$/.test(given))
    throw new Failure(`invalid txn compare request: ${line} (strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax)`, 3);
  return { key, target, is: is as '=', than: Number(given) };
}

function opOf(line: string): Op {
  const [verb, ...rest] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
  const flags = rest.filter((word) => word.startsWith('--'));
  const [key, second] = rest.filter((word) => !word.startsWith('--'));
  if (key !== undefined) {
    const end = flags.includes('--prefix') ? prefixEnd(key) : flags.includes('--from-key') ? ALL_KEYS_END : second;
    if (verb === 'get') return { op: 'range', key, ...(end === undefined ? {} : { end }) };
    if (verb === 'del') return { op: 'delete', key, ...(end === undefined ? {} : { end }) };
    if (verb === 'put' && second !== undefined) return { op: 'put', key, value: second };
  }
  throw new Failure(`invalid txn request: ${line}`, 3);
}

class InputLines {
  readonly #process: Process;
  #rest = '';
  #isOver = false;

  constructor(process: Process) {
    this.#process = process;
  }

  /** Up to the next empty line. */
  async block(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      if (line === undefined || line === '') return lines;
      lines.push(line);
    }
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      if (this.#isOver) {
        const line = this.#rest;
        this.#rest = '';
        return line === '' ? undefined : line;
      }
      const chunk = await this.#process.stdin.read();
      if (chunk === undefined) this.#isOver = true;
      else this.#rest += text(chunk);
    }
  }
}

async function readAll(process: Process): Promise<string> {
  let out = '';
  for (;;) {
    const chunk = await process.stdin.read();
    if (chunk === undefined) return out;
    out += text(chunk);
  }
}

/** etcdctl lease. */
export const LEASE_FLAGS: FlagTable = { keys: 'switch', once: 'switch' };

export async function lease(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [verb, given] = words;
  const out = (shown: string): Promise<void> => process.stdout.write(utf8(shown));
  if (verb === 'list') {
    const leases = await withEtcd(process, line, ({ client }) => client.leases());
    await out(`found ${leases.length} leases\n${leases.map((each) => `${leaseHex(each)}\n`).join('')}`);
    return 0;
  }
  if (verb === 'grant') {
    need(given !== undefined && words.length === 2, 'lease grant command needs TTL argument');
    if (!/^-?\d+$/.test(given!)) throw badArgs(`bad TTL (strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax)`);
    const ttl = Math.max(1, Number(given));
    const id = await withEtcd(process, line, ({ client }) => client.grant(ttl));
    await out(`lease ${leaseHex(id)} granted with TTL(${ttl}s)\n`);
    return 0;
  }
  if (verb !== 'revoke' && verb !== 'timetolive' && verb !== 'keep-alive')
    throw new Failure(`unknown command ${JSON.stringify(verb ?? '')} for "etcdctl lease"`);
  need(given !== undefined && words.length === 2, `lease ${verb} command needs lease ID as argument`);
  const id = leaseOf(given!);
  if (id === undefined)
    throw badArgs(`bad lease ID arg (strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax), expecting ID in Hex`);
  if (verb === 'revoke') {
    try {
      await withEtcd(process, line, ({ client }) => client.revoke(id));
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      throw new Failure(`failed to revoke lease (${error.message})`);
    }
    await out(`lease ${leaseHex(id)} revoked\n`);
    return 0;
  }
  if (verb === 'timetolive') {
    try {
      const { ttlSeconds, grantedSeconds, keys } = await withEtcd(process, line, ({ client }) => client.timeToLive(id));
      const attached = line.isOn('keys') ? `, attached keys([${keys.join(' ')}])` : '';
      await out(`lease ${leaseHex(id)} granted with TTL(${grantedSeconds}s), remaining(${ttlSeconds}s)${attached}\n`);
    } catch (error) {
      if (!(error instanceof EtcdError) || !error.message.includes('lease not found')) throw error;
      await out(`lease ${given!.padStart(16, '0')} already expired\n`);
    }
    return 0;
  }
  return withEtcd(process, line, async ({ client }) => {
    for (;;) {
      let ttl: number;
      try {
        ttl = await client.keepAlive(id);
      } catch (error) {
        if (!(error instanceof EtcdError) || !error.message.includes('lease not found')) throw error;
        await out(`lease ${given!.padStart(16, '0')} expired or revoked.\n`);
        return 0;
      }
      await out(`lease ${leaseHex(id)} keepalived with TTL(${ttl})\n`);
      if (line.isOn('once')) return 0;
      await process.sys.sleep((ttl * 1000) / 3);
    }
  });
}
