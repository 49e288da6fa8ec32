// Models the networks VirtualBox gives the lab: one host-only switch with the learner's computer on it, a NAT network for every
// machine, and the internet behind those.

import type { Clock } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import type { OwnedNetStack } from '../net-stack.ts';
import { createNetStack } from '../stack.ts';
import { EthernetSwitch, type SwitchPort } from '../switch.ts';
import { FixedNetHost } from './fixed-host.ts';
import { Internet } from './internet.ts';
import { NatNetwork } from './nat-network.ts';

/** The learner's computer on the host-only network, as VirtualBox's vboxnet0 has it. */
export const HOST_ADDRESS = '192.168.1.1';
const HOST_MAC = '0a:00:27:00:00:00';

export class LabNetworks {
  readonly internet: Internet;
  readonly hostOnly = new EthernetSwitch();
  /** The learner's computer: what a browser or curl there can reach. */
  readonly host: OwnedNetStack;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #nats = new Map<string, NatNetwork>();

  constructor(options: { readonly clock: Clock; readonly rng: Rng }) {
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.internet = new Internet(options);
    this.host = createNetStack({
      namespace: 'learner',
      clock: options.clock,
      rng: options.rng.fork('learner'),
      host: new FixedNetHost({}),
    });
    this.host.setLink('lo', { isUp: true });
    this.host.attach('vboxnet0', { mac: HOST_MAC, port: this.hostOnly.plug() });
    this.host.setLink('vboxnet0', { isUp: true });
    this.host.addAddress('vboxnet0', `${HOST_ADDRESS}/24`, { broadcast: '192.168.1.255' });
  }

  /** A socket of the host-only switch, for a machine's adapter 2. */
  plugHostOnly(): SwitchPort {
    return this.hostOnly.plug();
  }

  /** The NAT network of a machine's adapter 1, made when first asked for. */
  natOf(machine: string): NatNetwork {
    let nat = this.#nats.get(machine);
    if (nat === undefined) {
      nat = new NatNetwork({ name: machine, index: this.#nats.size + 1, internet: this.internet, clock: this.#clock, rng: this.#rng });
      this.#nats.set(machine, nat);
    }
    return nat;
  }

  dispose(): void {
    for (const nat of this.#nats.values()) nat.dispose();
    this.host.dispose();
    this.internet.dispose();
  }
}
