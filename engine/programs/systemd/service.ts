// Models service(8) of CentOS 7: it hands everything to systemctl.

import type { Program } from '../../kernel/process.ts';
import { utf8 } from '../../sim/bytes.ts';

const ACTIONS = ['start', 'stop', 'restart', 'reload', 'status', 'try-restart', 'force-reload', 'condrestart'];

export const service: Program = {
  name: 'service',
  paths: ['/usr/sbin/service'],
  async main(process) {
    const [unit, action] = process.argv.slice(1);
    if (unit === undefined || action === undefined) {
      await process.stderr.write(utf8('Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n'));
      return 1;
    }
    if (!ACTIONS.includes(action)) {
      const list = 'start, stop, restart, try-restart, reload, force-reload, status';
      await process.stderr.write(
        utf8(`The service command supports only basic LSB actions (${list}). For other actions, please try to use systemctl.\n`),
      );
      return 2;
    }
    await process.stderr.write(utf8(`Redirecting to /bin/systemctl ${action} ${unit}.service\n`));
    return process.sys.exec('/usr/bin/systemctl', ['systemctl', action, `${unit}.service`], process.env);
  },
};
