// Models Calico's IPAM on one host: its blocks and who has which address.
// Not modelled: the datastore. Blocks are kept in /var/lib/calico of the host, which calico-node and the plugins share,
// instead of in IPAMBlock objects; two hosts cannot meet in one block unless their names hash to the same one.

import type { Syscalls } from '../../kernel/process.ts';
import { addressNumber, assign, blocksFor, newBlock, release, BLOCK_SIZE, type Block } from './blocks.ts';

export const CALICO_DIRECTORY = '/var/lib/calico';
export const NODE_NAME_FILE = `${CALICO_DIRECTORY}/nodename`;
const IPAM_FILE = `${CALICO_DIRECTORY}/ipam.json`;

interface State {
  readonly poolCidr: string;
  readonly blocks: Block[];
}

export class HostIpam {
  readonly #sys: Syscalls;
  readonly #host: string;

  constructor(sys: Syscalls, host: string) {
    this.#sys = sys;
    this.#host = host;
  }

  /** Sets the pool up once; a host keeps the one it started with. */
  ensurePool(poolCidr: string): void {
    if (this.#read() === undefined) this.#write({ poolCidr, blocks: [] });
  }

  get pool(): string | undefined {
    return this.#read()?.poolCidr;
  }

  /** CIDRs of the host's blocks. */
  get blocks(): readonly string[] {
    return this.#read()?.blocks.map((block) => block.cidr) ?? [];
  }

  /** The address the handle has already, or the next free one. Undefined without a pool, or when it is used up. */
  assign(handle: string): string | undefined {
    const state = this.#read();
    if (state === undefined) return undefined;
    const had = addressOf(state, handle);
    if (had !== undefined) return had;
    for (const block of state.blocks) {
      const address = assign(block, handle);
      if (address === undefined) continue;
      this.#write(state);
      return address;
    }
    const taken = new Set(state.blocks.map((block) => block.cidr));
    for (const cidr of blocksFor(this.#host, state.poolCidr)) {
      if (taken.has(cidr)) continue;
      const block = newBlock(cidr);
      const address = assign(block, handle);
      this.#write({ ...state, blocks: [...state.blocks, block] });
      return address;
    }
    return undefined;
  }

  addressOf(handle: string): string | undefined {
    const state = this.#read();
    return state === undefined ? undefined : addressOf(state, handle);
  }

  release(handle: string): readonly string[] {
    const state = this.#read();
    if (state === undefined) return [];
    const released = state.blocks.flatMap((block) => release(block, handle));
    if (released.length > 0) this.#write(state);
    return released;
  }

  #read(): State | undefined {
    return this.#sys.exists(IPAM_FILE) ? (JSON.parse(this.#sys.readTextFile(IPAM_FILE)) as State) : undefined;
  }

  #write(state: State): void {
    this.#sys.mkdir(CALICO_DIRECTORY, { recursive: true });
    this.#sys.writeFile(IPAM_FILE, JSON.stringify(state));
  }
}

function addressOf(state: State, handle: string): string | undefined {
  for (const { cidr, allocations } of state.blocks) {
    for (let ordinal = 0; ordinal < BLOCK_SIZE; ordinal++) {
      if (allocations[ordinal] !== handle) continue;
      const number = addressNumber(cidr.split('/')[0]!) + ordinal;
      return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
    }
  }
  return undefined;
}
