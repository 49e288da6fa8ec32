// Models netfilter's tables. For now every hook accepts; the tables come with the rules' parser.

import type { NetHost, Netfilter, Hook } from '../net-stack.ts';
import type { Stack } from '../stack.ts';
import type { Link } from '../link.ts';
import type { Packet } from '../packet.ts';
export class NetfilterTables implements Netfilter {
  sets = { save: () => '', restore: (_: string) => {} };
  constructor(_s: Stack, _h: NetHost) {}
  run(_h: Hook, _p: Packet, _i: Link | undefined, _o: Link | undefined) {
    return true;
  }
  restore(_text: string, _options?: object): void {}
  save(_table?: string, _options?: object): string {
    return '';
  }
  execute(): void {}
  hasChain(): boolean {
    return false;
  }
  onChange(_listener: () => void) {
    return { dispose() {} };
  }
}
