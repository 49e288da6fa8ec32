// Models /bin/bash and /bin/sh: options, start-up files, and what is run.

import { Shell } from '../../shell/index.ts';
import { toText } from '../../shell/bytes.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { SysError } from '../../sim/errno.ts';

export const bash: Program = { name: 'bash', paths: ['/usr/bin/bash', '/bin/bash'], main: (process) => main(process, 'bash') };
export const sh: Program = { name: 'sh', paths: ['/usr/bin/sh', '/bin/sh'], main: (process) => main(process, 'sh') };

interface Invocation {
  command: string | undefined;
  isLogin: boolean;
  isInteractive: boolean;
  readsStandardInput: boolean;
  noProfile: boolean;
  noRc: boolean;
  rcFile: string | undefined;
  readonly settings: string[];
  readonly shopts: (readonly [string, boolean])[];
  rest: readonly string[];
}

async function main(process: Process, kind: 'bash' | 'sh'): Promise<number> {
  const { sys } = process;
  const called = process.argv[0] ?? kind;
  const parsed = parseArguments(process.argv);
  if (typeof parsed === 'string') {
    await sys.file(2).write(new TextEncoder().encode(parsed));
    return 2;
  }
  if (typeof parsed === 'object' && 'text' in parsed) {
    await sys.file(1).write(new TextEncoder().encode(parsed.text));
    return 0;
  }
  const isPosix = kind === 'sh' || /(?:^|\/)-?sh$/.test(called);
  const [script] = parsed.rest;
  const hasSource = parsed.command !== undefined || (script !== undefined && !parsed.readsStandardInput);
  const isInteractive =
    parsed.isInteractive ||
    (!hasSource &&
      sys.descriptors().includes(0) &&
      sys.file(0).tty !== undefined &&
      sys.descriptors().includes(2) &&
      sys.file(2).tty !== undefined);
  let name = called;
  let positional: readonly string[] = parsed.rest;
  if (parsed.command !== undefined) {
    name = parsed.rest[0] ?? called;
    positional = parsed.rest.slice(1);
  } else if (hasSource) {
    name = script!;
    positional = parsed.rest.slice(1);
  }
  const shell = new Shell(process, { name, positional, isInteractive, isLogin: parsed.isLogin || called.startsWith('-'), isPosix });
  for (const [option, isOn] of parsed.shopts) {
    if (isOn) shell.interpreter.options.add(option);
    else shell.interpreter.options.delete(option);
  }
  await shell.startUp({
    noProfile: parsed.noProfile,
    noRc: parsed.noRc,
    ...(parsed.rcFile === undefined ? {} : { rcFile: parsed.rcFile }),
  });
  if (shell.hasExited) return shell.finish();
  if (parsed.settings.length > 0) {
    const status = await shell.runString(`set ${parsed.settings.join(' ')}`);
    if (status !== 0) return status;
  }
  if (parsed.command !== undefined) {
    shell.interpreter.commandName = '-c: ';
    // bash 4.2 counts the lines of -c from 0.
    shell.interpreter.mayReplace = true;
    await shell.runString(parsed.command, { lineOffset: -1, name: '' });
    return shell.finish();
  }
  if (hasSource) {
    const source = await readScriptFile(process, script!, called);
    if (typeof source === 'number') return source;
    await shell.runString(source, { name: script! });
    return shell.finish();
  }
  if (isInteractive) await shell.runInteractive();
  else await shell.runStandardInput();
  return shell.finish();
}

async function readScriptFile(process: Process, path: string, called: string): Promise<string | number> {
  const { sys } = process;
  const fail = async (message: string, status: number): Promise<number> => {
    await sys.file(2).write(new TextEncoder().encode(`${called}: ${path}: ${message}\n`));
    return status;
  };
  let found = path;
  if (!path.includes('/') && !sys.exists(path)) {
    for (const directory of (process.env.get('PATH') ?? '').split(':')) {
      if (sys.exists(`${directory}/${path}`)) {
        found = `${directory}/${path}`;
        break;
      }
    }
  }
  try {
    if (sys.stat(found).kind === 'directory') return await fail('is a directory', 126);
    const fd = sys.open(found, { read: true });
    const chunks: Uint8Array[] = [];
    for (;;) {
      const chunk = await sys.file(fd).read();
      if (chunk === undefined) break;
      chunks.push(chunk);
    }
    sys.close(fd);
    const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    if (bytes.subarray(0, 80).includes(0) && bytes[0] === 0x7f) return await fail('cannot execute binary file', 126);
    return toText(bytes);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return fail(error.strerror, error.errno === 'ENOENT' ? 127 : 126);
  }
}

const VERSION = `GNU bash, version 4.2.46(2)-release (x86_64-redhat-linux-gnu)
Copyright (C) 2011 Free Software Foundation, Inc.
License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>

This is free software; you are free to change and redistribute it.
There is NO WARRANTY, to the extent permitted by law.
`;

function parseArguments(argv: readonly string[]): Invocation | string | { readonly text: string } {
  const called = argv[0] ?? 'bash';
  const out: Invocation = {
    command: undefined,
    isLogin: false,
    isInteractive: false,
    readsStandardInput: false,
    noProfile: false,
    noRc: false,
    rcFile: undefined,
    settings: [],
    shopts: [],
    rest: [],
  };
  let at = 1;
  let wantsCommand = false;
  for (; at < argv.length; at++) {
    const arg = argv[at]!;
    if (arg === '--' || arg === '-') {
      at++;
      break;
    }
    if (arg.startsWith('--')) {
      if (arg === '--login') out.isLogin = true;
      else if (arg === '--norc') out.noRc = true;
      else if (arg === '--noprofile') out.noProfile = true;
      else if (arg === '--posix') out.settings.push('-o', 'posix');
      else if (arg === '--rcfile' || arg === '--init-file') out.rcFile = argv[++at];
      else if (arg === '--version') return { text: VERSION };
      else if (arg === '--noediting' || arg === '--verbose') out.settings.push(...(arg === '--verbose' ? ['-v'] : []));
      else
        return `${called}: ${arg}: invalid option\nUsage:\t${called} [GNU long option] [option] ...\n\t${called} [GNU long option] [option] script-file ...\n`;
      continue;
    }
    if (!/^[-+]./.test(arg)) break;
    for (const letter of arg.slice(1)) {
      if (letter === 'c') wantsCommand = true;
      else if (letter === 'l') out.isLogin = true;
      else if (letter === 'i') out.isInteractive = true;
      else if (letter === 's') out.readsStandardInput = true;
      else if (letter === 'r' || letter === 'D') return `${called}: ${arg}: not emulated: this option\n`;
      else if (letter === 'o') out.settings.push(`${arg[0]}o`, argv[++at] ?? '');
      else if (letter === 'O') out.shopts.push([argv[++at] ?? '', arg[0] === '-']);
      else if ('abefhkmnptuvxBCEHPT'.includes(letter)) out.settings.push(arg[0]! + letter);
      else
        return `${called}: ${arg[0]}${letter}: invalid option\nUsage:\t${called} [GNU long option] [option] ...\n\t${called} [GNU long option] [option] script-file ...\n`;
    }
  }
  out.rest = argv.slice(at);
  if (wantsCommand) {
    if (out.rest.length === 0) return `${called}: -c: option requires an argument\n`;
    out.command = out.rest[0]!;
    out.rest = out.rest.slice(1);
  }
  return out;
}
