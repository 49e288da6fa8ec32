// Models ps(1): unix, BSD and long options, selections, formats and trees.
// Not modelled: threads (-L, -T), SELinux contexts, personality environment variables.

import type { Process, ProcessInfo } from '../../kernel/process.ts';
import { COLUMNS, isThread, type Column, type PsContext } from './ps-columns.ts';
import { accounts, Failure, groups, print, program } from './support.ts';

interface Request {
  isAll: boolean;
  isAnyTty: boolean;
  isAnyUser: boolean;
  columns: Column[] | undefined;
  sort: string[];
  isTree: boolean;
  isBsd: boolean;
  hasHeader: boolean;
  isWide: boolean;
  isNegated: boolean;
  readonly selections: ((info: ProcessInfo) => boolean)[];
}

const USAGE =
  "\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n";

const FULL = 'user:8=UID,pid,ppid,c,stime,tname,time,cmd';
const BSD_USER = 'user:8,pid,%cpu,%mem,vsz,rss,tname,stat,start_time=START,bsdtime,args';
const LONG = 'f,s,uid,pid,ppid,c,opri,ni,addr,sz,wchan,tname,time,ucmd';
const JOBS = 'pid,pgid,sid,tname,time,ucmd';
const PLAIN = 'pid,tname,time,ucmd';
const BSD_PLAIN = 'pid,tname,stat,bsdtime,args';

async function ps(process: Process): Promise<number> {
  const request = parse(process);
  const { sys } = process;
  const own = { uid: sys.credentials().uid, tty: sys.controllingTty()?.name };
  const all = sys.processes();
  const chosen = all.filter((info) => isChosen(info, request, own));
  const names = new Map(accounts(sys).map((account) => [account.uid, account.name]));
  const groupNames = new Map(groups(sys).map((group) => [group.gid, group.name]));
  const context: PsContext = {
    nowMs: sys.now(),
    memoryBytes: memoryTotal(process),
    userOf: (uid) => names.get(uid) ?? String(uid),
    groupOf: (gid) => groupNames.get(gid) ?? String(gid),
    isCommandShort: false,
  };
  const columns = request.columns ?? columnsOf(request.isBsd ? BSD_PLAIN : PLAIN);
  sortBy(chosen, request.sort, context);
  const rows = request.isTree ? tree(chosen) : chosen.map((info) => ({ info, prefix: '' }));
  const width = request.isWide ? undefined : process.stdout.tty?.size.columns;
  const lines = rows.map(({ info, prefix }) =>
    format(columns, (column) => (column.isCommand === true ? prefix : '') + column.value(info, context)),
  );
  if (request.hasHeader && columns.some((column) => column.header !== '')) lines.unshift(format(columns, (column) => column.header));
  await print(process, lines.map((line) => `${width === undefined ? line : line.slice(0, width)}\n`).join(''));
  return chosen.length === 0 ? 1 : 0;
}

function isChosen(info: ProcessInfo, request: Request, own: { readonly uid: number; readonly tty: string | undefined }): boolean {
  let isIn: boolean;
  if (request.isAll) isIn = true;
  else if (request.selections.length > 0 && !request.isAnyUser && !request.isAnyTty)
    isIn = request.selections.some((matches) => matches(info));
  else if (request.isAnyUser && request.isAnyTty) isIn = true;
  else if (request.isAnyUser) isIn = info.tty !== undefined && (request.isBsd || info.session !== info.pid);
  else if (request.isAnyTty) isIn = info.uid === own.uid;
  else isIn = info.uid === own.uid && info.tty === own.tty && !isThread(info);
  return isIn !== request.isNegated;
}

function parse(process: Process): Request {
  const request: Request = {
    isAll: false,
    isAnyTty: false,
    isAnyUser: false,
    columns: undefined,
    sort: [],
    isTree: false,
    isBsd: false,
    hasHeader: true,
    isWide: false,
    isNegated: false,
    selections: [],
  };
  const args = process.argv.slice(1);
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    const next = (): string => {
      const value = args[++at];
      if (value === undefined) throw new Failure(`error: option requires an argument\n${USAGE}`, 1);
      return value;
    };
    if (arg.startsWith('--')) parseLong(process, request, arg, next);
    else if (arg.startsWith('-') && arg.length > 1) parseUnix(process, request, arg.slice(1), next);
    else if (/^\d[\d,]*$/.test(arg)) select(request, pidsOf(arg));
    else parseBsd(process, request, arg, next);
  }
  return request;
}

