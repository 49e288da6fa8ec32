// Access modes of volumes and claims.

import { FieldError } from '../../machinery/field-errors.ts';

const MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX' };

const MODE_NAMES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce'];

export function modesCell(modes: readonly string[] | undefined): string {
  return ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany']
    .filter((mode) => modes?.includes(mode) === true)
    .map((mode) => MODES[mode]!)
    .join(',');
}

export function unknownModes(modes: readonly string[], path: string): FieldError[] {
  return modes.filter((mode) => !MODE_NAMES.includes(mode)).map((mode) => FieldError.notSupported(path, mode, MODE_NAMES));
}
