// Models the small programs of coreutils: cat, echo, printf, test, env, sleep, date, yes, seq and their like.

import type { Program } from '../../kernel/process.ts';
import { formatPrintf, shellQuote, unescape } from '../../shell/interp/printf.ts';
import { evaluateTest, TestError } from '../../shell/interp/test.ts';
import { parseSignal, signalNumber } from '../../shell/interp/jobs.ts';
import { formatTime, formatZoned } from '../../shell/time-format.ts';
import { compilePosix } from '../../shell/interp/posix-regex.ts';
import { SysError } from '../../sim/errno.ts';
import { parseDate } from './lib/date-parser.ts';
import { baseName, dirName, quote, tool, withArgsOf, type Tool } from './lib/programs.ts';

const cat = tool('cat', async (t) => {
  const o = await t.options('AbeEnstTuv', {
    'show-all': 'A',
    'number-nonblank': 'b',
    'show-ends': 'E',
    number: 'n',
    'squeeze-blank': 's',
    'show-tabs': 'T',
    'show-nonprinting': 'v',
  });
  const ends = o.has('A', 'e', 'E');
  const tabs = o.has('A', 't', 'T');
  const nonprinting = o.has('A', 'e', 't', 'v');
  const isPlain = !ends && !tabs && !nonprinting && !o.has('b', 'n', 's');
  let number = 0;
  let blanks = 0;
  await t.eachInput(o.rest, async (input) => {
    if (isPlain) {
      for (;;) {
        const chunk = await input.read(65_536);
        if (chunk === undefined) return;
        await t.write(chunk);
        await t.flush();
      }
    }
    for await (const line of input.lines()) {
      blanks = line === '' ? blanks + 1 : 0;
      if (o.has('s') && blanks > 1) continue;
      let shown = line;
      if (nonprinting) shown = showNonprinting(shown);
      if (tabs) shown = shown.replaceAll('\t', '^I');
      const isLast = input.isUnterminated;
      const prefix = o.has('b')
        ? line === ''
          ? ''
          : `${String(++number).padStart(6)}\t`
        : o.has('n')
          ? `${String(++number).padStart(6)}\t`
          : '';
      await t.write(prefix + shown + (isLast ? '' : (ends ? '$' : '') + '\n'));
    }
  });
  return t.status;
});

function showNonprinting(line: string): string {
  return line.replace(/[\x00-\x08\x0b-\x1f\x7f]|[^\x00-\x7f]/gu, (c) => {
    const code = c.codePointAt(0)!;
    if (code === 0x7f) return '^?';
    if (code < 0x20) return '^' + String.fromCharCode(code + 64);
    return [...new TextEncoder().encode(c)]
      .map((b) => (b >= 0xa0 ? `M-${String.fromCharCode(b - 0x80)}` : `M-^${String.fromCharCode(b - 0x80 + 64)}`))
      .join('');
  });
}

const echo = tool('echo', async (t) => {
  let at = 0;
  let newline = '\n';
  let escapes = false;
  for (; at < t.args.length && /^-[neE]+$/.test(t.args[at]!); at++) {
    for (const letter of t.args[at]!.slice(1)) {
      if (letter === 'n') newline = '';
      else escapes = letter === 'e';
    }
  }
  let text = t.args.slice(at).join(' ');
  if (escapes) {
    const done = unescape(text, true);
    text = done.text;
    if (done.stops) newline = '';
  }
  await t.write(text + newline);
});

const printf = tool('printf', async (t) => {
  const args = t.args[0] === '--' ? t.args.slice(1) : t.args;
  if (args.length === 0) await t.dieUsage('missing operand');
  const result = formatPrintf(args[0]!, args.slice(1), { nowMs: () => t.sys.now(), quote: shellQuote });
  await t.write(result.text);
  for (const error of result.errors) await t.fail(error);
  return t.status;
});

