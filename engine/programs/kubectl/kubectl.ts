// Models kubectl v1.20: the tree of its commands.

import type { Program } from '../../kernel/process.ts';
import { runCommandLine, type Command } from './command.ts';
import { alpha } from './commands/alpha.ts';
import { apply } from './commands/apply.ts';
import { auth, certificate, top } from './commands/auth.ts';
import { autoscale } from './commands/autoscale.ts';
import { completion } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { cordon, drain, uncordon } from './commands/cordon.ts';
import { cp } from './commands/cp.ts';
import { create } from './commands/create.ts';
import { debug } from './commands/debug.ts';
import { deleteCommand } from './commands/delete.ts';
import { describe } from './commands/describe.ts';
import { diff } from './commands/diff.ts';
import { edit } from './commands/edit.ts';
import { attach, exec } from './commands/exec.ts';
import { explain } from './commands/explain.ts';
import { expose } from './commands/expose.ts';
import { get } from './commands/get.ts';
import { kustomize } from './commands/kustomize.ts';
import { annotate, label } from './commands/label.ts';
import { logs } from './commands/logs.ts';
import { options, plugin } from './commands/options.ts';
import { patch, replace } from './commands/patch.ts';
import { portForward } from './commands/port-forward.ts';
import { proxy } from './commands/proxy.ts';
import { rollout } from './commands/rollout.ts';
import { run } from './commands/run.ts';
import { scale } from './commands/scale.ts';
import { apiResources, apiVersions, clusterInfo, version } from './commands/server-info.ts';
import { set } from './commands/set.ts';
import { taint } from './commands/taint.ts';
import { wait } from './commands/wait.ts';

const root: Command = {
  name: 'kubectl',
  // In the order in which kubectl adds them: suggestions follow it.
  subcommands: [
    create,
    expose,
    run,
    set,
    explain,
    get,
    diff,
    edit,
    deleteCommand,
    rollout,
    scale,
    autoscale,
    certificate,
    clusterInfo,
    top,
    cordon,
    uncordon,
    drain,
    taint,
    describe,
    logs,
    attach,
    exec,
    portForward,
    proxy,
    cp,
    auth,
    debug,
    apply,
    patch,
    replace,
    wait,
    kustomize,
    label,
    annotate,
    completion,
    alpha,
    plugin,
    version,
    apiVersions,
    apiResources,
    options,
    config,
  ],
};

export const kubectl: Program = {
  name: 'kubectl',
  main: (process) => runCommandLine(root, process),
};