function parseUnix(process: Process, request: Request, letters: string, next: () => string): void {
  for (let at = 0; at < letters.length; at++) {
    const value = (): string => {
      const rest = letters.slice(at + 1);
      at = letters.length;
      return rest === '' ? next() : rest;
    };
    const letter = letters[at]!;
    switch (letter) {
      case 'e':
      case 'A':
        request.isAll = true;
        break;
      case 'a':
        request.isAnyUser = true;
        break;
      case 'd':
        select(request, (info) => info.session !== info.pid);
        break;
      case 'f':
        request.columns ??= columnsOf(FULL);
        break;
      case 'F':
        request.columns ??= columnsOf('user:8=UID,pid,ppid,c,sz,rss,psr,stime,tname,time,cmd');
        break;
      case 'l':
        request.columns ??= columnsOf(LONG);
        break;
      case 'j':
        request.columns ??= columnsOf(JOBS);
        break;
      case 'H':
        request.isTree = true;
        break;
      case 'N':
        request.isNegated = true;
        break;
      case 'w':
        request.isWide = true;
        break;
      case 'y':
      case 'M':
        break;
      case 'o':
        request.columns = [...(request.columns ?? []), ...columnsOf(value())];
        break;
      case 'O':
        request.columns = columnsOf(`pid,${value()},s,tname,time,cmd`);
        break;
      case 'p':
      case 'q':
        select(request, pidsOf(value()));
        break;
      case 'C': {
        const names = value().split(',');
        select(request, (info) => names.includes(info.command));
        break;
      }
      case 'u':
      case 'U':
        select(request, usersOf(process, value()));
        break;
      case 't': {
        const names = value().split(',');
        select(
          request,
          (info) => names.includes(info.tty ?? '?') || names.some((name) => info.tty === `pts/${name}` || info.tty === `tty${name}`),
        );
        break;
      }
      case 'g':
      case 's': {
        const ids = value().split(',').map(Number);
        select(request, (info) => ids.includes(info.session));
        break;
      }
      case 'V':
        throw new Failure('', 0);
      default:
        throw new Failure(`error: unsupported SysV option\n${USAGE}`, 1);
    }
  }
}

function parseBsd(process: Process, request: Request, letters: string, next: () => string): void {
  request.isBsd = true;
  for (let at = 0; at < letters.length; at++) {
    const value = (): string => {
      const rest = letters.slice(at + 1);
      at = letters.length;
      return rest === '' ? next() : rest;
    };
    switch (letters[at]!) {
      case 'a':
        request.isAnyUser = true;
        break;
      case 'x':
        request.isAnyTty = true;
        break;
      case 'u':
        request.columns = columnsOf(BSD_USER);
        break;
      case 'f':
        request.isTree = true;
        break;
      case 'w':
        request.isWide = true;
        break;
      case 'h':
        request.hasHeader = false;
        break;
      case 'l':
        request.columns = columnsOf('f,uid,pid,ppid,pri,ni,vsz,rss,wchan,stat,tname,bsdtime,args');
        break;
      case 'j':
        request.columns = columnsOf('ppid,pid,pgid,sid,tname,tpgid,stat,uid,bsdtime,args');
        break;
      case 'o':
        request.columns = columnsOf(value());
        break;
      case 'p':
        select(request, pidsOf(value()));
        break;
      case 'U':
        select(request, usersOf(process, value()));
        break;
      case 'e':
      case 'c':
      case 'n':
        break;
      case 'k':
        request.sort.push(...value().split(','));
        break;
      default:
        throw new Failure(`error: unsupported option (BSD syntax)\n${USAGE}`, 1);
    }
  }
}

function parseLong(process: Process, request: Request, arg: string, next: () => string): void {
  const [name = '', inline] = arg.slice(2).split(/=(.*)/s, 2);
  const value = (): string => inline ?? next();
  switch (name) {
    case 'sort':
      request.sort.push(...value().split(','));
      break;
    case 'no-headers':
    case 'no-heading':
    case 'noheaders':
      request.hasHeader = false;
      break;
    case 'headers':
      break;
    case 'forest':
      request.isTree = true;
      break;
    case 'format':
      request.columns = [...(request.columns ?? []), ...columnsOf(value())];
      break;
    case 'pid':
      select(request, pidsOf(value()));
      break;
    case 'ppid': {
      const ids = value().split(',').map(Number);
      select(request, (info) => ids.includes(info.parent));
      break;
    }
    case 'user':
    case 'User':
      select(request, usersOf(process, value()));
      break;
    case 'deselect':
      request.isNegated = true;
      break;
    case 'cols':
    case 'columns':
    case 'width':
      value();
      request.isWide = true;
      break;
    default:
      throw new Failure(`error: unknown gnu long option\n${USAGE}`, 1);
  }
}