const test = (name: 'test' | '['): Program =>
  tool(
    name,
    async (t) => {
      let args = t.args;
      if (name === '[') {
        if (args.at(-1) !== ']') return void (await t.die(`missing ${quote(t, ']')}`, 2));
        args = args.slice(0, -1);
      }
      try {
        return evaluateTest({ sys: t.sys, isSet: (v) => t.env.has(v), isOption: () => false }, args) ? 0 : 1;
      } catch (error) {
        if (!(error instanceof TestError)) throw error;
        return void (await t.die(error.message, 2));
      }
    },
    { paths: [`/usr/bin/${name}`] },
  );

/** Finds a program as execvp(3) does. Throws SysError. */
export function findProgram(t: Tool, name: string): string {
  if (name.includes('/')) return name;
  for (const directory of (t.env.get('PATH') ?? '/usr/bin:/bin').split(':')) {
    const path = `${directory || '.'}/${name}`;
    const stat = t.stat(path);
    if (stat === undefined || stat.kind !== 'file') continue;
    try {
      t.sys.access(path, { execute: true });
      return path;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }
  throw new SysError('ENOENT', name);
}

/** Replaces this program by another, with the message and status of env, nice, nohup when it cannot. */
async function become(t: Tool, argv: readonly string[], env: ReadonlyMap<string, string>): Promise<number> {
  await t.flush();
  try {
    return await t.sys.exec(findProgram(t, argv[0]!), argv, env);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await t.message(t.name === 'env' ? `${argv[0]}: ${error.strerror}` : `failed to run command ${quote(t, argv[0]!)}: ${error.strerror}`);
    return error.errno === 'ENOENT' ? 127 : 126;
  }
}

const env = tool('env', async (t) => {
  const o = await t.options('+i0u:', { 'ignore-environment': 'i', null: '0', unset: 'u:' });
  const variables = new Map(o.has('i') ? [] : t.env);
  for (const name of o.all('u')) variables.delete(name);
  let at = 0;
  if (o.rest[0] === '-') {
    variables.clear();
    at++;
  }
  for (; at < o.rest.length; at++) {
    const match = /^([^=]+)=([\s\S]*)$/.exec(o.rest[at]!);
    if (match === null) break;
    variables.set(match[1]!, match[2]!);
  }
  if (at < o.rest.length) return become(t, o.rest.slice(at), variables);
  const end = o.has('0') ? '\0' : '\n';
  for (const [name, value] of variables) await t.write(`${name}=${value}${end}`);
  return 0;
});

const printenv = tool('printenv', async (t) => {
  const o = await t.options('0', { null: '0' });
  const end = o.has('0') ? '\0' : '\n';
  if (o.rest.length === 0) for (const [name, value] of t.env) await t.write(`${name}=${value}${end}`);
  for (const name of o.rest) {
    const value = t.env.get(name);
    if (value === undefined) t.status = 1;
    else await t.write(value + end);
  }
  return t.status;
});

const sleep = tool('sleep', async (t) => {
  const o = await t.options('');
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  let ms = 0;
  for (const operand of o.rest) {
    const match = /^(\d+\.?\d*|\.\d+|inf(?:inity)?)([smhd]?)$/.exec(operand);
    if (match === null) {
      await t.message(`invalid time interval ${quote(t, operand)}`);
      await t.errorText("Try 'sleep --help' for more information.\n");
      return 1;
    }
    const seconds = match[1]!.startsWith('inf') ? 1e9 : Number(match[1]);
    ms += seconds * 1000 * { s: 1, '': 1, m: 60, h: 3600, d: 86_400 }[match[2] as 's']!;
  }
  await t.sys.sleep(ms);
  return 0;
});

const date = tool('date', async (t) => {
  const o = await t.options('d:f:I::r:Rs:u', {
    date: 'd:',
    file: 'f:',
    'iso-8601': 'I::',
    reference: 'r:',
    'rfc-2822': 'R',
    'rfc-3339': 'rfc3339:',
    set: 's:',
    utc: 'u',
    universal: 'u',
  });
  const tz = o.has('u') ? 'UTC' : t.env.get('TZ');
  let ms = t.sys.now();
  const given = o.get('d');
  if (given !== undefined) {
    const parsed = parseDate(given, ms, t, o.has('u'));
    if (parsed === undefined) return void (await t.die(`invalid date ${quote(t, given)}`));
    ms = parsed;
  }
  const reference = o.get('r');
  if (reference !== undefined) {
    const stat = t.stat(reference);
    if (stat === undefined) return void (await t.die(`${reference}: No such file or directory`));
    ms = stat.mtimeMs;
  }
  let format = '%a %b %e %H:%M:%S %Z %Y';
  if (o.has('R')) format = '%a, %d %b %Y %H:%M:%S %z';
  if (o.has('I'))
    format =
      {
        date: '%Y-%m-%d',
        hours: '%Y-%m-%dT%H%z',
        minutes: '%Y-%m-%dT%H:%M%z',
        seconds: '%Y-%m-%dT%H:%M:%S%z',
        ns: '%Y-%m-%dT%H:%M:%S,%N%z',
      }[o.get('I') ?? 'date'] ?? '%Y-%m-%d';
  if (o.has('rfc3339'))
    format = { date: '%Y-%m-%d', seconds: '%Y-%m-%d %H:%M:%S%:z', ns: '%Y-%m-%d %H:%M:%S.%N%:z' }[o.get('rfc3339')!] ?? format;
  let setTo = o.get('s');
  for (const operand of o.rest) {
    if (operand.startsWith('+')) format = operand.slice(1);
    else {
      const match = /^(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)?(\d\d))?(?:\.(\d\d))?$/.exec(operand);
      if (match === null) return void (await t.die(`invalid date ${quote(t, operand)}`));
      const year = match[6] === undefined ? new Date(ms).getUTCFullYear() : Number((match[5] ?? '20') + match[6]);
      setTo = `${year}-${match[1]}-${match[2]} ${match[3]}:${match[4]}:${match[7] ?? '00'}`;
    }
  }
  if (setTo !== undefined) {
    const parsed = parseDate(setTo, ms, t, o.has('u'));
    if (parsed === undefined) return void (await t.die(`invalid date ${quote(t, setTo)}`));
    ms = parsed;
    if (t.sys.credentials().uid !== 0) await t.fail('cannot set date: Operation not permitted');
    else await setClock(t, ms);
  }
  await t.write((tz === 'UTC' ? formatZoned(format, ms, { name: 'UTC', offsetMinutes: 0 }) : formatTime(format, ms, t.sys, tz)) + '\n');
  return t.status;
});

