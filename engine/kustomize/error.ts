/** What kustomize says when a target cannot be built. */
export class KustomizeError extends Error {
  override readonly name = 'KustomizeError';
}

/** Runs a step; its error gets a text before it, as errors.Wrap does. */
export function wrapped<T>(context: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof KustomizeError)) throw error;
    throw new KustomizeError(`${context}: ${error.message}`);
  }
}
