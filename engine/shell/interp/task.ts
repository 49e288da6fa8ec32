// A task is work that may wait. It yields promises and goes on with what they resolve to; a task that never waits
// runs through without touching the promise queue, which is what makes loops quick.

export type Task<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for a promise inside a task. */
export function* wait<T>(promise: Promise<T>): Task<T> {
  return (yield promise) as T;
}

/** Runs a task to its end. */
export async function run<T>(task: Task<T>): Promise<T> {
  let step = task.next();
  while (!step.done) {
    let value: unknown;
    try {
      value = await step.value;
    } catch (error) {
      step = task.throw(error);
      continue;
    }
    step = task.next(value);
  }
  return step.value;
}