/** The kernel's clock, by the door it offers. */
async function setClock(t: Tool, ms: number): Promise<void> {
  const kernel = t.sys.kernel as unknown as { readonly setTime?: (nowMs: number) => void };
  if (kernel.setTime === undefined) {
    await t.fail('cannot set date: Function not implemented');
    return;
  }
  kernel.setTime(ms);
}

const yes = tool('yes', async (t) => {
  const line = (t.args.length > 0 ? t.args.join(' ') : 'y') + '\n';
  const block = line.repeat(Math.max(1, Math.floor(8192 / line.length)));
  for (;;) {
    await t.write(block);
    await t.flush();
    await t.sys.spendCpu(100);
  }
});

const seq = tool('seq', async (t) => {
  // A negative number is no option.
  const args = t.args;
  const first = args.findIndex((arg) => /^-(?:\d|\.)/.test(arg));
  const o = await (first < 0 ? t : withArgsOf(t, [...args.slice(0, first), '--', ...args.slice(first)])).options('+f:s:w', {
    format: 'f:',
    separator: 's:',
    'equal-width': 'w',
  });
  const operands = o.rest;
  if (operands.length === 0) await t.dieUsage('missing operand');
  if (operands.length > 3) await t.dieUsage(`extra operand ${quote(t, operands[3]!)}`);
  for (const operand of operands) {
    if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(operand)) await t.dieUsage(`invalid floating point argument: ${operand}`);
  }
  const firstText = operands.length > 1 ? operands[0]! : '1';
  const stepText = operands.length > 2 ? operands[1]! : '1';
  const [from, step, to] = [Number(firstText), Number(stepText), Number(operands.at(-1))];
  if (step === 0) await t.dieUsage(`invalid Zero increment value: ${quote(t, stepText)}`);
  const digits = Math.max(...[firstText, stepText].map((x) => x.split('.')[1]?.length ?? 0));
  const separator = o.get('s') ?? '\n';
  const format = o.get('f');
  const width = o.has('w') ? Math.max(from.toFixed(digits).length, to.toFixed(digits).length) : 0;
  const show = (x: number): string => {
    if (format !== undefined) return formatPrintf(format, [String(x)], { nowMs: () => 0, quote: shellQuote }).text;
    const text = x.toFixed(digits);
    if (width === 0) return text;
    return text.startsWith('-') ? '-' + text.slice(1).padStart(width - 1, '0') : text.padStart(width, '0');
  };
  let isFirst = true;
  for (let i = 0; ; i++) {
    const x = from + i * step;
    if (step > 0 ? x > to + 1e-9 : x < to - 1e-9) break;
    await t.write((isFirst ? '' : separator) + show(x));
    isFirst = false;
    if (i % 1000 === 999) await t.sys.spendCpu(200);
  }
  if (!isFirst) await t.write('\n');
  return 0;
});

