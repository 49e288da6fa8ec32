// What `systemctl status` prints of a unit, line for line as systemd 219.

import type { Process, ProcessInfo } from '../../kernel/process.ts';
import { readJournal } from '../../systemd/journal.ts';
import type { UnitView } from '../../systemd/manager.ts';
import { statusName } from '../../systemd/service.ts';
import { enableState } from '../../systemd/unit-loader.ts';
import { ago, journalStamp, timestamp } from './time.ts';

export function statusText(process: Process, view: UnitView, options: { readonly lines: number; readonly isFull: boolean }): string {
  const { sys, stdout } = process;
  const paint = stdout.tty === undefined ? (text: string) => text : (text: string, code: string) => `\x1b[${code}m${text}\x1b[0m`;
  const { state } = view;
  const color = state.active === 'active' || state.active === 'reloading' ? '1;32' : state.active === 'failed' ? '1;31' : '';
  const dot = color === '' ? '●' : paint('●', color);
  let text = `${dot} ${view.name} - ${view.description}\n`;
  const enabled = enableState(sys, view.name);
  const preset = enabled === 'static' || enabled === '' ? '' : `; vendor preset: ${PRESET_ENABLED.has(view.name) ? 'enabled' : 'disabled'}`;
  text +=
    view.load === 'loaded'
      ? `   Loaded: loaded (${view.path ?? ''}; ${enabled}${preset})\n`
      : `   Loaded: ${view.load} (/dev/null; ${enabled === '' ? 'bad' : enabled})\n`;
  text += dropInText(view);
  const word = state.sub === state.active || state.sub === '' ? state.active : `${state.active} (${state.sub})`;
  const result =
    state.active === 'failed'
      ? `${state.active} (Result: ${state.result})`
      : state.sub === 'auto-restart'
        ? `activating (auto-restart) (Result: ${state.result})`
        : word;
  const since = state.sinceMs === 0 ? '' : ` since ${timestamp(state.sinceMs)}; ${ago(state.sinceMs, sys.now())}`;
  text += `   Active: ${color === '' ? result : paint(result, color)}${since}\n`;
  view.documentation.forEach((url, index) => {
    text += `${index === 0 ? '     Docs: ' : '           '}${url}\n`;
  });
  if (state.mainExit !== undefined && state.mainPid === 0) {
    const { pid, code, status, command, signal } = state.mainExit;
    const what =
      code === 'exited'
        ? `status=${status}${status === 0 ? '/SUCCESS' : `/${statusName(status)}`}`
        : `signal=${(signal ?? '').replace(/^SIG/, '')}`;
    text += `  Process: ${pid} ExecStart=${command} (code=${code}, ${what})\n Main PID: ${pid} (code=${code}, ${what})\n`;
  }
  const members = view.cgroup === undefined ? [] : membersOf(process, view.cgroup);
  if (state.mainPid !== 0) text += ` Main PID: ${state.mainPid} (${members.find((info) => info.pid === state.mainPid)?.command ?? ''})\n`;
  if (members.length > 0 && view.cgroup !== undefined) {
    const memory = members.reduce((sum, info) => sum + info.residentBytes, 0);
    text += `    Tasks: ${members.length}\n   Memory: ${size(memory)}\n   CGroup: ${view.cgroup}\n${tree(process, members, options.isFull)}`;
  }
  const entries = readJournal(sys)
    .filter((entry) => entry.unit === view.name)
    .slice(-options.lines);
  if (options.lines > 0 && entries.length > 0) {
    const host = sys.hostname().split('.')[0]!;
    const width = stdout.tty === undefined || options.isFull ? Infinity : stdout.tty.size.columns;
    let isEllipsized = false;
    text += '\n';
    for (const entry of entries) {
      const line = `${journalStamp(entry.timeMs)} ${host} ${entry.identifier}[${entry.pid}]: ${entry.message}`;
      isEllipsized ||= line.length > width;
      text += `${line.length > width ? `${line.slice(0, width - 3)}...` : line}\n`;
    }
    if (isEllipsized) text += 'Hint: Some lines were ellipsized, use -l to show in full.\n';
  }
  return text;
}

/** Units that CentOS's preset files switch on. */
const PRESET_ENABLED = new Set([
  'sshd.service',
  'crond.service',
  'chronyd.service',
  'rsyslog.service',
  'NetworkManager.service',
  'firewalld.service',
  'tuned.service',
  'postfix.service',
]);

function dropInText(view: UnitView): string {
  const folders = new Map<string, string[]>();
  for (const path of view.dropIns) {
    const slash = path.lastIndexOf('/');
    const files = folders.get(path.slice(0, slash)) ?? [];
    files.push(path.slice(slash + 1));
    folders.set(path.slice(0, slash), files);
  }
  let text = '';
  for (const [folder, files] of folders) {
    text += `${text === '' ? '  Drop-In: ' : '           '}${folder}\n           └─${files.join(', ')}\n`;
  }
  return text;
}

function membersOf(process: Process, cgroup: string): readonly ProcessInfo[] {
  return process.sys.processes().filter((info) => info.state !== 'Z' && (info.cgroup === cgroup || info.cgroup.startsWith(`${cgroup}/`)));
}

function tree(process: Process, members: readonly ProcessInfo[], isFull: boolean): string {
  const width = process.stdout.tty === undefined || isFull ? Infinity : process.stdout.tty.size.columns - 20;
  const pidWidth = Math.max(...members.map((info) => String(info.pid).length));
  return members
    .map((info, index) => {
      const branch = index === members.length - 1 ? '└─' : '├─';
      const command = info.argv.join(' ');
      return `           ${branch}${String(info.pid).padStart(pidWidth)} ${command.length > width ? `${command.slice(0, width - 3)}...` : command}\n`;
    })
    .join('');
}

function size(bytes: number): string {
  if (bytes >= 1024 ** 3) return `${(bytes / 1024 ** 3).toFixed(1)}G`;
  if (bytes >= 1024 ** 2) return `${(bytes / 1024 ** 2).toFixed(1)}M`;
  return `${(bytes / 1024).toFixed(1)}K`;
}
