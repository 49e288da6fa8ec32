// The one connection of this window, and what keeps the store true to it.

import { PROTOCOL_VERSION } from '#shared/protocol/version.ts';
import { labStore } from './store/lab-store.ts';
import { HostClient } from './transport/host-client.ts';
import { portOpener } from './transport/ports.ts';

export const host = new HostClient(portOpener());

/** Connects, fills the store, and asks for everything again when something was missed. */
export function startLab(): void {
  host.onState((state) => {
    if (state === 'connecting') void greet();
    else labStore.setConnection(state);
  });
  host.on('labChanged', (delta) => {
    if (!labStore.apply(delta)) void greet();
  });
  host.on('hostFault', (fault) => labStore.setFault(fault));
  host.start();
}

async function greet(): Promise<void> {
  try {
    const { lab } = await host.call('hello', PROTOCOL_VERSION);
    labStore.apply(lab);
    labStore.setConnection('open');
    host.attachAll();
  } catch (error) {
    // The connection broke in the middle (the client tries again by itself), or the page is older than its host.
    if (error instanceof Error && error.message.includes('version')) labStore.setFault({ message: error.message, report: error.message });
  }
}
