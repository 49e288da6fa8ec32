// A client of etcd: calls and watches multiplexed over one connection, which is opened when it is needed.

import { background } from '../sim/background.ts';
import { SysError, isSysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';
import { EtcdError } from './mvcc.ts';
import {
  encodeFrame,
  framesOf,
  type Call,
  type Compare,
  type EtcdEvent,
  type Op,
  type RangeResult,
  type StatusResult,
  type TxnResult,
} from './protocol.ts';

export interface WatchListener {
  /** Events of one revision, in order. Called before the answer of the transaction that caused them arrives. */
  events(events: readonly EtcdEvent[], revision: number): void;
  /** The connection is gone; nothing more comes. */
  closed(): void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Session {
  readonly connection: Connection;
  readonly pending: Map<number, Pending>;
  readonly watches: Map<number, WatchListener>;
}

export class EtcdClient {
  readonly #dial: () => Promise<Connection>;
  #session: Promise<Session> | undefined;
  #isUp = false;
  #nextId = 1;

  constructor(options: { readonly dial: () => Promise<Connection> }) {
    this.#dial = options.dial;
  }

  /** Whether a connection stands. */
  get isConnected(): boolean {
    return this.#isUp;
  }

  range(
    key: string,
    options: { readonly end?: string; readonly revision?: number; readonly limit?: number; readonly keysOnly?: boolean } = {},
  ): Promise<RangeResult> {
    return this.#call<RangeResult>({ verb: 'range', key, ...options });
  }

  txn(when: readonly Compare[], then: readonly Op[], otherwise: readonly Op[] = []): Promise<TxnResult> {
    return this.#call<TxnResult>({ verb: 'txn', when, then, otherwise });
  }

  compact(revision: number): Promise<unknown> {
    return this.#call({ verb: 'compact', revision });
  }

  async grant(ttlSeconds: number): Promise<number> {
    return (await this.#call<{ lease: number }>({ verb: 'grant', ttlSeconds })).lease;
  }

  async revoke(lease: number): Promise<void> {
    await this.#call({ verb: 'revoke', lease });
  }

  status(): Promise<StatusResult> {
    return this.#call<StatusResult>({ verb: 'status' });
  }

  /** Resolves when the watch stands. */
  async watch(key: string, options: { readonly end?: string; readonly revision: number }, listener: WatchListener): Promise<void> {
    const session = await this.#connected();
    const id = this.#nextId++;
    session.watches.set(id, listener);
    try {
      await this.#send(session, id, { verb: 'watch', key, ...options });
    } catch (error) {
      session.watches.delete(id);
      throw error;
    }
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    this.#isUp = false;
    void session?.then(({ connection }) => connection.close(), ignoreRefusal);
  }

  async #call<T>(call: Call): Promise<T> {
    const session = await this.#connected();
    return (await this.#send(session, this.#nextId++, call)) as T;
  }

  #send(session: Session, id: number, call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      session.pending.set(id, { resolve, reject });
      session.connection.write(encodeFrame({ id, call })).then(undefined, (error: unknown) => {
        session.pending.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  #connected(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const session = this.#dial().then((connection): Session => ({ connection, pending: new Map(), watches: new Map() }));
    this.#session = session;
    session.then(
      (opened) => {
        if (this.#session !== session) return;
        this.#isUp = true;
        background(this.#receive(session, opened));
      },
      () => {
        if (this.#session === session) this.#session = undefined;
      },
    );
    return session;
  }

  async #receive(own: Promise<Session>, session: Session): Promise<void> {
    let cause: Error = new SysError('ECONNRESET');
    try {
      for await (const frame of framesOf(session.connection)) {
        if ('events' in frame) session.watches.get(frame.id)?.events(frame.events, frame.revision);
        else if ('result' in frame) {
          session.pending.get(frame.id)?.resolve(frame.result);
          session.pending.delete(frame.id);
        } else if ('error' in frame) {
          session.pending.get(frame.id)?.reject(new EtcdError(frame.error));
          session.pending.delete(frame.id);
        }
      }
    } catch (error) {
      if (!isSysError(error)) throw error;
      cause = error;
    } finally {
      if (this.#session === own) {
        this.#session = undefined;
        this.#isUp = false;
      }
      session.connection.close();
      for (const pending of session.pending.values()) pending.reject(cause);
      for (const watch of session.watches.values()) watch.closed();
      session.pending.clear();
      session.watches.clear();
    }
  }
}

function ignoreRefusal(error: unknown): void {
  if (!isSysError(error)) throw error;
}
