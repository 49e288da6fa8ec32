// Reads recordings of what a shell printed and makes two outputs comparable. The form: `# file NAME:` and `#| ` lines are a file in the
// working directory; `$ command`, its stdout, `stderr: ` lines, `exit: N`; every other line that begins with `#` is a remark.

export type Step =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  /** Runs beside the next command, `afterSeconds` after its start. */
  | { readonly kind: 'aside'; readonly afterSeconds: number; readonly command: string }
  | RunStep;

export interface RunStep {
  readonly kind: 'run';
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: string;
}

export function parseTranscript(text: string): readonly Step[] {
  const steps: Step[] = [];
  let file: { name: string; lines: string[] } | undefined;
  let run: { command: string; stdout: string[]; stderr: string[] } | undefined;
  const endFile = (): void => {
    if (file !== undefined) steps.push({ kind: 'file', name: file.name, text: file.lines.map((line) => `${line}\n`).join('') });
    file = undefined;
  };
  for (const line of text.split('\n')) {
    if (run !== undefined) {
      const exit = /^exit: (.*)$/.exec(line);
      if (exit !== null) {
        steps.push({ kind: 'run', command: run.command, stdout: run.stdout.join('\n'), stderr: run.stderr.join('\n'), exit: exit[1]! });
        run = undefined;
      } else if (line.startsWith('stderr:')) run.stderr.push(line.slice('stderr: '.length));
      else if (line !== '(no newline at end of stdout)') run.stdout.push(line);
      continue;
    }
    const content = /^#\| ?(.*)$/.exec(line);
    if (file !== undefined && content !== null) {
      file.lines.push(content[1]!);
      continue;
    }
    endFile();
    const name = /^# file (\S+):$/.exec(line);
    const aside = /^# in another terminal, (\d+) s after the start: (.*)$/.exec(line);
    if (name !== null) file = { name: name[1]!, lines: [] };
    else if (aside !== null) steps.push({ kind: 'aside', afterSeconds: Number(aside[1]), command: aside[2]! });
    else if (line.startsWith('$ ')) run = { command: line.slice(2), stdout: [], stderr: [] };
  }
  endFile();
  return steps;
}

/** What may differ from run to run: times, ages, uids, generated names, versions of objects, addresses out of a range. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  // Debian built its kubectl with another Go, from an archive.
  [/"?[gG]oVersion"?: ?"?go1\.\d+\.\d+"?/g, '<go>'],
  [/([gG]itTreeState"?: ?"?)(clean|archive)/g, '$1<tree>'],
  // Colours.
  [/\u001b\[[0-9;]*m/g, ''],
  [/^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ /gm, '$1<klog> '],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?( [+-]\d{4} \w+)?/g, '<time>'],
  [/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\b(\d+d)?(\d+h)?(\d+m)?(\d+s)\b|\b\d+[dhm](\d+[hms])?\b/g, '<age>'],
  [/<unknown>|<invalid>/g, '<age>'],
  [/(-[bcdfghjklmnpqrstvwxz2456789]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '<random>'],
  [/resourceVersion: "\d+"|"resourceVersion": ?"\d+"/g, '<version>'],
  [/\b10\.(9[6-9]|10\d|11[01])\.\d+\.\d+\b/g, '<service-ip>'],
  [/\b172\.16\.\d+\.\d+\b/g, '<pod-ip>'],
  [/\b3[0-2]\d{3}\b/g, '<node-port>'],
  [/docker:\/\/[0-9a-f]{64}|sha256:[0-9a-f]{64}/g, '<digest>'],
];

/** Where something was masked, runs of blanks count as one in the whole output: columns move with what stands in them. */
export function mask(text: string): string {
  let masked = text;
  for (const [pattern, by] of MASKS) masked = masked.replace(pattern, by);
  if (masked !== text) masked = masked.replace(/ +/g, ' ');
  return masked.replace(/ +$/gm, '').trimEnd();
}
