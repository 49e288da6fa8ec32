// Access modes of volumes and claims.

const MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX' };

export function modesCell(modes: readonly string[] | undefined): string {
  return ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany']
    .filter((mode) => modes?.includes(mode) === true)
    .map((mode) => MODES[mode]!)
    .join(',');
}
