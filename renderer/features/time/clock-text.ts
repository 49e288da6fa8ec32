// Lab time as the machines show it: Korean time.

const KST_MS = 9 * 3_600_000;

/** `2026-01-01 09:00:00`. */
export function clockText(labMs: number): string {
  return new Date(labMs + KST_MS).toISOString().slice(0, 19).replace('T', ' ');
}
