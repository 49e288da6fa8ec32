// Users of the base image. Passwords of root and vagrant are `vagrant`; a hash names its own method (see kernel of login).

import type { ImageEntry } from '../../fs/image-tree.ts';
import { hashPassword } from '../password.ts';

type Account = readonly [name: string, uid: number, gid: number, comment: string, home: string, shell: string];

const NOLOGIN = '/sbin/nologin';

const ACCOUNTS: readonly Account[] = [
  ['root', 0, 0, 'root', '/root', '/bin/bash'],
  ['bin', 1, 1, 'bin', '/bin', NOLOGIN],
  ['daemon', 2, 2, 'daemon', '/sbin', NOLOGIN],
  ['adm', 3, 4, 'adm', '/var/adm', NOLOGIN],
  ['lp', 4, 7, 'lp', '/var/spool/lpd', NOLOGIN],
  ['sync', 5, 0, 'sync', '/sbin', '/bin/sync'],
  ['shutdown', 6, 0, 'shutdown', '/sbin', '/sbin/shutdown'],
  ['halt', 7, 0, 'halt', '/sbin', '/sbin/halt'],
  ['mail', 8, 12, 'mail', '/var/spool/mail', NOLOGIN],
  ['operator', 11, 0, 'operator', '/root', NOLOGIN],
  ['games', 12, 100, 'games', '/usr/games', NOLOGIN],
  ['ftp', 14, 50, 'FTP User', '/var/ftp', NOLOGIN],
  ['nobody', 99, 99, 'Nobody', '/', NOLOGIN],
  ['systemd-network', 192, 192, 'systemd Network Management', '/', NOLOGIN],
  ['dbus', 81, 81, 'System message bus', '/', NOLOGIN],
  ['polkitd', 999, 998, 'User for polkitd', '/', NOLOGIN],
  ['rpc', 32, 32, 'Rpcbind Daemon', '/var/lib/rpcbind', NOLOGIN],
  ['tss', 59, 59, 'Account used by the trousers package to sandbox the tcsd daemon', '/dev/null', NOLOGIN],
  ['rpcuser', 29, 29, 'RPC Service User', '/var/lib/nfs', NOLOGIN],
  ['nfsnobody', 65534, 65534, 'Anonymous NFS User', '/var/lib/nfs', NOLOGIN],
  ['sshd', 74, 74, 'Privilege-separated SSH', '/var/empty/sshd', NOLOGIN],
  ['postfix', 89, 89, '', '/var/spool/postfix', NOLOGIN],
  ['chrony', 998, 995, '', '/var/lib/chrony', NOLOGIN],
  ['vagrant', 1000, 1000, 'vagrant', '/home/vagrant', '/bin/bash'],
];

const GROUPS: readonly (readonly [name: string, gid: number, members: string])[] = [
  ['root', 0, ''],
  ['bin', 1, ''],
  ['daemon', 2, ''],
  ['sys', 3, ''],
  ['adm', 4, ''],
  ['tty', 5, ''],
  ['disk', 6, ''],
  ['lp', 7, ''],
  ['mem', 8, ''],
  ['kmem', 9, ''],
  ['wheel', 10, 'vagrant'],
  ['cdrom', 11, ''],
  ['mail', 12, 'postfix'],
  ['man', 15, ''],
  ['dialout', 18, ''],
  ['floppy', 19, ''],
  ['games', 20, ''],
  ['utmp', 22, ''],
  ['rpcuser', 29, ''],
  ['tape', 33, ''],
  ['rpc', 32, ''],
  ['utempter', 35, ''],
  ['video', 39, ''],
  ['ftp', 50, ''],
  ['lock', 54, ''],
  ['tss', 59, ''],
  ['audio', 63, ''],
  ['sshd', 74, ''],
  ['dbus', 81, ''],
  ['postdrop', 90, ''],
  ['postfix', 89, ''],
  ['nobody', 99, ''],
  ['users', 100, ''],
  ['input', 999, ''],
  ['systemd-journal', 190, ''],
  ['systemd-network', 192, ''],
  ['polkitd', 998, ''],
  ['ssh_keys', 997, ''],
  ['chrony', 995, ''],
  ['docker', 994, ''],
  ['vagrant', 1000, 'vagrant'],
  ['nfsnobody', 65534, ''],
];

const DAY = 18_597;

export const ACCOUNT_FILES: readonly (readonly [string, ImageEntry])[] = [
  ['/etc/passwd', file(ACCOUNTS.map(([name, uid, gid, comment, home, shell]) => `${name}:x:${uid}:${gid}:${comment}:${home}:${shell}`))],
  [
    '/etc/shadow',
    file(
      ACCOUNTS.map(([name]) => {
        const hash = name === 'root' || name === 'vagrant' ? hashPassword('vagrant', `nobox${name}`) : name === 'bin' ? '*' : '!!';
        return hash.length > 2 ? `${name}:${hash}::0:99999:7:::` : `${name}:${hash}:${DAY}:0:99999:7:::`;
      }),
      0,
    ),
  ],
  ['/etc/group', file(GROUPS.map(([name, gid, members]) => `${name}:x:${gid}:${members}`))],
  [
    '/etc/gshadow',
    file(
      GROUPS.map(([name, , members]) => `${name}:::${members}`),
      0,
    ),
  ],
  [
    '/etc/sudoers',
    file(
      [
        'Defaults   !visiblepw',
        'Defaults    always_set_home',
        'Defaults    match_group_by_gid',
        'Defaults    env_reset',
        'Defaults    secure_path = /sbin:/bin:/usr/sbin:/usr/bin',
        'root    ALL=(ALL)       ALL',
        '%wheel  ALL=(ALL)       ALL',
        '#includedir /etc/sudoers.d',
      ],
      0o440,
    ),
  ],
  ['/etc/sudoers.d/vagrant', file(['%vagrant ALL=(ALL) NOPASSWD: ALL'], 0o440)],
];

function file(lines: readonly string[], mode = 0o644): ImageEntry {
  return { kind: 'file', contents: `${lines.join('\n')}\n`, mode };
}
