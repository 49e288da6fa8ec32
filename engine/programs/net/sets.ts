// Models ipset(8) 7.1 and conntrack(8) 1.4.4.

import type { Process, Program } from '../../kernel/process.ts';
import { SET_TYPES, type IpSet, type SetType } from '../../net/netfilter/ip-sets.ts';
import { text } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { err, out } from './io.ts';

const IPSET = 'ipset v7.1: ';

export const ipset: Program = {
  name: 'ipset',
  paths: ['/usr/sbin/ipset'],
  async main(process) {
    const args = process.argv.slice(1);
    if (args.some((arg) => arg === 'restore' || arg === '-R')) {
      let input = '';
      for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read()) input += text(chunk);
      const exist = args.some((arg) => arg === '-exist' || arg === '-!');
      for (const [at, line] of input.split('\n').entries()) {
        if (line.trim() === '' || line.startsWith('#') || line.trim() === 'COMMIT') continue;
        const failure = run(process, [...line.trim().split(/\s+/), ...(exist ? ['-exist'] : [])]);
        if (failure.error !== undefined) {
          await err(process, `${IPSET}Error in line ${at + 1}: ${failure.error}\n`);
          return 1;
        }
      }
      return 0;
    }
    if (process.sys.credentials().uid !== 0) {
      await err(process, `${IPSET}Kernel error received: Operation not permitted\n`);
      return 1;
    }
    const result = run(process, args);
    if (result.error !== undefined) {
      await err(process, `${IPSET}${result.error}\n`);
      return 1;
    }
    if (result.output !== '') await (result.isError === true ? err(process, result.output) : out(process, result.output));
    return result.status ?? 0;
  },
};

interface Result {
  readonly output: string;
  readonly error?: string;
  readonly isError?: boolean;
  readonly status?: number;
}

function run(process: Process, given: readonly string[]): Result {
  const { sets } = process.sys.net.netfilter;
  const isQuiet = given.some((arg) => arg === '-exist' || arg === '-!');
  const [command, name = '', ...rest] = given.filter((arg) => arg !== '-exist' && arg !== '-!' && arg !== '-q');
  const missing: Result = { output: '', error: 'The set with the given name does not exist' };
  const done: Result = { output: '' };
  try {
    switch (command) {
      case 'create':
      case 'n':
      case '-N': {
        const type = rest.shift() as SetType | undefined;
        if (type === undefined || !SET_TYPES.includes(type)) return { output: '', error: `Syntax error: unknown settype ${type ?? ''}` };
        if (sets.get(name) !== undefined)
          return isQuiet ? done : { output: '', error: 'Set cannot be created: set with the same name already exists' };
        sets.create(name, type, rest.join(' '));
        return done;
      }
      case 'destroy':
      case 'x':
      case '-X':
        if (name === '') for (const set of sets.list()) sets.destroy(set.name);
        else if (process.sys.net.netfilter.save().includes(`--match-set ${name} `))
          return { output: '', error: 'Set cannot be destroyed: it is in use by a kernel component' };
        else sets.destroy(name);
        return done;
      case 'flush':
      case '-F': {
        const set = sets.get(name);
        if (set === undefined) return missing;
        set.flush();
        return done;
      }
      case 'add':
      case 'del':
      case '-A':
      case '-D':
      case 'test':
      case '-T':
        return member(sets.get(name), command, rest[0] ?? '', isQuiet) ?? missing;
      case 'list':
      case '-L':
        if (name === '-n' || name === '-name')
          return {
            output: sets
              .list()
              .map((set) => `${set.name}\n`)
              .join(''),
          };
        if (name !== '' && sets.get(name) === undefined) return missing;
        return { output: (name === '' ? sets.list() : [sets.get(name)!]).map(describe).join('\n') };
      case 'save':
      case '-S':
        return { output: sets.save() };
      case 'swap':
      case '-W':
        sets.swap(name, rest[0] ?? '');
        return done;
      case 'rename':
      case '-E':
        sets.rename(name, rest[0] ?? '');
        return done;
      case undefined:
        return { output: '', error: 'No command specified: unknown argument ' };
      default:
        return { output: '', error: `Unknown argument ${command}` };
    }
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return missing;
    if (isSysError(error, 'EEXIST')) return { output: '', error: 'Set cannot be renamed: a set with the new name already exists' };
    if (isSysError(error)) return { output: '', error: `Kernel error received: ${error.strerror}` };
    throw error;
  }
}

