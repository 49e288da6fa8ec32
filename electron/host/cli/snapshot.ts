// `nobox snapshot ...`: the history of a lab file.

import { openLab } from '../lab-host.ts';
import { CliError, parseOptions } from './options.ts';
import { defaultLabPath } from './state.ts';

const USAGE =
  'usage: nobox snapshot save NAME [--note TEXT] | restore NAME | list [--json] | delete NAME | diff NAME [NAME] | export FILE [NAME] | import FILE';

export async function snapshot(args: readonly string[]): Promise<number> {
  const { values, flags, words } = parseOptions(args, { state: 'string', note: 'string', json: 'flag' });
  const [verb, first, second] = words;
  if (verb === undefined || (verb !== 'list' && first === undefined)) throw new CliError(USAGE);
  const lab = await openLab({ path: values['state'] ?? defaultLabPath() });
  try {
    switch (verb) {
      case 'save':
        lab.saveSnapshot(first!, values['note']);
        return 0;
      case 'restore':
        await lab.restoreSnapshot(first!);
        return 0;
      case 'delete':
        lab.deleteSnapshot(first!);
        return 0;
      case 'diff':
        for (const line of lab.diff(first!, second)) process.stdout.write(`${line}\n`);
        return 0;
      case 'export':
        lab.export(first!, second);
        return 0;
      case 'import':
        await lab.import(first!);
        return 0;
      case 'list':
        if (flags.has('json')) process.stdout.write(`${JSON.stringify(lab.snapshots())}\n`);
        else
          for (const each of lab.snapshots())
            process.stdout.write(`${each.id.padEnd(5)} ${new Date(each.timeMs).toISOString().slice(0, 19)}  ${each.name}\n`);
        return 0;
      default:
        throw new CliError(USAGE);
    }
  } finally {
    await lab.close();
  }
}
