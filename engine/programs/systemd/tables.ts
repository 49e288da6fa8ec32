// The tables of `systemctl list-units` and `list-unit-files`.

import type { Process } from '../../kernel/process.ts';
import type { UnitView } from '../../systemd/manager.ts';

interface TableOptions {
  readonly isNoLegend: boolean;
  readonly isAll: boolean;
}

export function unitTable(process: Process, views: readonly UnitView[], options: TableOptions): string {
  const isTty = process.stdout.tty !== undefined;
  const hasTrouble = views.some((view) => view.state.active === 'failed' || view.load !== 'loaded');
  const mark = (view: UnitView): string => (!hasTrouble ? '' : view.state.active === 'failed' || view.load !== 'loaded' ? '● ' : '  ');
  const rows = views.map((view) => [mark(view) + view.name, view.load, view.state.active, view.state.sub, view.description]);
  const header = [`${hasTrouble ? '  ' : ''}UNIT`, 'LOAD', 'ACTIVE', 'SUB', 'DESCRIPTION'];
  const all = options.isNoLegend ? rows : [header, ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...all.map((row) => row[column]!.length)));
  let text = all.map((row) => `${row.map((cell, column) => (column < 4 ? cell.padEnd(widths[column]!) : cell)).join(' ')}\n`).join('');
  if (options.isNoLegend) return text;
  text += `\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n\n`;
  text += `${isTty ? '\x1b[1;39m' : ''}${views.length} loaded units listed.${isTty ? '\x1b[0m' : ''}${options.isAll ? '' : ' Pass --all to see loaded but inactive units, too.'}\n`;
  return `${text}To show all installed unit files use 'systemctl list-unit-files'.\n`;
}

export function unitFileTable(
  process: Process,
  rows: readonly { readonly name: string; readonly state: string }[],
  options: TableOptions,
): string {
  const width = Math.max('UNIT FILE'.length, ...rows.map((row) => row.name.length));
  const body = rows.map((row) => `${row.name.padEnd(width)} ${row.state.padEnd(8)}\n`).join('');
  if (options.isNoLegend) return body;
  return `${'UNIT FILE'.padEnd(width)} ${'STATE'.padEnd(8)}\n${body}\n${rows.length} unit files listed.\n`;
}
