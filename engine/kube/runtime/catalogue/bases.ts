// The roots other images start from: Debian, Alpine, busybox, and the bare ones that hold a single binary.

import type { ImageEntry } from '../../../fs/image-tree.ts';
import { layer, type Layer } from './image.ts';

export type Entries = readonly (readonly [string, ImageEntry])[];

const FILE = (contents: string, mode = 0o644): ImageEntry => ({ kind: 'file', contents, mode });
const DIRECTORY = (mode = 0o755): ImageEntry => ({ kind: 'directory', mode });

export const file = (path: string, contents: string, mode?: number): readonly [string, ImageEntry] => [path, FILE(contents, mode)];
export const directory = (path: string, mode?: number): readonly [string, ImageEntry] => [path, DIRECTORY(mode)];
export const program = (path: string, name: string): readonly [string, ImageEntry] => [
  path,
  { kind: 'program', program: name, mode: 0o755 },
];
export const symlink = (path: string, target: string): readonly [string, ImageEntry] => [path, { kind: 'symlink', target }];

/** Later entries replace earlier ones. */
export function entries(...parts: readonly Entries[]): ReadonlyMap<string, ImageEntry> {
  return new Map(parts.flat());
}

const EMPTY_DIRECTORIES: Entries = [
  directory('/dev'),
  directory('/proc', 0o555),
  directory('/sys', 0o555),
  directory('/tmp', 0o1777),
  directory('/run'),
  directory('/root', 0o700),
  directory('/home'),
  directory('/mnt'),
  directory('/media'),
  directory('/opt'),
  directory('/srv'),
  directory('/var/log'),
  directory('/var/tmp', 0o1777),
  directory('/var/cache'),
  directory('/var/lib'),
  symlink('/var/run', '/run'),
];

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;
const GROUP = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
www-data:x:33:
nogroup:x:65534:
`;

const COREUTILS_BIN =
  'cat chgrp chmod chown cp date dd df echo false ln ls mkdir mknod mktemp mv pwd readlink rm rmdir sleep stty sync touch true uname'.split(
    ' ',
  );
const COREUTILS_USR =
  'base64 basename comm cut dirname du env expand expr fold head hostid id install join md5sum nl nohup nproc od paste printenv printf realpath seq sha1sum sha256sum shuf sort split stat sum tac tail tee test timeout tr truncate tsort tty uniq wc whoami yes [ find xargs diff cmp which getent'.split(
    ' ',
  );
const DEBIAN_BIN = 'bash grep egrep fgrep sed tar gzip gunzip hostname mount umount dmesg more'.split(' ');

function installed(directoryPath: string, names: readonly string[]): Entries {
  return names.map((name) => program(`${directoryPath}/${name}`, name));
}

/** Debian slim as the official images are built on: bash and coreutils, no ps, no ip, no editor. */
export function debian(release: { readonly version: string; readonly codename: string; readonly name: string }): Entries {
  return [
    ...EMPTY_DIRECTORIES,
    file('/etc/passwd', PASSWD),
    file('/etc/group', GROUP),
    file('/etc/shadow', 'root:*:18900:0:99999:7:::\n', 0o640),
    file('/etc/debian_version', `${release.version}\n`),
    file('/etc/hostname', 'localhost\n'),
    file('/etc/nsswitch.conf', 'passwd:         files\ngroup:          files\nshadow:         files\nhosts:          files dns\n'),
    file(
      '/etc/os-release',
      `PRETTY_NAME="Debian GNU/Linux ${release.name} (${release.codename})"\nNAME="Debian GNU/Linux"\nVERSION_ID="${release.name}"\nVERSION="${release.name} (${release.codename})"\nVERSION_CODENAME=${release.codename}\nID=debian\nHOME_URL="https://www.debian.org/"\n`,
    ),
    file('/etc/bash.bashrc', "# System-wide .bashrc file for interactive bash(1) shells.\nPS1='\\u@\\h:\\w\\$ '\n"),
    file('/root/.bashrc', '# ~/.bashrc: read by interactive shells\n'),
    file('/root/.profile', '# ~/.profile: read by login shells\n'),
    ...installed('/bin', COREUTILS_BIN),
    ...installed('/usr/bin', COREUTILS_USR),
    ...installed('/bin', DEBIAN_BIN),
    program('/bin/sh', 'sh'),
    program('/usr/bin/awk', 'awk'),
  ];
}

const APPLETS_BIN =
  'base64 cat chgrp chmod chown cp date dd df dmesg echo egrep false fgrep grep gunzip gzip hostname kill ln ls mkdir mknod mktemp more mount mv netstat nice ping ps pwd rm rmdir sed sleep stat stty sync tar touch true umount uname watch'.split(
    ' ',
  );
const APPLETS_SBIN = 'ifconfig ip route sysctl'.split(' ');
const APPLETS_USR =
  '[ awk basename cmp comm cut diff dirname du env expr find fold free head hostid id less md5sum nc nl nohup nproc nslookup od paste pgrep pkill printenv printf readlink realpath renice seq sha1sum sha256sum shuf sort split tac tail tee telnet test time timeout top tr traceroute truncate tty uniq unlink uptime vi wc wget which whoami who xargs yes'.split(
    ' ',
  );

const ALPINE_PASSWD = `root:x:0:0:root:/root:/bin/ash
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
`;

/** Alpine: busybox applets, ash as sh; no bash. */
export function alpine(version: string): Entries {
  return [
    ...EMPTY_DIRECTORIES,
    file('/etc/passwd', ALPINE_PASSWD),
    file('/etc/group', 'root:x:0:root\nbin:x:1:root,bin,daemon\ndaemon:x:2:root,bin,daemon\ntty:x:5:\nnobody:x:65534:\n'),
    file('/etc/shadow', 'root:!::0:::::\n', 0o640),
    file('/etc/alpine-release', `${version}\n`),
    file('/etc/hostname', 'localhost\n'),
    file(
      '/etc/os-release',
      `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${version}\nPRETTY_NAME="Alpine Linux v${version.split('.').slice(0, 2).join('.')}"\nHOME_URL="https://alpinelinux.org/"\n`,
    ),
    file(
      '/etc/profile',
      "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nexport PAGER=less\nexport PS1='\\h:\\w\\$ '\numask 022\n",
    ),
    ...installed('/bin', APPLETS_BIN),
    ...installed('/sbin', APPLETS_SBIN),
    ...installed('/usr/bin', APPLETS_USR),
    program('/bin/sh', 'sh'),
    program('/bin/ash', 'sh'),
  ];
}

/** The busybox image: everything in /bin. */
export function busybox(): Entries {
  return [
    ...EMPTY_DIRECTORIES,
    file(
      '/etc/passwd',
      'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    ),
    file('/etc/group', 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n'),
    file('/etc/shadow', 'root::10933:0:99999:7:::\n', 0o640),
    ...installed('/bin', [...APPLETS_BIN, ...APPLETS_SBIN, ...APPLETS_USR]),
    program('/bin/sh', 'sh'),
    program('/bin/ash', 'sh'),
    program('/bin/httpd', 'busybox-httpd'),
  ];
}

/** Distroless: users and certificates, and nothing to run. */
export function bare(): Entries {
  return [
    file('/etc/passwd', 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n'),
    file('/etc/group', 'root:x:0:\nnobody:x:65534:\n'),
    directory('/tmp', 0o1777),
    directory('/proc', 0o555),
    directory('/sys', 0o555),
    directory('/dev'),
    directory('/etc/ssl/certs'),
  ];
}

export const BULLSEYE = { version: '11.3', codename: 'bullseye', name: '11' } as const;
export const BUSTER = { version: '10.9', codename: 'buster', name: '10' } as const;
export const STRETCH = { version: '9.9', codename: 'stretch', name: '9' } as const;

const ADD = (hash: string): string => `/bin/sh -c #(nop) ADD file:${hash} in / `;
export const DEBIAN_LAYERS: Readonly<Record<'bullseye' | 'buster' | 'stretch', Layer>> = {
  bullseye: layer('debian:bullseye-slim', 80.4, ADD('8b1e79f91081eb527')),
  buster: layer('debian:buster-slim', 69.3, ADD('45f5dfa135c848a34')),
  stretch: layer('debian:stretch-slim', 55.3, ADD('4fc310c0cb879c876')),
};
export const alpineLayer = (version: string): Layer => layer(`alpine:${version}`, 5.6, ADD(`a${version}`));
