// ssh's command line and ~/.ssh/config, as far as this lab's ssh has use for them.

import type { Process } from '../../../kernel/process.ts';
import { readIfThere } from '../io.ts';

export interface SshOptions {
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly command: string | undefined;
  /** -t once, twice, -T. */
  readonly terminal: 'auto' | 'yes' | 'force' | 'no';
  readonly identities: readonly string[];
  readonly strict: 'yes' | 'no' | 'ask';
  readonly knownHosts: string;
  readonly isBatch: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly noStdin: boolean;
  readonly noCommand: boolean;
  readonly connectTimeoutMs: number | undefined;
  readonly passwordPrompts: number;
}

export const SSH_USAGE = `usage: ssh [-1246AaCfGgKkMNnqsTtVvXxYy] [-b bind_address] [-c cipher_spec]
           [-D [bind_address:]port] [-E log_file] [-e escape_char]
           [-F configfile] [-I pkcs11] [-i identity_file]
           [-J [user@]host[:port]] [-L address] [-l login_name] [-m mac_spec]
           [-O ctl_cmd] [-o option] [-p port] [-Q query_option] [-R address]
           [-S ctl_path] [-W host:port] [-w local_tun[:remote_tun]]
           [user@]hostname [command]
`;

const WITH_VALUE = 'bcDEeFIiJLlmOopQRSWw';
const FLAGS = '1246AaCfGgKkMNnqsTtVvXxYy';

/** The options, or what ssh prints before it exits with 255. */
export function parseSshArguments(process: Process, argv: readonly string[], home: string, localUser: string): SshOptions | string {
  const args = argv.slice(1);
  let destination: string | undefined;
  let user: string | undefined;
  let port: string | undefined;
  let terminal: SshOptions['terminal'] = 'auto';
  const identities: string[] = [];
  const given = new Map<string, string>();
  let flags = '';
  while (args.length > 0 && (destination === undefined || args[0]!.startsWith('-'))) {
    const arg = args.shift()!;
    if (arg === '--') continue;
    if (!arg.startsWith('-') || arg === '-') {
      destination = arg;
      if (args[0] === '--') args.shift();
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      if (FLAGS.includes(letter)) {
        flags += letter;
        if (letter === 't') terminal = terminal === 'yes' ? 'force' : 'yes';
        if (letter === 'T') terminal = 'no';
        continue;
      }
      if (!WITH_VALUE.includes(letter)) return `unknown option -- ${letter}\n${SSH_USAGE}`;
      const value = arg.slice(at + 1) || args.shift();
      if (value === undefined) return `option requires an argument -- ${letter}\n${SSH_USAGE}`;
      if (letter === 'p') port = value;
      else if (letter === 'l') user = value;
      else if (letter === 'i') identities.push(value);
      else if (letter === 'o') {
        const parts = /^\s*(\w+)\s*[= ]\s*(.*)$/.exec(value);
        if (parts === null) return `command-line line 0: Bad configuration option: ${value.toLowerCase()}\n`;
        given.set(parts[1]!.toLowerCase(), parts[2]!);
      }
      break;
    }
  }
  if (destination === undefined) return SSH_USAGE;
  const at = destination.lastIndexOf('@');
  if (at >= 0) user ??= destination.slice(0, at);
  const host = at >= 0 ? destination.slice(at + 1) : destination;
  const config = new Map([...configFor(readIfThere(process, `${home}/.ssh/config`), host), ...given]);
  const number = Number(port ?? config.get('port') ?? 22);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) return `Bad port '${port ?? ''}'\n`;
  const strict = config.get('stricthostkeychecking')?.toLowerCase();
  const timeout = config.get('connecttimeout');
  return {
    host: config.get('hostname') ?? host,
    user: user ?? config.get('user') ?? localUser,
    port: number,
    command: args.length === 0 ? undefined : args.join(' '),
    terminal,
    identities:
      identities.length > 0
        ? identities
        : config.has('identityfile')
          ? [config.get('identityfile')!.replace(/^~/, home)]
          : ['id_rsa', 'id_ecdsa'].map((name) => `${home}/.ssh/${name}`),
    strict: strict === 'no' || strict === 'off' ? 'no' : strict === 'yes' ? 'yes' : 'ask',
    knownHosts: config.get('userknownhostsfile')?.replace(/^~/, home) ?? `${home}/.ssh/known_hosts`,
    isBatch: config.get('batchmode') === 'yes',
    isQuiet: flags.includes('q') || config.get('loglevel')?.toLowerCase() === 'quiet' || config.get('loglevel')?.toLowerCase() === 'error',
    isVerbose: flags.includes('v'),
    noStdin: flags.includes('n') || flags.includes('f'),
    noCommand: flags.includes('N'),
    connectTimeoutMs: timeout === undefined ? undefined : Number(timeout) * 1000,
    passwordPrompts: Number(config.get('numberofpasswordprompts') ?? 3),
  };
}

/** The first value of every keyword of the sections that fit the host. */
function configFor(text: string, host: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let applies = true;
  for (const line of text.split('\n')) {
    const parts = /^\s*(\w+)\s*[=\s]\s*(.*?)\s*$/.exec(line.replace(/^\s*#.*$/, ''));
    if (parts === null) continue;
    const keyword = parts[1]!.toLowerCase();
    if (keyword === 'host') {
      applies = parts[2]!.split(/\s+/).some((pattern) =>
        new RegExp(
          `^${pattern
            .replace(/[.+^${}()|[\]\\]/g, '\\$&')
            .replace(/\*/g, '.*')
            .replace(/\?/g, '.')}$`,
        ).test(host),
      );
    } else if (applies && !found.has(keyword)) found.set(keyword, parts[2]!);
  }
  return found;
}
