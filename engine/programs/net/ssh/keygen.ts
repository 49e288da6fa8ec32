// Models ssh-keygen(1), ssh-copy-id(1) and sshpass(1).

import type { Process, Program } from '../../../kernel/process.ts';
import { generateSshKey, md5Fingerprint, privateFileOf, sha256Fingerprint, keyKind, sshKeyOfPem } from '../../../net/ssh-keys.ts';
import { text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { accountOfUid } from '../accounts.ts';
import { err, out, readIfThere } from '../io.ts';

export const sshKeygen: Program = {
  name: 'ssh-keygen',
  async main(process) {
    const { sys } = process;
    const account = accountOfUid(process, sys.credentials().uid);
    const home = process.env.get('HOME') ?? account?.home ?? '/root';
    const args = process.argv.slice(1);
    let type = 'rsa';
    let path: string | undefined;
    let passphrase: string | undefined;
    let comment = `${account?.name ?? 'root'}@${sys.hostname()}`;
    let isQuiet = false;
    let action: 'generate' | 'list' | 'remove' | 'public' = 'generate';
    let hash = 'sha256';
    let host = '';
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-t') type = args.shift() ?? '';
      else if (arg === '-f') path = args.shift();
      else if (arg === '-N' || arg === '-P') passphrase = args.shift() ?? '';
      else if (arg === '-C') comment = args.shift() ?? '';
      else if (arg === '-b') args.shift();
      else if (arg === '-E') hash = args.shift() ?? hash;
      else if (arg === '-q') isQuiet = true;
      else if (arg === '-l' || arg === '-lf') {
        action = 'list';
        if (arg === '-lf') path = args.shift();
      } else if (arg === '-y') action = 'public';
      else if (arg === '-R') {
        action = 'remove';
        host = args.shift() ?? '';
      } else {
        await err(
          process,
          `unknown option -- ${arg.replace(/^-+/, '')}\nusage: ssh-keygen [-q] [-b bits] [-t dsa | ecdsa | ed25519 | rsa]\n                  [-N new_passphrase] [-C comment] [-f output_keyfile]\n`,
        );
        return 1;
      }
    }
    if (action === 'remove') return removeHost(process, `${home}/.ssh/known_hosts`, host);
    if (action === 'list') return list(process, path ?? `${home}/.ssh/id_rsa`, hash);
    if (action === 'public') {
      await out(process, `${sshKeyOfPem(readIfThere(process, path ?? `${home}/.ssh/id_rsa`)).publicLine}\n`);
      return 0;
    }
    if (type !== 'rsa' && type !== 'ecdsa') {
      await err(process, ['dsa', 'ed25519', 'rsa1'].includes(type) ? `not emulated: keys of type ${type}\n` : `unknown key type ${type}\n`);
      return 1;
    }
    if (!isQuiet) await out(process, `Generating public/private ${type} key pair.\n`);
    const standard = `${home}/.ssh/id_${type}`;
    if (path === undefined) {
      const answer = await question(process, `Enter file in which to save the key (${standard}): `);
      path = answer === '' ? standard : answer;
    }
    const folder = path.replace(/\/[^/]*$/, '');
    if (path.includes('/') && !sys.exists(folder)) {
      sys.mkdir(folder, { mode: 0o700, recursive: true });
      if (!isQuiet) await out(process, `Created directory '${folder}'.\n`);
    }
    if (sys.exists(path)) {
      await out(process, `${path} already exists.\n`);
      if ((await question(process, 'Overwrite (y/n)? ')).toLowerCase() !== 'y') return 1;
    }
    if (passphrase === undefined) {
      await question(process, 'Enter passphrase (empty for no passphrase): ');
      await question(process, 'Enter same passphrase again: ');
    }
    const key = generateSshKey(sys.rng, type);
    sys.writeFile(path, privateFileOf(key), { mode: 0o600 });
    sys.writeFile(`${path}.pub`, `${key.publicLine} ${comment}\n`, { mode: 0o644 });
    if (!isQuiet) {
      await out(
        process,
        `Your identification has been saved in ${path}.\nYour public key has been saved in ${path}.pub.\nThe key fingerprint is:\n${sha256Fingerprint(key.publicLine)} ${comment}\n`,
      );
    }
    return 0;
  },
};

async function list(process: Process, path: string, hash: string): Promise<number> {
  const contents = readIfThere(process, path);
  if (contents === '') {
    await err(process, `${path}: No such file or directory\n`);
    return 255;
  }
  const line = contents.includes('PRIVATE KEY') ? sshKeyOfPem(contents).publicLine : contents;
  const comment = line.trim().split(/\s+/)[2] ?? 'no comment';
  const print = hash.toLowerCase() === 'md5' ? md5Fingerprint(line) : sha256Fingerprint(line);
  await out(process, `${keyKind(line) === 'RSA' ? 2048 : 256} ${print} ${comment} (${keyKind(line)})\n`);
  return 0;
}

async function removeHost(process: Process, file: string, host: string): Promise<number> {
  const before = readIfThere(process, file);
  const lines = before.split('\n');
  const at = lines.findIndex((line) => line.split(' ')[0]!.split(',').includes(host));
  if (at < 0) {
    await err(process, `Host ${host} not found in ${file}\n`);
    return 0;
  }
  process.sys.writeFile(`${file}.old`, before, { mode: 0o600 });
  process.sys.writeFile(file, lines.filter((line) => !line.split(' ')[0]!.split(',').includes(host)).join('\n'));
  await out(process, `# Host ${host} found: line ${at + 1}\n${file} updated.\nOriginal contents retained as ${file}.old\n`);
  return 0;
}

