// Models ~/.ssh/known_hosts and the questions about host keys.

import type { Process } from '../../../kernel/process.ts';
import { keyKind, md5Fingerprint, sha256Fingerprint } from '../../../net/ssh-keys.ts';
import { readIfThere } from '../io.ts';
import { ask, say } from './terminal.ts';

export interface HostKeyPolicy {
  readonly strict: 'yes' | 'no' | 'ask';
  readonly file: string;
  /** As typed, and the address it stands for. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly isQuiet: boolean;
}

/** False: the key is not trusted, and the reason was printed. */
export async function verifyHostKey(process: Process, hostKey: string, policy: HostKeyPolicy): Promise<boolean> {
  const name = nameOf(policy.host, policy.port);
  const known = entries(process, policy.file).filter(
    (entry) => entry.names.includes(name) || entry.names.includes(nameOf(policy.address, policy.port)),
  );
  const [type, blob] = hostKey.split(' ');
  if (known.some((entry) => entry.type === type && entry.blob === blob)) return true;
  const other = known.find((entry) => entry.type === type);
  if (other !== undefined) {
    await say(process, changedWarning(hostKey, policy, other.line));
    if (policy.strict !== 'no') {
      await say(
        process,
        `${keyKind(hostKey)} host key for ${policy.host} has changed and you have requested strict checking.\nHost key verification failed.\n`,
      );
      return false;
    }
    await say(
      process,
      'Password authentication is disabled to avoid man-in-the-middle attacks.\nKeyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.\n',
    );
    return true;
  }
  const shown =
    policy.port === 22 ? `${policy.host} (${policy.address})` : `[${policy.host}]:${policy.port} ([${policy.address}]:${policy.port})`;
  if (policy.strict === 'yes') {
    await say(
      process,
      `No ${keyKind(hostKey)} host key is known for ${name} and you have requested strict checking.\nHost key verification failed.\n`,
    );
    return false;
  }
  if (policy.strict === 'ask') {
    let question =
      `The authenticity of host '${shown}' can't be established.\n${keyKind(hostKey)} key fingerprint is ${sha256Fingerprint(hostKey)}.\n` +
      `${keyKind(hostKey)} key fingerprint is ${md5Fingerprint(hostKey)}.\nAre you sure you want to continue connecting (yes/no)? `;
    for (;;) {
      const answer = await ask(process, question, { echo: true });
      if (answer === undefined || answer.trim().toLowerCase() === 'no') {
        await say(process, 'Host key verification failed.\n');
        return false;
      }
      if (answer.trim().toLowerCase() === 'yes') break;
      question = "Please type 'yes' or 'no': ";
    }
  }
  const names = policy.host === policy.address ? name : `${name},${nameOf(policy.address, policy.port)}`;
  remember(process, policy.file, `${names} ${hostKey}\n`);
  if (!policy.isQuiet)
    await say(process, `Warning: Permanently added '${names}' (${keyKind(hostKey)}) to the list of known hosts.\r\n`.replace('\r\n', '\n'));
  return true;
}

function nameOf(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function entries(
  process: Process,
  file: string,
): readonly { readonly names: readonly string[]; readonly type: string; readonly blob: string; readonly line: number }[] {
  return readIfThere(process, file)
    .split('\n')
    .map((text, at) => {
      const [names = '', type = '', blob = ''] = text.trim().split(/\s+/);
      return { names: names.split(','), type, blob, line: at + 1 };
    })
    .filter((entry) => entry.blob !== '');
}

function remember(process: Process, file: string, line: string): void {
  const { sys } = process;
  const folder = file.replace(/\/[^/]*$/, '');
  if (file === '/dev/null') return;
  if (!sys.exists(folder)) sys.mkdir(folder, { mode: 0o700, recursive: true });
  sys.writeFile(file, line, { append: true, mode: 0o644 });
}

function changedWarning(hostKey: string, policy: HostKeyPolicy, line: number): string {
  const rule = '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n';
  return (
    `${rule}@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n${rule}` +
    'IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\nSomeone could be eavesdropping on you right now (man-in-the-middle attack)!\n' +
    `It is also possible that a host key has just been changed.\nThe fingerprint for the ${keyKind(hostKey)} key sent by the remote host is\n${sha256Fingerprint(hostKey)}.\n` +
    `Please contact your system administrator.\nAdd correct host key in ${policy.file} to get rid of this message.\nOffending ${keyKind(hostKey)} key in ${policy.file}:${line}\n`
  );
}