const basename = tool('basename', async (t) => {
  const o = await t.options('+as:z', { multiple: 'a', suffix: 's:', zero: 'z' });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  const isMultiple = o.has('a', 's');
  if (!isMultiple && o.rest.length > 2) await t.dieUsage(`extra operand ${quote(t, o.rest[2]!)}`);
  const suffix = isMultiple ? (o.get('s') ?? '') : (o.rest[1] ?? '');
  for (const path of isMultiple ? o.rest : o.rest.slice(0, 1)) {
    const name = baseName(path);
    await t.write(
      (suffix !== '' && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name) + (o.has('z') ? '\0' : '\n'),
    );
  }
});

const dirname = tool('dirname', async (t) => {
  const o = await t.options('z', { zero: 'z' });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  for (const path of o.rest) await t.write(dirName(path) + (o.has('z') ? '\0' : '\n'));
});

const realpath = tool('realpath', async (t) => {
  const o = await t.options('eLmPqsz', {
    'canonicalize-existing': 'e',
    'canonicalize-missing': 'm',
    quiet: 'q',
    strip: 's',
    zero: 'z',
    'relative-to': 'to:',
    'relative-base': 'base:',
  });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  for (const path of o.rest) {
    const resolved = resolvePath(t, path, o.has('m') ? 'missing' : o.has('e') ? 'existing' : 'last');
    if (typeof resolved === 'string') await t.write(resolved + (o.has('z') ? '\0' : '\n'));
    else {
      t.status = 1;
      if (!o.has('q')) await t.fail(`${path}: ${resolved.strerror}`);
    }
  }
  return t.status;
});