async function question(process: Process, prompt: string): Promise<string> {
  await out(process, prompt);
  let line = '';
  while (!line.endsWith('\n')) {
    const bytes = await process.stdin.read();
    if (bytes === undefined) break;
    line += text(bytes);
  }
  return line.trim();
}

export const sshCopyId: Program = {
  name: 'ssh-copy-id',
  async main(process) {
    const { sys } = process;
    const account = accountOfUid(process, sys.credentials().uid);
    const home = process.env.get('HOME') ?? account?.home ?? '/root';
    const args = process.argv.slice(1);
    let identity: string | undefined;
    const passed: string[] = [];
    let target: string | undefined;
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-i') identity = args.shift();
      else if (arg === '-p' || arg === '-o') passed.push(arg, args.shift() ?? '');
      else if (!arg.startsWith('-')) target = arg;
    }
    if (target === undefined) {
      await err(
        process,
        'Usage: /usr/bin/ssh-copy-id [-h|-?|-f|-n] [-i [identity_file]] [-p port] [[-o <ssh -o options>] ...] [user@]hostname\n',
      );
      return 1;
    }
    const file =
      identity === undefined
        ? ['id_rsa.pub', 'id_ecdsa.pub'].map((name) => `${home}/.ssh/${name}`).find((path) => sys.exists(path))
        : identity.endsWith('.pub')
          ? identity
          : `${identity}.pub`;
    if (file === undefined || !sys.exists(file)) {
      await err(
        process,
        identity === undefined
          ? '\n/usr/bin/ssh-copy-id: ERROR: No identities found\n'
          : `\n/usr/bin/ssh-copy-id: ERROR: failed to open ID file '${file}': No such file\n`,
      );
      return 1;
    }
    await err(
      process,
      `/usr/bin/ssh-copy-id: INFO: Source of key(s) to be installed: "${file}"\n/usr/bin/ssh-copy-id: INFO: attempting to log in with the new key(s), to filter out any that are already installed\n`,
    );
    const already = await runSsh(process, [...passed, '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=ask', '-q', target, 'exit'], '');
    if (already === 0) {
      await err(
        process,
        '\n/usr/bin/ssh-copy-id: WARNING: All keys were skipped because they already exist on the remote system.\n\t\t(if you think this is a mistake, you may want to use -f option)\n\n',
      );
      return 0;
    }
    await err(
      process,
      '/usr/bin/ssh-copy-id: INFO: 1 key(s) remain to be installed -- if you are prompted now it is to install the new keys\n',
    );
    const command = 'umask 077; mkdir -p ~/.ssh && cat >> ~/.ssh/authorized_keys || exit 1';
    const status = await runSsh(process, [...passed, target, command], sys.readTextFile(file));
    if (status !== 0) return 1;
    await out(
      process,
      `\nNumber of key(s) added: 1\n\nNow try logging into the machine, with:   "ssh '${target}'"\nand check to make sure that only the key(s) you wanted were added.\n\n`,
    );
    return 0;
  },
};

async function runSsh(process: Process, args: readonly string[], input: string): Promise<number> {
  const { sys } = process;
  const [read, write] = sys.pipe();
  const pid = sys.spawn('/usr/bin/ssh', ['ssh', ...args], {
    env: process.env,
    fds: new Map([
      [0, read],
      [1, 1],
      [2, 2],
    ]),
  });
  sys.close(read);
  if (input !== '') await sys.file(write).write(utf8(input));
  sys.close(write);
  const ended = await sys.wait(pid);
  return ended?.kind === 'exited' ? ended.status : 255;
}

const PROMPT = 'assword:';

export const sshpass: Program = {
  name: 'sshpass',
  async main(process) {
    const { sys } = process;
    const args = process.argv.slice(1);
    let password: string | undefined;
    while (args[0]?.startsWith('-') === true) {
      const arg = args.shift()!;
      if (arg.startsWith('-p')) password = arg.length > 2 ? arg.slice(2) : args.shift();
      else if (arg.startsWith('-f')) password = readIfThere(process, arg.length > 2 ? arg.slice(2) : (args.shift() ?? '')).split('\n')[0];
      else if (arg === '-e') password = process.env.get('SSHPASS');
      else break;
    }
    const command = args[0];
    if (command === undefined) {
      await out(process, 'Usage: sshpass [-f|-d|-p|-e] [-hV] command parameters\n');
      return 1;
    }
    const path = command.includes('/')
      ? command
      : (process.env.get('PATH') ?? '/usr/bin')
          .split(':')
          .map((folder) => `${folder}/${command}`)
          .find((one) => sys.exists(one));
    if (path === undefined) {
      await err(process, `sshpass: Failed to run command: No such file or directory\n`);
      return 3;
    }
    // The command gets a terminal of its own to ask on, and here is who answers.
    const master = sys.open('/dev/ptmx', { read: true, write: true });
    const terminal = sys.file(master).tty!;
    const slave = sys.open(`/dev/${terminal.name}`, { read: true, write: true });
    const pid = sys.spawn(path, args, { env: process.env, newSession: true, controllingTty: terminal });
    let isWrong = false;
    void (async () => {
      let seen = '';
      let prompts = 0;
      try {
        for (;;) {
          const bytes = await sys.file(master).read();
          if (bytes === undefined) return;
          seen += text(bytes);
          if (!seen.includes(PROMPT)) continue;
          seen = '';
          if (++prompts > 1) {
            isWrong = true;
            sys.kill(pid, 'SIGTERM');
            return;
          }
          await sys.file(master).write(utf8(`${password ?? ''}\n`));
        }
      } catch (error) {
        if (!isSysError(error, 'EIO', 'EBADF', 'ESRCH')) throw error;
      }
    })();
    const ended = await sys.wait(pid);
    sys.close(slave);
    if (isWrong) return 5;
    return ended?.kind === 'exited' ? ended.status : 255;
  },
};
