// Models systemctl 219: asks the manager, and changes the links of unit files.

import type { Process, Program, SignalName } from '../../kernel/process.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { askManager, type ControlRequest } from '../../systemd/control.ts';
import type { JobResult, UnitView } from '../../systemd/manager.ts';
import {
  disableUnit,
  enableState,
  enableUnit,
  findUnitFile,
  hasLink,
  loadUnit,
  unitFiles,
  ADMIN_UNITS,
} from '../../systemd/unit-loader.ts';
import { statusText } from './status.ts';
import { unitFileTable, unitTable } from './tables.ts';
import { showText } from './show.ts';

class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Options {
  readonly isNow: boolean;
  readonly isQuiet: boolean;
  readonly isAll: boolean;
  readonly isNoLegend: boolean;
  readonly isFull: boolean;
  readonly lines: number;
  readonly types: readonly string[];
  readonly states: readonly string[];
  readonly properties: readonly string[];
  readonly signal: SignalName;
  readonly isMainOnly: boolean;
  readonly isForced: boolean;
}

type Verb = (process: Process, units: readonly string[], options: Options) => Promise<number>;

const JOBS = ['start', 'stop', 'restart', 'reload', 'try-restart', 'reload-or-restart', 'isolate'] as const;

const VERBS: Readonly<Record<string, Verb>> = {
  ...Object.fromEntries(JOBS.map((verb) => [verb, (process: Process, units: readonly string[]) => jobs(process, verb, units)])),
  condrestart: (process, units) => jobs(process, 'try-restart', units),
  'force-reload': (process, units) => jobs(process, 'reload-or-restart', units),
  status,
  show,
  cat,
  enable,
  disable,
  reenable: async (process, units, options) => (await disable(process, units, options)) || enable(process, units, options),
  mask,
  unmask,
  kill,
  'is-active': (process, units, options) =>
    isState(process, units, options, (view) => view.state.active === 'active' || view.state.active === 'reloading', 3),
  'is-failed': (process, units, options) => isState(process, units, options, (view) => view.state.active === 'failed', 1),
  'is-enabled': isEnabled,
  'list-units': listUnits,
  'list-unit-files': listUnitFiles,
  'daemon-reload': async (process) => {
    await askManager(process, { verb: 'daemon-reload' });
    return 0;
  },
  'reset-failed': async (process, units) => {
    if (units.length === 0) await askManager(process, { verb: 'reset-failed' });
    for (const unit of units) await askManager(process, { verb: 'reset-failed', unit });
    return 0;
  },
  'get-default': async (process) => {
    await out(process, `${process.sys.readlink(`${ADMIN_UNITS}/default.target`).replace(/^.*\//, '')}\n`);
    return 0;
  },
  poweroff: (process, _units, options) => power(process, 'off', options),
  reboot: (process, _units, options) => power(process, 'reboot', options),
  halt: (process, _units, options) => power(process, 'halt', options),
};

/** Verbs that change something ask for root, as polkit does on a server without an agent. */
const READING = ['status', 'show', 'cat', 'is-active', 'is-failed', 'is-enabled', 'list-units', 'list-unit-files', 'get-default'];

export const systemctl: Program = {
  name: 'systemctl',
  async main(process) {
    try {
      const { words, options } = parse(process.argv.slice(1));
      const [name = 'list-units', ...rest] = words;
      const verb = VERBS[name];
      if (verb === undefined) {
        await complain(process, `Unknown operation '${name}'.`);
        return 1;
      }
      if (process.sys.credentials().uid !== 0 && !READING.includes(name)) {
        await complain(
          process,
          `Failed to ${name} ${rest.map(unitName).join(' ')}: Interactive authentication required.`.replace('  ', ' '),
        );
        return 1;
      }
      return await verb(process, rest.map(unitName), options);
    } catch (error) {
      if (error instanceof UsageError) {
        await complain(process, error.message);
        return 1;
      }
      if (!isSysError(error, 'ECONNREFUSED', 'ENOENT', 'EACCES')) throw error;
      await complain(process, `Failed to get D-Bus connection: ${error.strerror}`);
      return 1;
    }
  },
};

