// `nobox run FILE.lab`: plays a session script in virtual time and prints what a learner would see.

import { readFileSync } from 'node:fs';
import type { DrivenLab } from '../driven-lab.ts';
import { openLab } from '../lab-host.ts';
import { seedOf } from './drive.ts';
import { CliError, parseOptions } from './options.ts';
import { parseScript, ScriptError, type ScriptStep } from './script.ts';

/** How often `@until` looks, in lab time. */
const UNTIL_INTERVAL_MS = 1000;

export async function run(args: readonly string[]): Promise<number> {
  const { values, flags, words } = parseOptions(args, { json: 'flag', state: 'string', seed: 'string' });
  const [file] = words;
  if (file === undefined || words.length > 1) throw new CliError('usage: nobox run FILE.lab [--json] [--state FILE] [--seed N]');
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
  const lab = await openLab({ path: values['state'], seed: seedOf(values['seed']) });
  try {
    const steps = parseScript(source, lab.machineNames());
    return await play(lab, steps, flags.has('json'));
  } catch (error) {
    if (error instanceof ScriptError) throw new CliError(`${file}: ${error.message}`, 1);
    throw error;
  } finally {
    await lab.close();
  }
}

async function play(lab: DrivenLab, steps: readonly ScriptStep[], isJson: boolean): Promise<number> {
  let status = 0;
  const say = (plain: string, json: object): void => {
    lab.flush();
    process.stdout.write(isJson ? `${JSON.stringify({ ...json, now: new Date(lab.now()).toISOString() })}\n` : plain);
  };
  for (const step of steps) {
    switch (step.kind) {
      case 'command': {
        const { stdout, stderr, exit } = await lab.run(step.machine, step.command, { isMerged: !isJson });
        const output = stdout + (isJson ? '' : stderr);
        say(`${lab.prompt(step.machine)}${step.command}\n${output}${output === '' || output.endsWith('\n') ? '' : '\n'}`, {
          line: step.line,
          vm: step.machine,
          command: step.command,
          stdout,
          stderr,
          exit,
        });
        break;
      }
      case 'advance':
        await lab.advance(step.durationMs);
        say(`@advance ${step.durationMs / 1000}s\n`, { line: step.line, advance_ms: step.durationMs });
        break;
      case 'until': {
        const met = await until(lab, step);
        if (!met.isMet) status = 1;
        const took = `${(met.tookMs / 1000).toFixed(0)}s`;
        say(
          met.isMet
            ? `@until ${step.command} ~ ${String(step.pattern)}: after ${took}\n`
            : `@until ${step.command} ~ ${String(step.pattern)}: NOT within ${took}; last output:\n${met.output}`,
          { line: step.line, until: String(step.pattern), met: met.isMet, took_ms: met.tookMs, output: met.output },
        );
        break;
      }
      case 'snapshot':
        if (step.action === 'save') lab.saveSnapshot(step.name);
        else await lab.restoreSnapshot(step.name);
        say(`@snapshot ${step.action} ${step.name}\n`, { line: step.line, snapshot: step.action, name: step.name });
        break;
      case 'power':
        lab.power(step.machine, step.action);
        say(`@power ${step.machine} ${step.action}\n`, { line: step.line, power: step.action, vm: step.machine });
        break;
    }
  }
  return status;
}

async function until(
  lab: DrivenLab,
  step: Extract<ScriptStep, { kind: 'until' }>,
): Promise<{ isMet: boolean; output: string; tookMs: number }> {
  const startMs = lab.now();
  for (;;) {
    let output: string;
    try {
      const result = await lab.run(step.machine, step.command, { isMerged: true, timeoutMs: Math.max(1000, step.withinMs), isQuiet: true });
      output = result.stdout;
    } catch (error) {
      // A machine that is booting has no shell yet; that is what one waits for.
      output = error instanceof Error ? `${error.message}\n` : String(error);
    }
    const tookMs = lab.now() - startMs;
    if (step.pattern.test(output)) return { isMet: true, output, tookMs };
    if (tookMs >= step.withinMs) return { isMet: false, output, tookMs };
    await lab.advance(Math.min(UNTIL_INTERVAL_MS, step.withinMs - tookMs));
  }
}
