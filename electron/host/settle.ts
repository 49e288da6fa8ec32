/** One turn of the task queue: every promise chain has run to its next wait by then. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