async function jobs(process: Process, verb: (typeof JOBS)[number], units: readonly string[]): Promise<number> {
  if (units.length === 0) throw new UsageError('Too few arguments.');
  let status = 0;
  for (const unit of units) {
    await warnChanged(process, unit);
    const { result } = await askManager(process, { verb, unit });
    const code = await report(process, verb, unit, result ?? 'failed');
    if (code !== 0) status = code;
  }
  return status;
}

async function warnChanged(process: Process, unit: string): Promise<void> {
  const view = await viewOf(process, unit);
  if (view?.needsReload === true)
    await complain(process, `Warning: ${unit} changed on disk. Run 'systemctl daemon-reload' to reload units.`);
}

async function report(process: Process, verb: string, unit: string, result: JobResult): Promise<number> {
  switch (result) {
    case 'done':
      return 0;
    case 'not-found':
      await complain(
        process,
        verb === 'stop' ? `Failed to stop ${unit}: Unit ${unit} not loaded.` : `Failed to ${verb} ${unit}: Unit not found.`,
      );
      return 5;
    case 'masked':
      await complain(process, `Failed to ${verb} ${unit}: Unit is masked.`);
      return 1;
    case 'no-reload':
      await complain(process, `Failed to reload ${unit}: Job type reload is not applicable for unit ${unit}.`);
      return 1;
    case 'dependency':
      await complain(process, `A dependency job for ${unit} failed. See 'journalctl -xe' for details.`);
      return 1;
    case 'failed': {
      const view = await viewOf(process, unit);
      const reasons: Readonly<Record<string, string>> = {
        'exit-code': 'the control process exited with error code',
        timeout: 'a timeout was exceeded',
        signal: 'a fatal signal was delivered to the control process',
        'start-limit': 'start of the service was attempted too often',
      };
      const why = reasons[view?.state.result ?? ''] ?? 'the control process exited with error code';
      if (view?.state.result === 'start-limit') {
        const limit = `Job for ${unit} failed because ${why}. See "systemctl status ${unit}" and "journalctl -xe" for details.`;
        await complain(
          process,
          `${limit}\nTo force a start use "systemctl reset-failed ${unit}" followed by "systemctl start ${unit}" again.`,
        );
      } else
        await complain(process, `Job for ${unit} failed because ${why}. See "systemctl status ${unit}" and "journalctl -xe" for details.`);
      return 1;
    }
  }
}

async function status(process: Process, units: readonly string[], options: Options): Promise<number> {
  if (units.length === 0) throw new UsageError('not emulated: systemctl status without a unit');
  let code = 0;
  for (const [index, unit] of units.entries()) {
    const view = await viewOf(process, unit);
    if (view === undefined || (view.load === 'not-found' && view.state.active === 'inactive')) {
      await complain(process, `Unit ${unit} could not be found.`);
      code = 4;
      continue;
    }
    await out(process, (index > 0 ? '\n' : '') + statusText(process, view, { lines: options.lines, isFull: options.isFull }));
    if (view.needsReload) await out(process, `\nWarning: ${unit} changed on disk. Run 'systemctl daemon-reload' to reload units.\n`);
    if (view.state.active !== 'active' && view.state.active !== 'reloading') code = 3;
  }
  return code;
}

async function show(process: Process, units: readonly string[], options: Options): Promise<number> {
  for (const unit of units) {
    const view = await viewOf(process, unit);
    if (view !== undefined) await out(process, showText(process, view, options.properties));
  }
  return 0;
}

async function cat(process: Process, units: readonly string[]): Promise<number> {
  let code = 0;
  for (const unit of units) {
    const loaded = loadUnit(process.sys, unit);
    if (loaded.path === undefined) {
      await complain(process, `No files found for ${unit}.`);
      code = 1;
      continue;
    }
    for (const [index, path] of [loaded.path, ...loaded.dropIns].entries())
      await out(process, `${index > 0 ? '\n' : ''}# ${path}\n${process.sys.readTextFile(path)}`);
  }
  return code;
}

