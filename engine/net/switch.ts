// Models an ethernet switch: the host-only network of the hypervisor. Ports can be unplugged.

import { disposable, type Disposable } from '../sim/disposable.ts';
import { Emitter } from '../sim/event.ts';
import { BROADCAST_MAC } from './address.ts';
import type { EthernetPort, Frame } from './net-stack.ts';
import { Packet } from './packet.ts';

export class EthernetSwitch {
  readonly #ports: SwitchPort[] = [];
  readonly #table = new Map<string, SwitchPort>();

  /** A new socket with a cable in it; dispose of it to take the socket away. */
  plug(): SwitchPort {
    const port = new SwitchPort(
      (frame) => this.#forward(port, frame),
      () => this.#remove(port),
    );
    this.#ports.push(port);
    return port;
  }

  #forward(from: SwitchPort, frame: Frame): void {
    this.#table.set(frame.source, from);
    const known = frame.destination === BROADCAST_MAC ? undefined : this.#table.get(frame.destination);
    if (known !== undefined) {
      if (known !== from) known.deliver(frame);
      return;
    }
    for (const port of [...this.#ports]) {
      if (port !== from) port.deliver(frame.payload instanceof Packet ? { ...frame, payload: frame.payload.copy() } : frame);
    }
  }

  #remove(port: SwitchPort): void {
    const at = this.#ports.indexOf(port);
    if (at >= 0) this.#ports.splice(at, 1);
    for (const [mac, other] of this.#table) if (other === port) this.#table.delete(mac);
  }
}

export class SwitchPort implements EthernetPort, Disposable {
  receive: ((frame: Frame) => void) | undefined = undefined;
  #isPlugged = true;
  readonly #carrier = new Emitter<void>();
  readonly #forward: (frame: Frame) => void;
  readonly #removed: Disposable;

  constructor(forward: (frame: Frame) => void, remove: () => void) {
    this.#forward = forward;
    this.#removed = disposable(remove);
  }

  get hasCarrier(): boolean {
    return this.#isPlugged;
  }

  /** Pulls the cable out or puts it back. */
  setPlugged(isPlugged: boolean): void {
    if (this.#isPlugged === isPlugged) return;
    this.#isPlugged = isPlugged;
    this.#carrier.emit();
  }

  transmit(frame: Frame): void {
    if (this.#isPlugged) this.#forward(frame);
  }

  deliver(frame: Frame): void {
    if (this.#isPlugged) this.receive?.(frame);
  }

  onCarrier(listener: () => void): Disposable {
    return this.#carrier.on(listener);
  }

  dispose(): void {
    this.#removed.dispose();
  }
}
