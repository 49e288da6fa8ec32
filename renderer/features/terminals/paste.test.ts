import { describe, expect, test } from 'vitest';
import { lineCount, runsSomething, sanitisePaste } from './paste.ts';

describe('a paste', () => {
  test.each([
    ['keeps Hangul, tabs and line ends', '파드\tkubectl\n', '파드\tkubectl\n'],
    ['turns CRLF and CR into line feeds', 'a\r\nb\rc', 'a\nb\nc'],
    ['loses the sequence that ends a bracketed paste', 'ls\x1b[201~rm -rf /', 'ls[201~rm -rf /'],
    ['loses C1 control characters', 'a\x9b201~b', 'a201~b'],
    ['loses Ctrl-C and backspace', 'a\x03\x08b', 'ab'],
    ['loses invisible direction marks', 'a\u202eb\u200bc', 'abc'],
  ])('%s', (_, given, want) => {
    expect(sanitisePaste(given)).toBe(want);
  });

  test.each([
    ['one line', 'ls', 1, false],
    ['one line with its end', 'ls\n', 1, true],
    ['two lines', 'ls\npwd', 2, true],
    ['two lines with the last end', 'ls\npwd\n', 2, true],
  ])('counts %s', (_, given, lines, runs) => {
    expect(lineCount(given)).toBe(lines);
    expect(runsSomething(given)).toBe(runs);
  });
});