async function enable(process: Process, units: readonly string[], options: Options): Promise<number> {
  if (units.length === 0) throw new UsageError('Too few arguments.');
  for (const unit of units) {
    const loaded = loadUnit(process.sys, unit);
    if (loaded.load === 'not-found') {
      await complain(process, 'Failed to execute operation: No such file or directory');
      return 1;
    }
    if (loaded.load === 'masked') {
      await complain(process, 'Failed to execute operation: Cannot send after transport endpoint shutdown');
      return 1;
    }
    if (!loaded.file.hasSection('Install')) {
      await complain(
        process,
        "The unit files have no [Install] section. They are not meant to be enabled\nusing systemctl.\nPossible reasons for having this kind of units are:\n1) A unit may be statically enabled by being symlinked from another unit's\n   .wants/ or .requires/ directory.\n2) A unit's purpose may be to act as a helper for some other unit which has\n   a requirement dependency on it.\n3) A unit may be started when needed via activation (socket, path, timer,\n   D-Bus, udev, scripted systemctl call, ...).",
      );
      continue;
    }
    for (const line of enableUnit(process.sys, loaded)) if (!options.isQuiet) await complain(process, line);
  }
  await askManager(process, { verb: 'daemon-reload' });
  return options.isNow ? jobs(process, 'start', units) : 0;
}

async function disable(process: Process, units: readonly string[], options: Options): Promise<number> {
  if (units.length === 0) throw new UsageError('Too few arguments.');
  for (const unit of units) {
    const loaded = loadUnit(process.sys, unit);
    if (loaded.load === 'not-found') {
      await complain(process, 'Failed to execute operation: No such file or directory');
      return 1;
    }
    for (const line of disableUnit(process.sys, loaded)) if (!options.isQuiet) await complain(process, line);
  }
  await askManager(process, { verb: 'daemon-reload' });
  return options.isNow ? jobs(process, 'stop', units) : 0;
}

async function mask(process: Process, units: readonly string[], options: Options): Promise<number> {
  for (const unit of units) {
    const path = `${ADMIN_UNITS}/${unit}`;
    if (hasLink(process.sys, path)) {
      if (process.sys.lstat(path).kind === 'symlink' && process.sys.readlink(path) === '/dev/null') continue;
      await complain(process, `Failed to execute operation: File ${path} already exists.`);
      return 1;
    }
    process.sys.symlink('/dev/null', path);
    await complain(process, `Created symlink from ${path} to /dev/null.`);
  }
  await askManager(process, { verb: 'daemon-reload' });
  return options.isNow ? jobs(process, 'stop', units) : 0;
}

async function unmask(process: Process, units: readonly string[]): Promise<number> {
  for (const unit of units) {
    const path = `${ADMIN_UNITS}/${unit}`;
    if (!hasLink(process.sys, path) || process.sys.lstat(path).kind !== 'symlink' || process.sys.readlink(path) !== '/dev/null') continue;
    process.sys.unlink(path);
    await complain(process, `Removed symlink ${path}.`);
  }
  await askManager(process, { verb: 'daemon-reload' });
  return 0;
}

async function kill(process: Process, units: readonly string[], options: Options): Promise<number> {
  let status = 0;
  for (const unit of units) {
    const { result } = await askManager(process, { verb: 'kill', unit, signal: options.signal, isMainOnly: options.isMainOnly });
    if (result !== 'done') {
      await complain(process, `Failed to kill unit ${unit}: Unit ${unit} is not loaded.`);
      status = 1;
    }
  }
  return status;
}

async function isState(
  process: Process,
  units: readonly string[],
  options: Options,
  holds: (view: UnitView) => boolean,
  otherwise: number,
): Promise<number> {
  let code = otherwise;
  for (const unit of units) {
    const view = await viewOf(process, unit);
    const active = view === undefined || view.load === 'not-found' ? 'unknown' : view.state.active;
    if (!options.isQuiet) await out(process, `${active}\n`);
    if (view !== undefined && holds(view)) code = 0;
  }
  return code;
}

async function isEnabled(process: Process, units: readonly string[], options: Options): Promise<number> {
  let code = 1;
  for (const unit of units) {
    const state = findUnitFile(process.sys, unit) === undefined ? '' : enableState(process.sys, unit);
    if (state === '') {
      await complain(process, `Failed to get unit file state for ${unit}: No such file or directory`);
      continue;
    }
    if (!options.isQuiet) await out(process, `${state}\n`);
    if (state === 'enabled' || state === 'static' || state === 'indirect') code = 0;
  }
  return code;
}

