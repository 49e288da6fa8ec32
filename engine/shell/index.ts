// Models bash 4.2: the shell of the lab's machines.
// Not modelled: coprocesses, restricted shells, vi editing mode of the prompt.
//
// A `Shell` belongs to one process and touches the machine only through its Syscalls. Three ways to use it:
//
// - a terminal: `new Shell(process, { name: '-bash', isInteractive: true, isLogin: true, beforeCommand })`, then `await
//   shell.startUp()`, `await shell.runInteractive()`, `await shell.finish()`. `beforeCommand(line)` is called before each line
//   that is entered (the host takes its restore points there).
// - a script: `await shell.runString(source)`, then `await shell.finish()`.
// - one login shell that is fed command lines by a host: make it interactive and login, `await shell.startUp()` once, then for each
//   line `await shell.runCommand(line, { stdin, stdout, stderr })`, where the numbers are descriptors of the process (left out:
//   0, 1 and 2). Variables, functions, working directory, jobs and history of `set` options stay. `shell.hasExited` tells that the
//   line was `exit`. Such a shell has no terminal and no job control; signals for its children are the host's matter
//   (`sys.kill` on the process group or the children).

export { Shell, type CommandDescriptors } from './interp/shell.ts';
export type { ShellOptions } from './interp/interpreter.ts';
