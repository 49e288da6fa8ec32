import { CoreDns } from '../../kube/dns/server.ts';
import { CorefileError } from '../../kube/dns/corefile.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { utf8 } from '../../sim/bytes.ts';
import { untilEnd } from './component.ts';

/** CoreDNS is asked to go by SIGTERM; it answers on for a moment (health's lameduck) and exits 0. */
const LAMEDUCK_MS = 5000;

export const coredns: Program = {
  name: 'coredns',
  paths: [],
  async main(process) {
    const at = process.argv.indexOf('-conf');
    const corefile = at < 0 ? 'Corefile' : (process.argv[at + 1] ?? 'Corefile');
    try {
      return await untilEnd(process, (signal) => Promise.race([new CoreDns(process, { corefile, signal }).run(), terminated(process)]));
    } catch (error) {
      if (!(error instanceof CorefileError)) throw error;
      await process.stdout.write(utf8(`${error.message}\n`));
      return 1;
    }
  },
};

function terminated(process: Process): Promise<number> {
  return new Promise((resolve) => {
    process.sys.onSignal('SIGTERM', () => {
      void process.stdout.write(
        utf8('[INFO] SIGTERM: Shutting down servers then terminating\n[INFO] plugin/health: Going into lameduck mode for 5s\n'),
      );
      process.sys.clock.setTimer(LAMEDUCK_MS, () => resolve(0));
    });
  });
}
