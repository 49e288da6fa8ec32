// Permission bits: as `ls -l` shows them and as chmod reads them.

import type { FileKind } from '../../../kernel/process.ts';

const KIND: Readonly<Record<FileKind, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  pipe: 'p',
  character: 'c',
  block: 'b',
  socket: 's',
};

export function modeText(kind: FileKind, mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const isExecutable = (bits & 1) !== 0;
    const last = (mode & special) !== 0 ? (isExecutable ? letter : letter.toUpperCase()) : isExecutable ? 'x' : '-';
    return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + last;
  };
  return KIND[kind] + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

/** A mode like `755` or `u+x,go-w`: the new bits from the old ones; undefined when it is no mode. */
export function parseMode(text: string, umask: number): ((old: number, isDirectory: boolean) => number) | undefined {
  if (/^[0-7]{1,5}$/.test(text)) {
    const bits = Number.parseInt(text, 8) & 0o7777;
    // Octal modes of up to four digits leave a directory's set-id bits alone.
    return (old, isDirectory) => (isDirectory && text.length < 5 ? bits | (old & 0o6000) : bits);
  }
  const steps: ((old: number, isDirectory: boolean) => number)[] = [];
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
    if (match === null) return undefined;
    const who = match[1] === '' ? 'a' : match[1]!;
    const masked = match[1] === '' ? ~umask & 0o7777 : 0o7777;
    for (const action of match[2]!.matchAll(/([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g)) {
      const [, operator, what = ''] = action;
      steps.push((old, isDirectory) => {
        let bits = 0;
        const classes = who.includes('a') ? 'ugo' : who;
        const shifts: Record<string, number> = { u: 6, g: 3, o: 0 };
        for (const c of classes) {
          const shift = shifts[c]!;
          if (/^[ugo]$/.test(what)) bits |= ((old >> shifts[what]!) & 7) << shift;
          else {
            if (what.includes('r')) bits |= 4 << shift;
            if (what.includes('w')) bits |= 2 << shift;
            if (what.includes('x') || (what.includes('X') && (isDirectory || (old & 0o111) !== 0))) bits |= 1 << shift;
            if (what.includes('s')) bits |= c === 'u' ? 0o4000 : c === 'g' ? 0o2000 : 0;
          }
        }
        if (what.includes('t')) bits |= 0o1000;
        bits &= masked | 0o7000;
        if (operator === '+') return old | bits;
        if (operator === '-') return old & ~bits;
        let clear = 0;
        for (const c of classes) clear |= 7 << shifts[c]!;
        return (old & ~(clear & masked)) | bits;
      });
    }
  }
  return (old, isDirectory) => steps.reduce((mode, step) => step(mode, isDirectory), old);
}
