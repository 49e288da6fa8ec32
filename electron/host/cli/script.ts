// The language of session scripts (`nobox run FILE.lab`): what is typed where, and what to wait for.

import { parseDuration } from '../duration.ts';

export type ScriptStep =
  | { readonly kind: 'command'; readonly line: number; readonly machine: string; readonly command: string }
  | { readonly kind: 'advance'; readonly line: number; readonly durationMs: number }
  | {
      readonly kind: 'until';
      readonly line: number;
      readonly withinMs: number;
      readonly machine: string;
      readonly command: string;
      readonly pattern: RegExp;
    }
  | { readonly kind: 'snapshot'; readonly line: number; readonly action: 'save' | 'restore'; readonly name: string }
  | { readonly kind: 'power'; readonly line: number; readonly machine: string; readonly action: 'off' | 'on' | 'reset' };

/** A script that cannot be read; the message names the line. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** Lines: `VM$ command`, `@advance 30s`, `@until 60s VM$ command ~ /regex/`, `@snapshot save|restore NAME`, `@power VM off|on|reset`, `# comment`. */
export function parseScript(source: string, machines: readonly string[]): readonly ScriptStep[] {
  const steps: ScriptStep[] = [];
  const lines = source.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    const text = lines[i]!.trim();
    if (text === '' || text.startsWith('#')) continue;
    const fail = (reason: string): never => {
      throw new ScriptError(`line ${line}: ${reason}`);
    };
    const known = (name: string): string =>
      machines.includes(name) ? name : fail(`no machine is named "${name}" (there are ${machines.join(', ')})`);
    if (!text.startsWith('@')) {
      const [, machine = '', first = ''] = /^([\w-]+)\$ ?(.*)$/.exec(text) ?? fail('expected `VM$ command`, a directive or a comment');
      let command = first;
      // A here-document, a quote or a trailing backslash goes on on the next lines, as at a prompt.
      for (const end = hereDocumentEnd(command); end !== undefined;) {
        const next = lines[++i];
        if (next === undefined) return fail(`the here-document misses its end "${end}"`);
        command += `\n${next}`;
        if (next.trim() === end) break;
      }
      steps.push({ kind: 'command', line, machine: known(machine), command });
      continue;
    }
    const [, directive = '', rest = ''] = /^@(\w+) ?(.*)$/.exec(text) ?? fail('expected a directive');
    switch (directive) {
      case 'advance':
        steps.push({ kind: 'advance', line, durationMs: parseDuration(rest.trim()) ?? fail(`"${rest}" is no duration`) });
        break;
      case 'until': {
        const [, duration = '', machine = '', command = '', pattern = '', flags = ''] =
          /^(\S+) ([\w-]+)\$ ?(.*) ~ \/(.*)\/([a-z]*)$/.exec(rest) ?? fail('expected `@until 60s VM$ command ~ /regex/`');
        const withinMs = parseDuration(duration) ?? fail(`"${duration}" is no duration`);
        steps.push({ kind: 'until', line, withinMs, machine: known(machine), command, pattern: regex(pattern, flags, fail) });
        break;
      }
      case 'snapshot': {
        const [, action = '', name = ''] = /^(save|restore) (.+)$/.exec(rest) ?? fail('expected `@snapshot save|restore NAME`');
        steps.push({ kind: 'snapshot', line, action: action as 'save' | 'restore', name });
        break;
      }
      case 'power': {
        const [, machine = '', action = ''] = /^([\w-]+) (off|on|reset)$/.exec(rest) ?? fail('expected `@power VM off|on|reset`');
        steps.push({ kind: 'power', line, machine: known(machine), action: action as 'off' | 'on' | 'reset' });
        break;
      }
      default:
        fail(`unknown directive "@${directive}"`);
    }
  }
  return steps;
}

function hereDocumentEnd(command: string): string | undefined {
  return /<<-?\s*(?:'([^']+)'|"([^"]+)"|(\w+))/
    .exec(command)
    ?.slice(1)
    .find((name) => name !== undefined);
}

function regex(pattern: string, flags: string, fail: (reason: string) => never): RegExp {
  try {
    return new RegExp(pattern, flags.includes('m') ? flags : `${flags}m`);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}