function resolvePath(t: Tool, path: string, needs: 'missing' | 'existing' | 'last'): string | SysError {
  try {
    return t.sys.realpath(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (needs === 'existing' || error.errno !== 'ENOENT') return error;
    const parent = dirName(path);
    if (needs === 'last') {
      try {
        const base = t.sys.realpath(parent);
        return base === '/' ? '/' + baseName(path) : `${base}/${baseName(path)}`;
      } catch (inner) {
        if (inner instanceof SysError) return inner;
        throw inner;
      }
    }
    const above = parent === '.' || parent === '/' ? (parent === '/' ? '' : t.sys.cwd()) : resolvePath(t, parent, 'missing');
    return typeof above === 'string' ? `${above}/${baseName(path)}` : above;
  }
}

const readlink = tool('readlink', async (t) => {
  const o = await t.options('efmnqsvz', {
    canonicalize: 'f',
    'canonicalize-existing': 'e',
    'canonicalize-missing': 'm',
    'no-newline': 'n',
    quiet: 'q',
    silent: 's',
    verbose: 'v',
    zero: 'z',
  });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  const end = o.has('n') && o.rest.length === 1 ? '' : o.has('z') ? '\0' : '\n';
  for (const path of o.rest) {
    if (o.has('e', 'f', 'm')) {
      const resolved = resolvePath(t, path, o.has('m') ? 'missing' : o.has('e') ? 'existing' : 'last');
      if (typeof resolved === 'string') await t.write(resolved + end);
      else t.status = 1;
      continue;
    }
    try {
      await t.write(t.sys.readlink(path) + end);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      t.status = 1;
      if (o.has('v')) await t.fail(`${path}: ${error.strerror}`);
    }
  }
  return t.status;
});

const expr = tool(
  'expr',
  async (t) => {
    const args = t.args[0] === '--' ? t.args.slice(1) : t.args;
    if (args.length === 0) await t.dieUsage('missing operand');
    let at = 0;
    const fail = async (message: string): Promise<never> => t.die(message, 2);
    const isNumber = (x: string): boolean => /^-?\d+$/.test(x);
    const isNull = (x: string): boolean => x === '' || /^-?0+$/.test(x);
    const primary = async (): Promise<string> => {
      const word = args[at++];
      if (word === undefined) return fail('syntax error');
      if (word === '(') {
        const value = await or();
        if (args[at++] !== ')') return fail('syntax error');
        return value;
      }
      if (word === 'length' && args[at] !== undefined) return String([...(await primary())].length);
      if (word === 'index' && args[at] !== undefined) {
        const [text, set] = [await primary(), await primary()];
        return String([...text].findIndex((c) => set.includes(c)) + 1);
      }
      if (word === 'substr' && args[at] !== undefined) {
        const [text, from, length] = [await primary(), Number(await primary()), Number(await primary())];
        return from > 0 && length > 0 ? [...text].slice(from - 1, from - 1 + length).join('') : '';
      }
      if (word === 'match' && args[at] !== undefined) {
        const [text, pattern] = [await primary(), await primary()];
        return match(text, pattern);
      }
      return word;
    };
    const match = (text: string, pattern: string): string => {
      const regex = compilePosix(`^${pattern}`.replace(/^\^\^/, '^'), { extended: false });
      const found = regex.exec(text);
      if (pattern.includes('\\(')) return found?.[1] ?? '';
      return String(found === null ? 0 : [...found[0]].length);
    };
    const colon = async (): Promise<string> => {
      let left = await primary();
      while (args[at] === ':') {
        at++;
        left = match(left, await primary());
      }
      return left;
    };
    const binary = (operators: readonly string[], next: () => Promise<string>) => async (): Promise<string> => {
      let left = await next();
      while (operators.includes(args[at] ?? '')) {
        const operator = args[at++]!;
        const right = await next();
        if (['+', '-', '*', '/', '%'].includes(operator)) {
          if (!isNumber(left) || !isNumber(right)) return fail('non-integer argument');
          const [a, b] = [BigInt(left), BigInt(right)];
          if ((operator === '/' || operator === '%') && b === 0n) return fail('division by zero');
          left = String(operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : operator === '/' ? a / b : a % b);
        } else {
          const order = isNumber(left) && isNumber(right) ? Number(BigInt(left) - BigInt(right)) : left < right ? -1 : left > right ? 1 : 0;
          const isTrue = {
            '=': order === 0,
            '==': order === 0,
            '!=': order !== 0,
            '<': order < 0,
            '<=': order <= 0,
            '>': order > 0,
            '>=': order >= 0,
          }[operator];
          left = isTrue ? '1' : '0';
        }
      }
      return left;
    };
    const comparison = binary(['=', '==', '!=', '<', '<=', '>', '>='], binary(['+', '-'], binary(['*', '/', '%'], colon)));
    const and = async (): Promise<string> => {
      let left = await comparison();
      while (args[at] === '&') {
        at++;
        const right = await comparison();
        left = isNull(left) || isNull(right) ? '0' : left;
      }
      return left;
    };
    const or = async (): Promise<string> => {
      let left = await and();
      while (args[at] === '|') {
        at++;
        const right = await and();
        left = isNull(left) ? (isNull(right) ? '0' : right) : left;
      }
      return left;
    };
    const value = await or();
    if (at < args.length) await fail('syntax error');
    await t.write(value + '\n');
    return isNull(value) ? 1 : 0;
  },
  { usageStatus: 2 },
);

const factor = tool('factor', async (t) => {
  const o = await t.options('');
  for (const operand of o.rest) {
    if (!/^\d+$/.test(operand)) {
      await t.fail(`${quote(t, operand)} is not a valid positive integer`);
      continue;
    }
    const factors: string[] = [];
    let n = Number(operand);
    for (let p = 2; p * p <= n; p += p === 2 ? 1 : 2) {
      while (n % p === 0) {
        factors.push(String(p));
        n /= p;
      }
    }
    if (n > 1) factors.push(String(n));
    await t.write(`${operand}:${factors.map((f) => ' ' + f).join('')}\n`);
  }
  return t.status;
});

const timeout = tool(
  'timeout',
  async (t) => {
    const o = await t.options('+k:s:', { 'kill-after': 'k:', signal: 's:', foreground: 'fg', 'preserve-status': 'ps' });
    const [durationText, ...argv] = o.rest;
    if (durationText === undefined || argv.length === 0) return t.dieUsage('missing operand');
    const duration = parseDuration(durationText);
    if (duration === undefined) return t.dieUsage(`invalid time interval ${quote(t, durationText)}`);
    const signal = parseSignal(o.get('s') ?? 'TERM');
    if (signal === undefined || signal === 0) return t.dieUsage(`${quote(t, o.get('s')!)}: invalid signal`);
    const kill = o.get('k') === undefined ? undefined : parseDuration(o.get('k')!);
    let pid: number;
    try {
      pid = t.sys.spawn(findProgram(t, argv[0]!), argv, { env: t.env });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.message(`failed to run command ${quote(t, argv[0]!)}: ${error.strerror}`);
      return error.errno === 'ENOENT' ? 127 : 126;
    }
    let isTimedOut = false;
    const send = (name: typeof signal): void => {
      try {
        t.sys.kill(pid, name);
        t.sys.kill(pid, 'SIGCONT');
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
      }
    };
    const timers = [
      duration === 0
        ? undefined
        : t.sys.clock.setTimer(duration, () => {
            isTimedOut = true;
            send(signal);
          }),
      kill === undefined ? undefined : t.sys.clock.setTimer(duration + kill, () => send('SIGKILL')),
    ];
    t.sys.onSignal('SIGTERM', () => send('SIGTERM'));
    t.sys.onSignal('SIGINT', () => send('SIGINT'));
    try {
      const result = await t.sys.wait(pid);
      const status = result?.kind === 'exited' ? result.status : result?.kind === 'signaled' ? 128 + signalNumber(result.signal) : 0;
      return isTimedOut && !o.has('ps') ? (status === 137 ? 137 : 124) : status;
    } finally {
      for (const timer of timers) timer?.dispose();
    }
  },
  { usageStatus: 125 },
);

function parseDuration(text: string): number | undefined {
  const match = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * 1000 * { s: 1, '': 1, m: 60, h: 3600, d: 86_400 }[match[2] as 's']!;
}

const nohup = tool('nohup', async (t) => {
  const argv = t.args[0] === '--' ? t.args.slice(1) : t.args;
  if (argv.length === 0) {
    await t.message('missing operand');
    await t.errorText("Try 'nohup --help' for more information.\n");
    return 125;
  }
  const inTty = t.process.stdin.tty !== undefined;
  const outTty = t.process.stdout.tty !== undefined;
  const errTty = t.process.stderr.tty !== undefined;
  const fds = new Map<number, number>([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  if (inTty) fds.set(0, t.sys.open('/dev/null', { write: true }));
  let output: number | undefined;
  if (outTty || (errTty && outTty)) {
    let path = 'nohup.out';
    try {
      output = t.sys.open(path, { write: true, create: true, append: true, mode: 0o600 });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      path = `${t.env.get('HOME') ?? ''}/nohup.out`;
      output = t.sys.open(path, { write: true, create: true, append: true, mode: 0o600 });
    }
    await t.message(inTty ? `ignoring input and appending output to ${quote(t, path)}` : `appending output to ${quote(t, path)}`);
    fds.set(1, output);
  } else if (inTty && !errTty) await t.message('ignoring input');
  if (errTty) {
    if (!outTty) await t.message(inTty ? 'ignoring input and redirecting stderr to stdout' : 'redirecting stderr to stdout');
    fds.set(2, fds.get(1)!);
  }
  for (const [fd, from] of fds) if (fd !== from) t.sys.dup2(from, fd);
  t.sys.onSignal('SIGHUP', 'ignore');
  return become(t, argv, t.env);
});

const nice = tool('nice', async (t) => {
  const args = /^-\d+$/.test(t.args[0] ?? '') ? t.args.slice(1) : undefined;
  const rest = args ?? (await t.options('+n:', { adjustment: 'n:' })).rest;
  if (rest.length === 0) {
    await t.write('0\n');
    return 0;
  }
  return become(t, rest, t.env);
});

const tty = tool('tty', async (t) => {
  const o = await t.options('s', { silent: 's', quiet: 's' });
  const name = t.process.stdin.tty?.name;
  if (!o.has('s')) await t.write(name === undefined ? 'not a tty\n' : `/dev/${name}\n`);
  return name === undefined ? 1 : 0;
});

const stty = tool('stty', async (t) => {
  const o = await t.options('aF:g', { all: 'a', file: 'F:', save: 'g' });
  const terminal = t.process.stdin.tty;
  if (terminal === undefined) return void (await t.die('standard input: Inappropriate ioctl for device'));
  if (o.rest[0] === 'size') {
    await t.write(`${terminal.size.rows} ${terminal.size.columns}\n`);
    return 0;
  }
  const args = t.args.filter((arg) => arg !== '-a' && arg !== '-g' && arg !== '--all');
  if (args.length === 0) {
    const m = terminal.termios;
    const sign = (isOn: boolean, name: string): string => (isOn ? name : '-' + name);
    await t.write(`speed 38400 baud; rows ${terminal.size.rows}; columns ${terminal.size.columns}; line = 0;\n`);
    if (o.has('a'))
      await t.write(
        `intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>; eol2 = <undef>; swtch = <undef>; start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R; werase = ^W; lnext = ^V; flush = ^O; min = 1; time = 0;\n${sign(m.inputCrToNl, 'icrnl')} ${sign(m.flowControl, 'ixon')}\nopost ${sign(m.outputNlToCrNl, 'onlcr')}\n${sign(m.signals, 'isig')} ${sign(m.canonical, 'icanon')} iexten ${sign(m.echo, 'echo')} echoe echok\n`,
      );
    else await t.write('-brkint -imaxbel\n');
    return 0;
  }
  const before = terminal.termios;
  let next = { ...before };
  for (const word of args) {
    const isOn = !word.startsWith('-');
    const name = word.replace(/^-/, '');
    if (name === 'echo') next = { ...next, echo: isOn };
    else if (name === 'icanon') next = { ...next, canonical: isOn };
    else if (name === 'isig') next = { ...next, signals: isOn };
    else if (name === 'icrnl') next = { ...next, inputCrToNl: isOn };
    else if (name === 'onlcr') next = { ...next, outputNlToCrNl: isOn };
    else if (name === 'ixon') next = { ...next, flowControl: isOn };
    else if (name === 'raw' || name === 'cbreak')
      next = { ...next, canonical: !isOn, ...(name === 'raw' ? { signals: !isOn, inputCrToNl: !isOn, outputNlToCrNl: !isOn } : {}) };
    else if (word === 'sane' || word === 'cooked')
      next = { canonical: true, echo: true, signals: true, inputCrToNl: true, outputNlToCrNl: true, flowControl: true };
    else return void (await t.dieUsage(`invalid argument ${quote(t, word)}`));
  }
  terminal.termios = next;
  return 0;
});

const clear = tool('clear', async (t) => {
  await t.write('\x1b[H\x1b[2J');
});
const reset = tool('reset', async (t) => {
  const terminal = t.process.stdin.tty;
  if (terminal !== undefined)
    terminal.termios = { canonical: true, echo: true, signals: true, inputCrToNl: true, outputNlToCrNl: true, flowControl: true };
  await t.write('\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>');
});

const tput = tool('tput', async (t) => {
  const [name = '', ...rest] = t.args[0] === '-T' ? t.args.slice(2) : t.args;
  const simple: Readonly<Record<string, string>> = {
    clear: '\x1b[H\x1b[2J',
    bold: '\x1b[1m',
    rev: '\x1b[7m',
    smul: '\x1b[4m',
    rmul: '\x1b[24m',
    sgr0: '\x1b(B\x1b[m',
    smcup: '\x1b[?1049h',
    rmcup: '\x1b[?1049l',
    civis: '\x1b[?25l',
    cnorm: '\x1b[?12l\x1b[?25h',
    el: '\x1b[K',
    ed: '\x1b[J',
    home: '\x1b[H',
    cuu1: '\x1b[A',
    bel: '\x07',
    smso: '\x1b[7m',
    rmso: '\x1b[27m',
    op: '\x1b[39;49m',
    dim: '\x1b[2m',
  };
  if (name === 'cols') await t.write(`${t.columns}\n`);
  else if (name === 'lines') await t.write(`${t.process.stdout.tty?.size.rows ?? t.process.stderr.tty?.size.rows ?? 24}\n`);
  else if (name === 'colors') await t.write(/256/.test(t.env.get('TERM') ?? '') ? '256\n' : '8\n');
  else if (name === 'setaf') await t.write(Number(rest[0]) < 8 ? `\x1b[3${rest[0]}m` : `\x1b[38;5;${rest[0]}m`);
  else if (name === 'setab') await t.write(Number(rest[0]) < 8 ? `\x1b[4${rest[0]}m` : `\x1b[48;5;${rest[0]}m`);
  else if (name === 'cup') await t.write(`\x1b[${Number(rest[0]) + 1};${Number(rest[1]) + 1}H`);
  else if (simple[name] !== undefined) await t.write(simple[name]);
  else return void (await t.die(`unknown terminfo capability '${name}'`, 4));
  return 0;
});

const arch = tool('arch', async (t) => {
  await t.write('x86_64\n');
});
const nproc = tool('nproc', async (t) => {
  const o = await t.options('', { all: 'all', ignore: 'ignore:' });
  const cpus = t.sys
    .readTextFile('/proc/cpuinfo')
    .split('\n')
    .filter((line) => line.startsWith('processor')).length;
  await t.write(`${Math.max(1, (cpus || 1) - Number(o.get('ignore') ?? 0))}\n`);
});
const logname = tool('logname', async (t) => {
  const name = t.env.get('LOGNAME');
  if (name === undefined) return void (await t.die('no login name'));
  await t.write(name + '\n');
  return 0;
});
const sync = tool('sync', async (t) => {
  await t.options('');
});
const truth = (name: 'true' | 'false'): Program => ({ name, main: () => Promise.resolve(name === 'true' ? 0 : 1) });
const pwd = tool('pwd', async (t) => {
  const o = await t.options('LP', { logical: 'L', physical: 'P' });
  await t.write((o.has('L') ? (t.env.get('PWD') ?? t.sys.cwd()) : t.sys.cwd()) + '\n');
});
export const BASIC_PROGRAMS: readonly Program[] = [
  cat,
  echo,
  printf,
  test('test'),
  test('['),
  env,
  printenv,
  sleep,
  date,
  yes,
  seq,
  basename,
  dirname,
  realpath,
  readlink,
  expr,
  factor,
  timeout,
  nohup,
  nice,
  tty,
  stty,
  clear,
  reset,
  tput,
  arch,
  nproc,
  logname,
  sync,
  truth('true'),
  truth('false'),
  pwd,
];