function member(set: IpSet | undefined, command: string, entry: string, isQuiet: boolean): Result | undefined {
  if (set === undefined) return undefined;
  try {
    if (command === 'test' || command === '-T') {
      const has = set.contains(entry);
      return { output: `${entry} is ${has ? '' : 'NOT '}in set ${set.name}.\n`, isError: true, status: has ? 0 : 1 };
    }
    if (command === 'add' || command === '-A') set.add(entry);
    else set.delete(entry);
  } catch (error) {
    if (isSysError(error, 'EEXIST'))
      return isQuiet ? { output: '' } : { output: '', error: "Element cannot be added to the set: it's already added" };
    if (isSysError(error, 'ENOENT'))
      return isQuiet ? { output: '' } : { output: '', error: "Element cannot be deleted from the set: it's not added" };
    if (isSysError(error, 'EINVAL')) return { output: '', error: `Syntax error: cannot parse ${entry}: resolving to IPv4 address failed` };
    throw error;
  }
  return { output: '' };
}

function describe(set: IpSet): string {
  const members = set.members();
  return `Name: ${set.name}\nType: ${set.type}\nRevision: 4\nHeader: ${set.options}\nSize in memory: ${384 + members.length * 64}\nReferences: 0\nNumber of entries: ${members.length}\nMembers:\n${members.map((one) => `${one}\n`).join('')}`;
}

export const conntrack: Program = {
  name: 'conntrack',
  paths: ['/usr/sbin/conntrack'],
  async main(process) {
    const args = process.argv.slice(1);
    const { net } = process.sys;
    if (process.sys.credentials().uid !== 0) {
      await err(
        process,
        'conntrack v1.4.4 (conntrack-tools): Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this\n',
      );
      return 1;
    }
    let command = '';
    const tests: ((line: string) => boolean)[] = [];
    // A tuple's first half is the original direction.
    const firstHalf = (line: string): string => line.slice(0, line.indexOf('src=', line.indexOf('src=') + 4));
    while (args.length > 0) {
      const arg = args.shift()!;
      if (['-L', '--dump', '-D', '--delete', '-F', '--flush', '-C', '--count', '-S', '--stats'].includes(arg))
        command = arg.replace(
          /^--(.).*/,
          (_, letter: string) => `-${letter === 'd' ? (arg === '--dump' ? 'L' : 'D') : letter.toUpperCase()}`,
        );
      else if (arg === '-p' || arg === '--proto') {
        const protocol = args.shift() ?? '';
        tests.push((line) => line.startsWith(`${protocol} `));
      } else if (arg === '-s' || arg === '--orig-src' || arg === '--src') {
        const wanted = args.shift() ?? '';
        tests.push((line) => firstHalf(line).includes(`src=${wanted} `));
      } else if (arg === '-d' || arg === '--orig-dst' || arg === '--dst') {
        const wanted = args.shift() ?? '';
        tests.push((line) => firstHalf(line).includes(`dst=${wanted} `));
      } else if (arg === '--dport' || arg === '--orig-port-dst') {
        const wanted = args.shift() ?? '';
        tests.push((line) => firstHalf(line).includes(`dport=${wanted} `));
      } else if (arg === '--sport' || arg === '--orig-port-src') {
        const wanted = args.shift() ?? '';
        tests.push((line) => firstHalf(line).includes(`sport=${wanted} `));
      } else if (arg === '--reply-src' || arg === '-r' || arg === '--dst-nat') {
        const wanted = args.shift() ?? '';
        tests.push((line) => line.slice(firstHalf(line).length).includes(`src=${wanted} `));
      } else if (arg === '-f' || arg === '-o' || arg === '-n' || arg === '-g') args.shift();
    }
    const isWanted = (line: string): boolean => tests.every((test) => test(line));
    const lines = net.conntrack().filter(isWanted);
    switch (command) {
      case '-L':
        await out(process, lines.map((line) => `${line}\n`).join(''));
        await err(process, `conntrack v1.4.4 (conntrack-tools): ${lines.length} flow entries have been shown.\n`);
        return 0;
      case '-C':
        await out(process, `${net.conntrack().length}\n`);
        return 0;
      case '-F':
        net.deleteFlows(() => true);
        await err(process, 'conntrack v1.4.4 (conntrack-tools): connection tracking table has been emptied.\n');
        return 0;
      case '-D':
        await out(process, lines.map((line) => `${line}\n`).join(''));
        net.deleteFlows(isWanted);
        await err(process, `conntrack v1.4.4 (conntrack-tools): ${lines.length} flow entries have been deleted.\n`);
        return lines.length > 0 ? 0 : 1;
      default:
        await err(process, 'conntrack v1.4.4 (conntrack-tools): Command line tool\nUsage: conntrack [commands] [options]\n');
        return 2;
    }
  },
};
