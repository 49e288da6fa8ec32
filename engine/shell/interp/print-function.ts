// The text `declare -f` and `type` show of a function: name, then the body on lines of its own.

import type { ShellFunction } from './function.ts';

export function printFunction(func: ShellFunction): string {
  const body = func.definition.trim();
  const inner = /^\{([\s\S]*)\}$/.exec(body);
  if (inner === null) return `${func.name} () \n{ \n    ${body}\n}`;
  const textBody = inner[1]!.trim();
  if (!textBody.includes('\n') && !/<<|\b(?:if|for|while|until|case|select)\b/.test(textBody)) {
    const lines = splitStatements(textBody).map((line, i, all) => `    ${line}${i < all.length - 1 ? ';' : ''}`);
    return `${func.name} () \n{ \n${lines.join('\n')}\n}`;
  }
  const lines = textBody.includes('<<') ? textBody.split('\n') : textBody.split('\n').map((line, i) => (i === 0 ? '    ' + line : line));
  return `${func.name} () \n{ \n${lines.join('\n')}\n}`;
}

function splitStatements(text: string): string[] {
  const out: string[] = [];
  let from = 0;
  let quote = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === '\\' && quote === '"') i++;
      else if (c === quote) quote = '';
    } else if (c === '\\') i++;
    else if (c === "'" || c === '"' || c === '`') quote = c;
    else if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if (c === ';' && depth === 0) {
      out.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  out.push(text.slice(from).trim());
  return out.filter((line) => line !== '');
}
