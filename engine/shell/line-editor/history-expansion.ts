// `!!`, `!n`, `!-n`, `!text`, `!?text?`, `^old^new`, word designators and modifiers.

export class HistoryError extends Error {}

export interface ExpandedLine {
  readonly line: string;
  /** `:p` was given: show and do not run. */
  readonly onlyPrints: boolean;
}

/** Throws HistoryError: `!x: event not found`. */
export function expandHistory(line: string, history: readonly string[], base: number): ExpandedLine {
  const quick = /^\^([^^]*)\^([^^]*)(?:\^(.*))?$/.exec(line);
  if (quick !== null) {
    const last = history.at(-1) ?? '';
    if (!last.includes(quick[1]!)) throw new HistoryError(`:s${line}: substitution failed`);
    return { line: last.replace(quick[1]!, () => quick[2]!) + (quick[3] ?? ''), onlyPrints: false };
  }
  let out = '';
  let onlyPrints = false;
  let isDouble = false;
  for (let i = 0; i < line.length;) {
    const c = line[i]!;
    if (c === '\\') {
      out += line.slice(i, i + 2);
      i += 2;
      continue;
    }
    if (c === '"') isDouble = !isDouble;
    if (c === "'" && !isDouble) {
      const end = line.indexOf("'", i + 1);
      const to = end < 0 ? line.length : end + 1;
      out += line.slice(i, to);
      i = to;
      continue;
    }
    const next = line[i + 1];
    if (
      c !== '!' ||
      next === undefined ||
      /[\s=(]/.test(next) ||
      (isDouble && next === '"') ||
      out.endsWith('$') ||
      out.endsWith('[') ||
      out.endsWith('${')
    ) {
      out += c;
      i++;
      continue;
    }
    const event = /^!(?:(!)|(-?\d+)|\?([^?\n]*)\??|(#)|(?=[$^*:])|([^\s:$^*;|&()<>"'-][^\s:;|&()<>"']*))/.exec(line.slice(i));
    if (event === null) {
      out += c;
      i++;
      continue;
    }
    let text: string | undefined;
    if (event[2] !== undefined) {
      const n = Number(event[2]);
      text = n < 0 ? history[history.length + n] : history[n - base];
    } else if (event[3] !== undefined) text = history.findLast((h) => h.includes(event[3]!));
    else if (event[4] !== undefined) text = out;
    else if (event[5] !== undefined) text = history.findLast((h) => h.startsWith(event[5]!));
    else text = history.at(-1);
    if (text === undefined) throw new HistoryError(`${event[0]}: event not found`);
    i += event[0].length;
    const words = /^:?([$^*])|^:(\d+|%)?(?:(-)(\d+|\$)?|(\*))?/.exec(line.slice(i));
    if (words !== null && words[0] !== '' && words[0] !== ':') {
      const list = text.match(/(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s\\'"])+/g) ?? [];
      let from: number;
      let to: number;
      if (words[1] === '$') from = to = list.length - 1;
      else if (words[1] === '^') from = to = 1;
      else if (words[1] === '*') [from, to] = [1, list.length - 1];
      else {
        from = Number(words[2] ?? '0');
        to =
          words[5] !== undefined
            ? list.length - 1
            : words[3] === undefined
              ? from
              : words[4] === '$'
                ? list.length - 1
                : words[4] === undefined
                  ? list.length - 2
                  : Number(words[4]);
      }
      if (from >= list.length && words[1] !== '*')
        throw new HistoryError(`${line.slice(i - event[0].length, i + words[0].length)}: bad word specifier`);
      text = list.slice(from, to + 1).join(' ');
      i += words[0].length;
    }
    for (;;) {
      const modifier = /^:(?:([htrepq])|(g?)s(.)(.*?)\3(.*?)(?:\3|$))/.exec(line.slice(i));
      if (modifier === null) break;
      i += modifier[0].length;
      if (modifier[1] === 'p') onlyPrints = true;
      else if (modifier[1] === 'h') text = text.replace(/\/[^/]*$/, '');
      else if (modifier[1] === 't') text = text.replace(/^.*\//, '');
      else if (modifier[1] === 'r') text = text.replace(/\.[^.]*$/, '');
      else if (modifier[1] === 'e') text = /\.[^.]*$/.exec(text)?.[0] ?? text;
      else if (modifier[1] === 'q') text = `'${text}'`;
      else if (modifier[4] !== undefined)
        text = modifier[2] === 'g' ? text.split(modifier[4]).join(modifier[5]) : text.replace(modifier[4], () => modifier[5]!);
    }
    out += text;
  }
  return { line: out, onlyPrints };
}
