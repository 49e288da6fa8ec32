// PS1 and its escapes.

import { byteChar } from '../bytes.ts';
import { parseWord } from '../syntax/words.ts';
import { formatTime } from '../time-format.ts';
import type { Interpreter } from './interpreter.ts';
import type { Task } from './task.ts';

/** A prompt's text; what is not printed (`\[...\]`) is between U+0001 and U+0002. */
export function* expandPrompt(shell: Interpreter, prompt: string): Task<string> {
  const text = decode(shell, prompt);
  if (!shell.option('promptvars') || !/[$`\\]/.test(text)) return text;
  const { status } = shell;
  const expanded = yield* shell.expander.text(parseWord(text, 'double'));
  shell.status = status;
  return expanded;
}

function decode(shell: Interpreter, prompt: string): string {
  const { variables, sys } = shell;
  const protect = (value: string): string => value.replace(/[\\$`"]/g, '\\$&');
  const now = sys.now();
  const time = (format: string): string => formatTime(format, now, sys, variables.get('TZ'));
  return prompt.replace(/\\(?:([0-7]{3})|D\{([^}]*)\}|([\s\S]))/g, (whole, octal?: string, date?: string, letter?: string) => {
    if (octal !== undefined) return byteChar(Number.parseInt(octal, 8) & 255);
    if (date !== undefined) return time(date === '' ? '%X' : date);
    switch (letter) {
      case 'a':
        return '\x07';
      case 'd':
        return time('%a %b %d');
      case 'e':
        return '\x1b';
      case 'h':
        return protect(sys.hostname().split('.')[0]!);
      case 'H':
        return protect(sys.hostname());
      case 'j':
        return String(shell.jobs.all.length);
      case 'l':
        return sys.controllingTty()?.name.replace(/^.*\//, '') ?? '';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 's':
        return shell.name.replace(/^.*\//, '');
      case 't':
        return time('%H:%M:%S');
      case 'T':
        return time('%I:%M:%S');
      case '@':
        return time('%I:%M %p');
      case 'A':
        return time('%H:%M');
      case 'u':
        return protect(shell.userName());
      case 'v':
        return '4.2';
      case 'V':
        return '4.2.46';
      case 'w':
      case 'W': {
        const pwd = variables.get('PWD') ?? sys.cwd();
        const home = variables.get('HOME');
        if (letter === 'W') return protect(pwd === home ? '~' : pwd === '/' ? '/' : pwd.slice(pwd.lastIndexOf('/') + 1));
        return protect(
          home !== undefined && home !== '/' && (pwd === home || pwd.startsWith(home + '/')) ? '~' + pwd.slice(home.length) : pwd,
        );
      }
      case '!':
        return String(shell.historyBase + shell.history.length);
      case '#':
        return String(shell.commandNumber);
      case '$':
        return sys.credentials().uid === 0 ? '#' : '\\$';
      case '\\':
        return '\\\\';
      case '[':
        return '\x01';
      case ']':
        return '\x02';
      default:
        return whole;
    }
  });
}
