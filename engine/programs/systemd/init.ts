import type { Program } from '../../kernel/process.ts';
import { serveControl } from '../../systemd/control.ts';
import { Manager } from '../../systemd/manager.ts';

/** pid 1. */
export const init: Program = {
  name: 'systemd',
  paths: ['/usr/lib/systemd/systemd', '/usr/sbin/init'],
  async main(process) {
    if (process.pid !== 1) {
      await process.stderr.write(new TextEncoder().encode("Couldn't find an alternative telinit implementation to spawn.\n"));
      return 1;
    }
    // Handlers, not 'ignore': what is ignored stays ignored in children, a handler does not outlive exec.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.sys.onSignal(signal, () => undefined);
    const manager = new Manager(process);
    const serving = serveControl(process, manager);
    if (process.resumed) manager.resume();
    else {
      if (process.sys.exists('/etc/hostname')) process.sys.setHostname(process.sys.readTextFile('/etc/hostname').trim());
      await manager.boot();
    }
    await serving;
    return 0;
  },
};
