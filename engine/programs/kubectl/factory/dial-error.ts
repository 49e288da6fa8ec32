/** A connection that could not be made, worded as Go does. */
export class DialError extends Error {
  override readonly name = 'DialError';
}