async function listUnits(process: Process, patterns: readonly string[], options: Options): Promise<number> {
  const { views = [] } = await askManager(process, { verb: 'views' });
  const chosen = views.filter(
    (view) =>
      (options.isAll || view.state.active !== 'inactive') &&
      (options.types.length === 0 || options.types.some((type) => view.name.endsWith(`.${type}`))) &&
      (options.states.length === 0 || options.states.includes(view.state.active) || options.states.includes(view.state.sub)) &&
      (patterns.length === 0 || patterns.some((pattern) => glob(pattern).test(view.name))),
  );
  await out(process, unitTable(process, chosen, options));
  return 0;
}

async function listUnitFiles(process: Process, patterns: readonly string[], options: Options): Promise<number> {
  const rows = unitFiles(process.sys)
    .filter((name) => options.types.length === 0 || options.types.some((type) => name.endsWith(`.${type}`)))
    .filter((name) => patterns.length === 0 || patterns.some((pattern) => glob(pattern).test(name)))
    .map((name) => ({ name, state: enableState(process.sys, name) }));
  await out(process, unitFileTable(process, rows, options));
  return 0;
}

async function power(process: Process, action: 'off' | 'reboot' | 'halt', options: Options): Promise<number> {
  // --force goes past the units: the disks are in order, the services are not asked.
  if (options.isForced) process.sys.kernel.power(action);
  await askManager(process, { verb: 'power', action });
  return 0;
}

async function viewOf(process: Process, unit: string): Promise<UnitView | undefined> {
  const request: ControlRequest = { verb: 'view', unit };
  return (await askManager(process, request)).views?.[0];
}

function parse(args: readonly string[]): { readonly words: readonly string[]; readonly options: Options } {
  const words: string[] = [];
  const options = {
    isNow: false,
    isQuiet: false,
    isAll: false,
    isNoLegend: false,
    isFull: false,
    lines: 10,
    types: [] as string[],
    states: [] as string[],
    properties: [] as string[],
    signal: 'SIGTERM' as SignalName,
    isMainOnly: false,
    isForced: false,
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) {
      words.push(arg);
      continue;
    }
    const [name, inline] = arg.startsWith('--')
      ? (arg.split(/=(.*)/s) as [string, string?])
      : /^-[tnps]./.test(arg)
        ? [arg.slice(0, 2), arg.slice(2)]
        : [arg, undefined];
    const value = (): string => {
      const found = inline ?? args[++i];
      if (found === undefined) throw new UsageError(`systemctl: option requires an argument -- '${name.replace(/^-+/, '')}'`);
      return found;
    };
    switch (name) {
      case '--now':
        options.isNow = true;
        break;
      case '-q':
      case '--quiet':
        options.isQuiet = true;
        break;
      case '-a':
      case '--all':
        options.isAll = true;
        break;
      case '--no-legend':
        options.isNoLegend = true;
        break;
      case '-l':
      case '--full':
        options.isFull = true;
        break;
      case '-f':
      case '--force':
        options.isForced = true;
        break;
      case '-n':
      case '--lines': {
        const text = value();
        if (!/^\d+$/.test(text)) throw new UsageError(`Failed to parse lines '${text}'`);
        options.lines = Number(text);
        break;
      }
      case '-t':
      case '--type':
        options.types.push(...value().split(','));
        break;
      case '--state':
        options.states.push(...value().split(','));
        break;
      case '--failed':
        options.states.push('failed');
        break;
      case '-p':
      case '--property':
        options.properties.push(...value().split(','));
        break;
      case '-s':
      case '--signal': {
        const text = value();
        options.signal = `SIG${text.replace(/^SIG/, '')}` as SignalName;
        break;
      }
      case '--kill-who':
        options.isMainOnly = value() === 'main';
        break;
      case '--no-pager':
      case '--system':
      case '--no-ask-password':
        break;
      default:
        throw new UsageError(
          arg.startsWith('--') ? `systemctl: unrecognized option '${arg}'` : `systemctl: invalid option -- '${arg.slice(1, 2)}'`,
        );
    }
  }
  return { words, options };
}

/** A name without a suffix is a service. */
function unitName(word: string): string {
  return /\.(service|socket|target|mount|timer|path|slice|swap|scope|device)$/.test(word) || /[*?[]/.test(word) ? word : `${word}.service`;
}

function glob(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  );
}

async function out(process: Process, text: string): Promise<void> {
  await process.stdout.write(utf8(text));
}

async function complain(process: Process, line: string): Promise<void> {
  await process.stderr.write(utf8(`${line}\n`));
}
