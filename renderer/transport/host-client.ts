// The renderer's end of the protocol: calls, events and terminal channels over a port that may break and come back.

import type {
  CallName,
  ClientFrame,
  ConnectionState,
  EventName,
  HostCalls,
  HostEvents,
  HostFrame,
  HostTransport,
  TerminalChannel,
  TerminalSize,
  Unsubscribe,
} from '#shared/protocol/protocol.ts';

/** One connection to a host. */
export interface FramePort {
  send(frame: ClientFrame): void;
  close(): void;
}

/** Opens a port; `receive` and `lost` may be called from then on. Rejects when there is no host. */
export type PortOpener = (handlers: { receive(frame: HostFrame): void; lost(): void }) => Promise<FramePort>;

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 4000;
const PING_MS = 5000;
/** A host that has not answered for this long is gone or stuck: the screen says so. */
const SILENCE_MS = 20_000;

interface Channel {
  size: TerminalSize;
  readonly listeners: Set<(data: string, isReplay: boolean) => void>;
}

export class HostClient implements HostTransport {
  readonly #open: PortOpener;
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>();
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #channels = new Map<string, Channel>();
  #port: FramePort | undefined;
  #state: ConnectionState = 'connecting';
  #calls = 0;
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #heardMs = 0;
  #wasOpen = false;
  #isClosed = false;
  #generation = 0;

  constructor(open: PortOpener) {
    this.#open = open;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects, and again whenever the connection breaks. */
  start(): void {
    void this.#connect();
  }

  /** Tries at once instead of at the next turn. */
  retryNow(): void {
    if (this.#port !== undefined) return;
    clearTimeout(this.#retry);
    void this.#connect();
  }

  call<Name extends CallName>(name: Name, ...args: Parameters<HostCalls[Name]>): Promise<ReturnType<HostCalls[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#port === undefined) {
        reject(new Error('not connected'));
        return;
      }
      const id = ++this.#calls;
      this.#waiting.set(id, { resolve: (value) => resolve(value as ReturnType<HostCalls[Name]>), reject });
      this.#port.send({ type: 'call', id, name, args });
    });
  }

  on<Name extends EventName>(name: Name, listener: (event: HostEvents[Name]) => void): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  onState(listener: (state: ConnectionState) => void): Unsubscribe {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  attach(terminal: string, size: TerminalSize): TerminalChannel {
    const channel = this.#channels.get(terminal) ?? { size, listeners: new Set() };
    channel.size = size;
    this.#channels.set(terminal, channel);
    if (this.#state === 'open') this.#attach(terminal, channel);
    const own = new Set<(data: string, isReplay: boolean) => void>();
    return {
      write: (data) => this.#port?.send({ type: 'write', terminal, data }),
      resize: (next) => {
        if (next.columns === channel.size.columns && next.rows === channel.size.rows) return;
        channel.size = next;
        this.#port?.send({ type: 'resize', terminal, columns: next.columns, rows: next.rows });
      },
      acknowledge: (characters) => this.#port?.send({ type: 'acknowledge', terminal, characters }),
      onData: (listener) => {
        own.add(listener);
        channel.listeners.add(listener);
        return () => channel.listeners.delete(listener);
      },
      detach: () => {
        for (const listener of own) channel.listeners.delete(listener);
        if (channel.listeners.size === 0) this.#channels.delete(terminal);
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    this.#port?.close();
    this.#port = undefined;
  }

  /** After `hello`: shows every terminal again. */
  attachAll(): void {
    this.#setState('open');
    for (const [terminal, channel] of this.#channels) this.#attach(terminal, channel);
  }

  #attach(terminal: string, channel: Channel): void {
    // A terminal that another screen has closed meanwhile disappears with the next delta.
    this.call('attachTerminal', terminal, channel.size).catch(() => this.#channels.delete(terminal));
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const isCurrent = (): boolean => generation === this.#generation && !this.#isClosed;
    try {
      const port = await this.#open({
        receive: (frame) => {
          if (isCurrent()) this.#receive(frame);
        },
        lost: () => {
          if (isCurrent()) this.#lost();
        },
      });
      if (!isCurrent()) {
        port.close();
        return;
      }
      this.#port = port;
    } catch {
      // No host there (yet): shown as such, and tried again.
      if (isCurrent()) this.#lost();
      return;
    }
    this.#retryMs = FIRST_RETRY_MS;
    this.#wasOpen = true;
    this.#heardMs = Date.now();
    this.#heartbeat = setInterval(() => this.#beat(), PING_MS);
    this.#setState('connecting');
  }

  #beat(): void {
    if (Date.now() - this.#heardMs > SILENCE_MS) {
      this.#port?.close();
      this.#lost();
    } else this.#port?.send({ type: 'ping' });
  }

  #lost(): void {
    this.#generation++;
    clearInterval(this.#heartbeat);
    this.#port = undefined;
    for (const { reject } of this.#waiting.values()) reject(new Error('the connection was lost'));
    this.#waiting.clear();
    this.#setState(this.#wasOpen ? 'lost' : 'refused');
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #receive(frame: HostFrame): void {
    this.#heardMs = Date.now();
    switch (frame.type) {
      case 'data':
        for (const listener of this.#channels.get(frame.terminal)?.listeners ?? []) listener(frame.data, frame.isReplay === true);
        return;
      case 'answer':
        this.#waiting.get(frame.id)?.resolve(frame.value);
        this.#waiting.delete(frame.id);
        return;
      case 'failure':
        this.#waiting.get(frame.id)?.reject(new Error(frame.message));
        this.#waiting.delete(frame.id);
        return;
      case 'event':
        for (const listener of this.#listeners.get(frame.name) ?? []) listener(frame.value as never);
        return;
      case 'pong':
        return;
    }
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}
