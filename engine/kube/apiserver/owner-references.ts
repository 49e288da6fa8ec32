// Owners that are named twice: v1.20 takes the second away and warns.

import { isDeepEqual } from '../machinery/deep.ts';
import type { HttpResponder, HttpResponseHead } from '../../net/http.ts';
import { goQuote } from '../machinery/go-syntax.ts';
import type { ApiObject } from '../registry/definition.ts';

/** Once before admission and once behind it, where only patches get. */
export function dedupOwners(
  object: ApiObject,
  warn: ((text: string) => void) | undefined,
  when: '' | ' after mutating admission happens',
): void {
  const owners = object.metadata.ownerReferences;
  if (!Array.isArray(owners) || owners.length < 2) return;
  const kept: typeof owners = [];
  const twice: string[] = [];
  for (const owner of owners) {
    if (kept.some((other) => isDeepEqual(other, owner))) twice.push(String(owner?.uid));
    else kept.push(owner);
  }
  if (twice.length === 0) return;
  object.metadata.ownerReferences = kept;
  warn?.(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${twice.join(', ')}`,
  );
}

/** An answer that tells the warnings there are by the time it is sent. */
export function withWarnings(respond: HttpResponder, warnings: readonly string[]): HttpResponder {
  return new WarningResponder(respond, warnings);
}

class WarningResponder implements HttpResponder {
  readonly #inner: HttpResponder;
  readonly #warnings: readonly string[];

  constructor(inner: HttpResponder, warnings: readonly string[]) {
    this.#inner = inner;
    this.#warnings = warnings;
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  send(head: HttpResponseHead, body?: Uint8Array | string): Promise<void> {
    return this.#inner.send(this.#head(head), body);
  }

  stream(head: HttpResponseHead): ReturnType<HttpResponder['stream']> {
    return this.#inner.stream(this.#head(head));
  }

  upgrade(head: HttpResponseHead): ReturnType<HttpResponder['upgrade']> {
    return this.#inner.upgrade(this.#head(head));
  }

  #head(head: HttpResponseHead): HttpResponseHead {
    if (this.#warnings.length === 0) return head;
    const warning = [...new Set(this.#warnings)].map((text) => `299 - ${goQuote(text)}`).join(', ');
    return { ...head, headers: { ...head.headers, warning } };
  }
}
