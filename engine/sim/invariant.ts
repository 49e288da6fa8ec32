/** A fault of NoBox itself, never of the user's: it stops the lab with a report. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws InvariantError unless `condition` holds; `rule` says what must hold. */
export function invariant(condition: unknown, rule: string): asserts condition {
  if (!condition) throw new InvariantError(`must hold: ${rule}`);
}
