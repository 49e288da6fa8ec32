// Splits a line of iptables-restore's input: optional counters, then words with double quotes and backslashes.

import { bad } from './options.ts';

export function splitRestoreLine(line: string): { readonly args: readonly string[]; readonly packets: number; readonly bytes: number } {
  let packets = 0;
  let bytes = 0;
  let rest = line;
  const counters = /^\[(\d+):(\d+)\]\s*/.exec(line);
  if (counters !== null) {
    packets = Number(counters[1]);
    bytes = Number(counters[2]);
    rest = line.slice(counters[0].length);
  } else if (line.startsWith('[')) throw bad('Bad line: need [');
  const args: string[] = [];
  let word = '';
  let isWord = false;
  let isQuoted = false;
  for (let at = 0; at < rest.length; at++) {
    const character = rest[at]!;
    if (isQuoted) {
      if (character === '\\' && at + 1 < rest.length) word += rest[++at]!;
      else if (character === '"') isQuoted = false;
      else word += character;
    } else if (character === '"') {
      isQuoted = true;
      isWord = true;
    } else if (character === ' ' || character === '\t') {
      if (isWord) args.push(word);
      word = '';
      isWord = false;
    } else {
      word += character;
      isWord = true;
    }
  }
  if (isWord) args.push(word);
  const table = args.findIndex((arg) => arg === '-t' || arg === '--table');
  if (table >= 0) throw bad('The -t option (seen in line) cannot be used in iptables-restore.');
  return { args, packets, bytes };
}
