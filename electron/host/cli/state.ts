import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The lab that is opened when none is named: one per user. */
export function defaultLabPath(): string {
  const base =
    process.env['XDG_DATA_HOME'] ??
    (process.platform === 'win32' ? (process.env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming')) : join(homedir(), '.local', 'share'));
  const folder = join(base, 'nobox');
  mkdirSync(folder, { recursive: true });
  return join(folder, 'lab.nobox');
}
