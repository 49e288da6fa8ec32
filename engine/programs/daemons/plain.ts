// Models services that run beside what the lab is about: they are there, answer signals, and wait.

import type { Process, Program } from '../../kernel/process.ts';

const MIB = 1024 * 1024;

type Row = readonly [name: string, path: string, residentMib: number, virtualMib: number];

const DAEMONS: readonly Row[] = [
  ['auditd', '/usr/sbin/auditd', 0.9, 54],
  ['chronyd', '/usr/sbin/chronyd', 1.5, 115],
  ['crond', '/usr/sbin/crond', 1.6, 123],
  ['dbus-daemon', '/usr/bin/dbus-daemon', 2.4, 57],
  ['firewalld', '/usr/sbin/firewalld', 28, 350],
  ['gssproxy', '/usr/sbin/gssproxy', 1.1, 190],
  ['irqbalance', '/usr/sbin/irqbalance', 1.1, 21],
  ['lvmetad', '/usr/sbin/lvmetad', 1.2, 114],
  ['NetworkManager', '/usr/sbin/NetworkManager', 8.5, 465],
  ['polkitd', '/usr/lib/polkit-1/polkitd', 10, 598],
  ['master', '/usr/libexec/postfix/master', 2, 87],
  ['rpcbind', '/usr/sbin/rpcbind', 1, 67],
  ['rsyslogd', '/usr/sbin/rsyslogd', 4, 213],
  ['systemd-journald', '/usr/lib/systemd/systemd-journald', 3.5, 38],
  ['systemd-logind', '/usr/lib/systemd/systemd-logind', 1.7, 26],
  ['systemd-udevd', '/usr/lib/systemd/systemd-udevd', 2, 44],
  ['tuned', '/usr/sbin/tuned', 16, 560],
  ['VBoxService', '/usr/sbin/VBoxService', 1.3, 294],
];

/** Ends cleanly on SIGTERM; SIGHUP means read the configuration again. */
async function serve({ sys }: Process): Promise<number> {
  sys.onSignal('SIGHUP', () => undefined);
  return sys.block<number>((resolve) => {
    sys.onSignal('SIGTERM', () => resolve(0));
    return undefined;
  });
}

export const programs: readonly Program[] = DAEMONS.map(([name, path, residentMib, virtualMib]) => ({
  name,
  paths: [path],
  memory: { residentBytes: Math.floor(residentMib * MIB), virtualBytes: virtualMib * MIB },
  main: serve,
}));