function select(request: Request, matches: (info: ProcessInfo) => boolean): void {
  request.selections.push(matches);
}

function pidsOf(list: string): (info: ProcessInfo) => boolean {
  const parts = list.split(/[,\s]+/).filter((part) => part !== '');
  if (parts.length === 0 || parts.some((part) => !/^\d+$/.test(part)))
    throw new Failure(`error: process ID list syntax error\n${USAGE}`, 1);
  const pids = new Set(parts.map(Number));
  return (info) => pids.has(info.pid);
}

function usersOf(process: Process, list: string): (info: ProcessInfo) => boolean {
  const known = accounts(process.sys);
  const uids = list.split(',').map((name) => {
    const uid = /^\d+$/.test(name) ? Number(name) : known.find((account) => account.name === name)?.uid;
    if (uid === undefined) throw new Failure(`error: user name does not exist\n${USAGE}`, 1);
    return uid;
  });
  return (info) => uids.includes(info.uid);
}

/** `user:12,pid=Number,cmd`: names with widths and headers; a header takes the rest of the argument. */
function columnsOf(format: string): Column[] {
  const columns: Column[] = [];
  for (const part of format.split(/[,\s]+/).filter((each) => each !== '')) {
    const [head = '', header] = part.split(/=(.*)/s, 2);
    const [name = '', width] = head.split(':');
    const column = COLUMNS.get(name.toLowerCase());
    if (column === undefined) throw new Failure(`error: unknown user-defined format specifier "${name}"\n${USAGE}`, 1);
    columns.push({ ...column, header: header ?? column.header, width: width === undefined ? column.width : Number(width) });
  }
  return columns;
}

function format(columns: readonly Column[], cell: (column: Column) => string): string {
  return columns
    .map((column, index) => {
      const value = cell(column);
      const width = Math.max(column.width, column.isCommand === true ? 0 : column.header.length);
      if (column.isRight === true) return value.padStart(width);
      const isLast = index === columns.length - 1;
      return isLast ? value : (column.isCommand === true ? value.slice(0, width) : value).padEnd(width);
    })
    .join(' ');
}

function sortBy(infos: ProcessInfo[], keys: readonly string[], context: PsContext): void {
  const orders = keys.map((key) => {
    const name = key.replace(/^[-+]/, '');
    const column = COLUMNS.get(name.toLowerCase());
    if (column === undefined) throw new Failure(`error: unknown sort specifier\n${USAGE}`, 1);
    const valueOf = (info: ProcessInfo): number | string => column.key?.(info, context) ?? column.value(info, context);
    return { sign: key.startsWith('-') ? -1 : 1, valueOf };
  });
  infos.sort((a, b) => {
    for (const { sign, valueOf } of orders) {
      const [x, y] = [valueOf(a), valueOf(b)];
      if (x !== y) return (x < y ? -1 : 1) * sign;
    }
    return a.pid - b.pid;
  });
}

function tree(infos: readonly ProcessInfo[]): readonly { readonly info: ProcessInfo; readonly prefix: string }[] {
  const shown = new Set(infos.map((info) => info.pid));
  const rows: { info: ProcessInfo; prefix: string }[] = [];
  const childrenOf = (pid: number): readonly ProcessInfo[] => infos.filter((info) => info.parent === pid && info.pid !== pid);
  const visit = (info: ProcessInfo, indent: string, isRoot: boolean, isLast: boolean): void => {
    rows.push({ info, prefix: isRoot ? '' : `${indent} \\_ ` });
    const below = childrenOf(info.pid);
    // Children of init and of kthreadd stand at the margin, as ps shows daemons.
    const next = isRoot ? '' : `${indent}${isLast ? '    ' : ' |  '}`;
    below.forEach((child, index) => visit(child, next, info.pid === 1, index === below.length - 1));
  };
  for (const info of infos) if (!shown.has(info.parent) || info.parent === info.pid) visit(info, '', true, true);
  return rows;
}

function memoryTotal(process: Process): number {
  return Number(/^MemTotal:\s+(\d+)/m.exec(process.sys.readTextFile('/proc/meminfo'))?.[1] ?? 1) * 1024;
}

export const programs = [program('ps', ps, { paths: ['/usr/bin/ps', '/bin/ps'] })];
