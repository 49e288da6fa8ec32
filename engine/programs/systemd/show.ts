// What `systemctl show` prints: properties as NAME=value.

import type { Process } from '../../kernel/process.ts';
import type { UnitView } from '../../systemd/manager.ts';
import { enableState } from '../../systemd/unit-loader.ts';
import { timestamp } from './time.ts';

export function showText(process: Process, view: UnitView, properties: readonly string[]): string {
  const { state } = view;
  const time = (ms: number): string => (ms === 0 ? '' : timestamp(ms));
  const all: readonly (readonly [string, string])[] = [
    ['MainPID', String(state.mainPid)],
    ['Result', state.result],
    ['ExecMainStatus', String(state.mainExit?.status ?? 0)],
    ['ExecMainPID', String(state.mainExit?.pid ?? state.mainPid)],
    ['ControlGroup', state.active === 'active' ? (view.cgroup ?? '') : ''],
    ['Id', view.name],
    ['Names', view.name],
    ['Description', view.description],
    ['LoadState', view.load],
    ['ActiveState', state.active],
    ['SubState', state.sub],
    ['FragmentPath', view.path ?? ''],
    ['DropInPaths', view.dropIns.join(' ')],
    ['UnitFileState', enableState(process.sys, view.name)],
    ['ActiveEnterTimestamp', time(state.activeEnterMs)],
    ['InactiveEnterTimestamp', time(state.inactiveEnterMs)],
    ['NeedDaemonReload', view.needsReload ? 'yes' : 'no'],
    ['NRestarts', String(state.restarts)],
  ];
  const chosen = properties.length === 0 ? all : all.filter(([name]) => properties.includes(name));
  return chosen.map(([name, value]) => `${name}=${value}\n`).join('');
}
