import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openTestApi } from '../../../engine/kube/apiserver/test-api.ts';
import { readAll } from '../../../engine/kube/client/rest-client.ts';
import { text } from '../../../engine/sim/bytes.ts';
import { VirtualClock } from '../../../engine/sim/clock.ts';
import { SeededRng } from '../../../engine/sim/rng.ts';
import { ApiFuzz, type FuzzRequest } from '../../support/api-fuzz.ts';

/** A few thousand in every run; the whole number with NOBOX_FUZZ=200000. */
const COUNT = Number(process.env['NOBOX_FUZZ'] ?? '3000');
const SEED = Number(process.env['NOBOX_FUZZ_SEED'] ?? '1');
/** After so many requests the server starts anew, or its lists would only grow. */
const ROUND = 2000;

describe('the API server under random requests', () => {
  it(
    'always answers, never panics, and keeps only what it can read again',
    { timeout: 3600_000 },
    async () => {
      const found: string[] = [];
      for (let done = 0, round = 0; done < COUNT && found.length < 20; done += ROUND, round++) {
        await fuzzRound(SEED * 1_000_003 + round, Math.min(ROUND, COUNT - done), found);
      }
      expect(found).toEqual([]);
    },
  );
});

async function fuzzRound(seed: number, count: number, found: string[]): Promise<void> {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });
  const panics: string[] = [];
  await using api = await openTestApi({ clock, log: (line) => panics.push(line) });
  const fuzz = new ApiFuzz(new SeededRng(seed), [...api.server.definitions].filter((definition) => !definition.discoveryOnly));
  const report = (request: FuzzRequest, what: string): void => {
    const { method, target, headers, body } = request;
    found.push(`${what}\n  seed ${seed}: ${method} ${target} ${JSON.stringify(headers)}\n  ${(body ?? '').slice(0, 2000)}`);
  };
  for (let i = 0; i < count; i++) {
    const request = fuzz.next();
    panics.length = 0;
    let answer: { readonly status: number; readonly body: string } | undefined;
    let failure: unknown;
    const pending = send(request).then(
      (given) => (answer = given),
      (error: unknown) => (failure = error ?? new Error('nothing')),
    );
    await clock.settle();
    // What waits for something is given its time, an hour at most.
    for (let waited = 0; answer === undefined && failure === undefined && waited < 720; waited++) await clock.advance(5000);
    if (failure !== undefined) report(request, `failed: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}`);
    else if (answer === undefined) report(request, 'no answer');
    else {
      await pending;
      const panic = panics.find((line) => line.includes("panic'd"));
      if (panic !== undefined) report(request, panic);
      else if (answer.body.includes('caused apiserver to panic')) report(request, `500 ${answer.body}`);
      if (answer.status < 300) fuzz.remember(answer.body.trim());
    }
    if (found.length >= 20) return;
  }
  checkStores();

  async function send({ method, target, headers, body }: FuzzRequest): Promise<{ readonly status: number; readonly body: string }> {
    const response = await api.client.raw(method, target, { headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, body: text(await readAll(response.body)) };
  }

  function checkStores(): void {
    for (const definition of api.server.definitions) {
      if (definition.discoveryOnly) continue;
      for (const stored of api.server.store(definition.group, definition.plural).list()) {
        try {
          const again = JSON.parse(stored.json) as typeof stored.object;
          expect(again).toEqual(stored.object);
          const errors = definition.strategy.validate?.(structuredClone(again), definition) ?? [];
          if (errors.length > 0) found.push(`seed ${seed}: ${stored.key} is not valid any more: ${errors.join(', ')}`);
        } catch (error) {
          found.push(`seed ${seed}: ${stored.key} cannot be read again: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        }
      }
    }
  }
}
