// Runs the nodes of a parsed script.

import type {
  AndOr,
  CommandNode,
  CompoundList,
  PipelineNode,
  Statement,
  TestExpression,
  While,
  For,
  ArithmeticFor,
  Case,
  Select,
  Redirection,
} from 'unbash';
import { matchesPattern } from '../expand/pattern.ts';
import { parseWord } from '../syntax/words.ts';
import { compilePosix, RegexError } from './posix-regex.ts';
import type { Interpreter } from './interpreter.ts';
import { runPipeline, startBackground } from './pipeline.ts';
import { applyRedirections, restoreDescriptors } from './redirect.ts';
import { runSimple } from './simple.ts';
import type { Task } from './task.ts';
import { testFiles, testUnary } from './test.ts';

/** Runs one statement; the shell's status is set. */
export function* execute(shell: Interpreter, statement: Statement): Task<number> {
  if (statement.background) return yield* startBackground(shell, statement);
  return yield* executeNode(shell, statement.command);
}

export function* executeList(shell: Interpreter, list: CompoundList): Task<number> {
  let status = 0;
  const { commands } = list;
  const mayReplace = shell.mayReplace;
  shell.mayReplace = false;
  for (let i = 0; i < commands.length; i++) {
    shell.mayReplace = mayReplace && i === commands.length - 1;
    const statement = commands[i]!;
    status = statement.background ? yield* startBackground(shell, statement) : yield* executeNode(shell, statement.command);
    if (shell.flow !== undefined) break;
  }
  return status;
}

export function* executeNode(shell: Interpreter, node: PipelineNode | AndOr | CompoundList): Task<number> {
  switch (node.type) {
    case 'Command':
      return yield* runSimple(shell, node);
    case 'Pipeline':
      return yield* runPipeline(shell, node);
    case 'AndOr':
      return yield* executeAndOr(shell, node);
    case 'CompoundList':
      return yield* executeList(shell, node);
    case 'Redirected':
      return yield* withRedirections(shell, node.redirects, () => executeNode(shell, node.command));
    case 'If': {
      const mayReplace = shell.mayReplace;
      shell.mayReplace = false;
      if ((yield* condition(shell, node.clause)) === 0) {
        if (shell.flow !== undefined) return shell.status;
        shell.mayReplace = mayReplace;
        return yield* executeList(shell, node.then);
      }
      if (shell.flow !== undefined) return shell.status;
      for (const branch of node.elif) {
        if ((yield* condition(shell, branch.clause)) === 0) {
          if (shell.flow !== undefined) return shell.status;
          return yield* executeList(shell, branch.then);
        }
        if (shell.flow !== undefined) return shell.status;
      }
      if (node.else !== undefined) return yield* executeList(shell, node.else);
      return (shell.status = 0);
    }
    case 'BraceGroup':
      return yield* executeList(shell, node.body);
    case 'While':
      return yield* executeWhile(shell, node);
    case 'For':
      return yield* executeFor(shell, node);
    case 'ArithmeticFor':
      return yield* executeArithmeticFor(shell, node);
    case 'Case':
      return yield* executeCase(shell, node);
    case 'Select':
      return yield* executeSelect(shell, node);
    case 'Function': {
      const name = node.name.text;
      shell.functions.set(name, {
        name,
        body: node.body as CommandNode,
        text: shell.frame.text,
        lineOffset: shell.frame.lineOffset,
        sourceName: shell.frame.name,
        definition: shell.frame.text.slice(node.body.pos, node.body.end),
        isExported: false,
        isReadonly: false,
      });
      return (shell.status = 0);
    }
    case 'Subshell': {
      if (shell.mayReplace) {
        // A forked stage that is only a subshell needs no second process.
        return yield* executeList(shell, node.body);
      }
      const status = yield* runPipeline(shell, {
        type: 'Pipeline',
        pos: node.pos,
        end: node.end,
        prefixes: [],
        commands: [node],
        operators: [],
      });
      return status;
    }
    case 'ArithmeticCommand': {
      shell.position = node.pos;
      const source = node.body;
      shell.arithmeticSource = `((: ${source}`;
      if (shell.option('xtrace')) yield* shell.errorText(`+ ((${source}))\n`);
      const value = yield* shell.expander.arithmetic(parseWord(source, 'arithmetic'));
      shell.status = value == 0 ? 1 : 0;
      yield* shell.failed(shell.status);
      yield* shell.tick();
      return shell.status;
    }
    case 'TestCommand': {
      shell.position = node.pos;
      const result = yield* evaluateCondition(shell, node.expression);
      shell.status = result === undefined ? 2 : result ? 0 : 1;
      yield* shell.failed(shell.status);
      yield* shell.tick();
      return shell.status;
    }
    case 'Coproc':
      yield* shell.error('coproc: not emulated: coprocesses');
      return (shell.status = 1);
  }
}

function* executeAndOr(shell: Interpreter, node: AndOr): Task<number> {
  let status = 0;
  const mayReplace = shell.mayReplace;
  shell.mayReplace = false;
  const last = node.commands.length - 1;
  for (let i = 0; i <= last; i++) {
    if (i > 0 && (node.operators[i - 1] === '&&') !== (status === 0)) continue;
    if (i < last) {
      shell.unchecked++;
      try {
        status = yield* executeNode(shell, node.commands[i]!);
      } finally {
        shell.unchecked--;
      }
    } else {
      shell.mayReplace = mayReplace;
      status = yield* executeNode(shell, node.commands[i]!);
    }
    if (shell.flow !== undefined) return status;
  }
  return status;
}

function* condition(shell: Interpreter, list: CompoundList): Task<number> {
  shell.unchecked++;
  try {
    return yield* executeList(shell, list);
  } finally {
    shell.unchecked--;
  }
}

export function* withRedirections(shell: Interpreter, redirections: readonly Redirection[], body: () => Task<number>): Task<number> {
  const substitutions = shell.openSubstitutions.length;
  let saved;
  try {
    saved = yield* applyRedirections(shell, redirections);
  } catch (error) {
    const status = yield* shell.reportFailure(error);
    yield* shell.failed(status);
    return status;
  }
  const mayReplace = shell.mayReplace;
  shell.mayReplace = mayReplace;
  try {
    return yield* body();
  } finally {
    restoreDescriptors(shell, saved);
    shell.closeSubstitutions(substitutions);
  }
}

/** After a loop's body: says whether the loop ends. */
function leavesLoop(shell: Interpreter): boolean {
  const { flow } = shell;
  if (flow === undefined) return false;
  if (flow.kind === 'break' || flow.kind === 'continue') {
    if (flow.levels > 1) {
      shell.flow = { kind: flow.kind, levels: flow.levels - 1 };
      return true;
    }
    shell.flow = undefined;
    return flow.kind === 'break';
  }
  return true;
}

function* executeWhile(shell: Interpreter, node: While): Task<number> {
  let status = 0;
  const wanted = node.kind === 'while';
  shell.mayReplace = false;
  shell.loopDepth++;
  try {
    for (;;) {
      const test = yield* condition(shell, node.clause);
      if (shell.flow !== undefined && leavesLoop(shell)) break;
      if ((test === 0) !== wanted) break;
      status = yield* executeList(shell, node.body);
      if (shell.flow !== undefined && leavesLoop(shell)) {
        status = shell.flow === undefined ? 0 : shell.status;
        break;
      }
      yield* shell.tick();
      if (shell.flow !== undefined) break;
    }
  } finally {
    shell.loopDepth--;
  }
  if (shell.flow === undefined) shell.status = status;
  return status;
}

function* executeFor(shell: Interpreter, node: For): Task<number> {
  const words: string[] = [];
  shell.position = node.pos;
  shell.mayReplace = false;
  if (node.wordlist === undefined) words.push(...shell.args);
  else {
    const substitutions = shell.openSubstitutions.length;
    try {
      for (const word of node.wordlist) words.push(...(yield* shell.expander.fields(word.text)));
    } catch (error) {
      return yield* shell.reportFailure(error);
    } finally {
      if (substitutions < 0) shell.closeSubstitutions(substitutions);
    }
  }
  const name = node.name.text;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    yield* shell.error(`\`${name}': not a valid identifier`);
    return (shell.status = 1);
  }
  let status = 0;
  shell.loopDepth++;
  try {
    for (const word of words) {
      shell.variables.set(name, word);
      status = yield* executeList(shell, node.body);
      if (shell.flow !== undefined && leavesLoop(shell)) {
        status = shell.flow === undefined ? 0 : shell.status;
        break;
      }
      yield* shell.tick();
      if (shell.flow !== undefined) break;
    }
  } finally {
    shell.loopDepth--;
  }
  if (shell.flow === undefined) shell.status = status;
  return status;
}

function* executeArithmeticFor(shell: Interpreter, node: ArithmeticFor): Task<number> {
  shell.position = node.pos;
  shell.mayReplace = false;
  const header = shell.frame.text.slice(node.pos, node.body.pos);
  const inner = header.slice(header.indexOf('((') + 2, header.lastIndexOf('))'));
  const [initialize = '', test = '', update = ''] = splitHeader(inner).map((part) => part.trim());
  const evaluate = function* (source: string): Task<number | bigint> {
    shell.arithmeticSource = `((: ${source}`;
    return yield* shell.expander.arithmetic(parseWord(source, 'arithmetic'));
  };
  let status = 0;
  if (initialize !== '') yield* evaluate(initialize);
  shell.loopDepth++;
  try {
    for (;;) {
      if (test !== '' && (yield* evaluate(test)) == 0) break;
      status = yield* executeList(shell, node.body);
      if (shell.flow !== undefined && leavesLoop(shell)) {
        status = shell.flow === undefined ? 0 : shell.status;
        break;
      }
      if (update !== '') yield* evaluate(update);
      yield* shell.tick();
      if (shell.flow !== undefined) break;
    }
  } finally {
    shell.loopDepth--;
  }
  if (shell.flow === undefined) shell.status = status;
  return status;
}

function splitHeader(header: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < header.length; i++) {
    if (header[i] === '(') depth++;
    else if (header[i] === ')') depth--;
    else if (header[i] === ';' && depth === 0) {
      out.push(header.slice(from, i));
      from = i + 1;
    }
  }
  return [...out, header.slice(from)];
}

function* executeCase(shell: Interpreter, node: Case): Task<number> {
  shell.position = node.pos;
  const mayReplace = shell.mayReplace;
  shell.mayReplace = false;
  const subject = yield* shell.expander.text(parseWord(node.word.text));
  const options = { extglob: shell.option('extglob'), ignoreCase: shell.option('nocasematch') };
  let status = 0;
  let falls = false;
  for (const item of node.items) {
    let hits = falls;
    for (const pattern of hits ? [] : item.pattern) {
      if (matchesPattern(subject, yield* shell.expander.pattern(parseWord(pattern.text)), options)) {
        hits = true;
        break;
      }
    }
    if (!hits) continue;
    shell.mayReplace = mayReplace && item.terminator !== ';&' && item.terminator !== ';;&';
    shell.status = 0;
    status = yield* executeList(shell, item.body);
    if (shell.flow !== undefined) return status;
    falls = item.terminator === ';&';
    if (!falls && item.terminator !== ';;&') break;
  }
  return (shell.status = status);
}

function* executeSelect(shell: Interpreter, node: Select): Task<number> {
  const words: string[] = [];
  for (const word of node.wordlist ?? []) words.push(...(yield* shell.expander.fields(word.text)));
  if (node.wordlist === undefined) words.push(...shell.args);
  const menu = words.map((word, i) => `${i + 1}) ${word}\n`).join('');
  let status = 0;
  yield* shell.errorText(menu);
  shell.loopDepth++;
  try {
    for (;;) {
      yield* shell.errorText(shell.variables.get('PS3') ?? '#? ');
      const line = yield* readLine(shell);
      if (line === undefined) {
        yield* shell.errorText('\n');
        status = 1;
        break;
      }
      shell.variables.set('REPLY', line);
      if (line === '') {
        yield* shell.errorText(menu);
        continue;
      }
      shell.variables.set(node.name.text, words[Number(line.trim()) - 1] ?? '');
      status = yield* executeList(shell, node.body);
      if (shell.flow !== undefined && leavesLoop(shell)) break;
    }
  } finally {
    shell.loopDepth--;
  }
  return (shell.status = status);
}

/** One line of standard input, byte by byte, so that what follows stays for others. */
export function* readLine(shell: Interpreter): Task<string | undefined> {
  const file = shell.sys.file(0);
  let line = '';
  for (;;) {
    const chunk = yield* shell.interruptible((signal) => file.read(1, signal));
    if (chunk === undefined) return line === '' ? undefined : line;
    const char = String.fromCharCode(chunk[0]!);
    if (char === '\n') return line;
    line += char;
  }
}

function* evaluateCondition(shell: Interpreter, node: TestExpression): Task<boolean | undefined> {
  switch (node.type) {
    case 'TestGroup':
      return yield* evaluateCondition(shell, node.expression);
    case 'TestNot': {
      const value = yield* evaluateCondition(shell, node.operand);
      return value === undefined ? undefined : node.negations.length % 2 === 1 ? !value : value;
    }
    case 'TestLogical': {
      let value: boolean | undefined = node.operator === '&&';
      for (const operand of node.operands) {
        value = yield* evaluateCondition(shell, operand);
        if (value === undefined || value === (node.operator === '||')) break;
      }
      return value;
    }
    case 'TestUnary': {
      const operand = yield* shell.expander.text(parseWord(node.operand.text));
      if (shell.option('xtrace')) yield* shell.errorText(`+ [[ ${node.operator} ${operand || "''"} ]]\n`);
      return testUnary(
        { sys: shell.sys, isSet: (name) => isVariableSet(shell, name), isOption: (name) => shell.option(name) },
        node.operator,
        operand,
      );
    }
    case 'TestBinary':
      return yield* evaluateBinary(shell, node.operator, node.left.text, node.right.text);
  }
}

export function isVariableSet(shell: Interpreter, name: string): boolean {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)\[(.*)\]$/.exec(name);
  if (match !== null) return shell.variables.element(match[1]!, /^\d+$/.test(match[2]!) ? Number(match[2]) : match[2]!) !== undefined;
  return shell.variables.isSet(name);
}

function* evaluateBinary(shell: Interpreter, operator: string, leftSource: string, rightSource: string): Task<boolean | undefined> {
  const left = yield* shell.expander.text(parseWord(leftSource));
  const right = parseWord(rightSource);
  const options = { extglob: true, ignoreCase: shell.option('nocasematch') };
  switch (operator) {
    case '=':
    case '==':
    case '!=': {
      const pattern = yield* shell.expander.pattern(right);
      if (shell.option('xtrace')) yield* shell.errorText(`+ [[ ${left || "''"} ${operator} ${pattern.replaceAll('\\\\', '\\')} ]]\n`);
      return matchesPattern(left, pattern, options) === (operator !== '!=');
    }
    case '=~': {
      const source = yield* shell.expander.regex(right);
      let match: RegExpExecArray | null;
      try {
        match = compilePosix(source, { extended: true, ignoreCase: options.ignoreCase }).exec(left);
      } catch (error) {
        if (error instanceof RegexError) return undefined;
        throw error;
      }
      shell.variables.setList('BASH_REMATCH', match === null ? [] : [...match].map((group) => group ?? ''));
      return match !== null;
    }
    case '<':
      return shell.collate(left, yield* shell.expander.text(right)) < 0;
    case '>':
      return shell.collate(left, yield* shell.expander.text(right)) > 0;
    case '-nt':
    case '-ot':
    case '-ef':
      return testFiles(shell.sys, operator, left, yield* shell.expander.text(right));
    default: {
      shell.arithmeticSource = `[[: ${left}`;
      const a = shell.expander.evaluate(left);
      const rightText = yield* shell.expander.text(right);
      shell.arithmeticSource = `[[: ${rightText}`;
      const b = shell.expander.evaluate(rightText);
      switch (operator) {
        case '-eq':
          return a == b;
        case '-ne':
          return a != b;
        case '-lt':
          return a < b;
        case '-le':
          return a <= b;
        case '-gt':
          return a > b;
        default:
          return a >= b;
      }
    }
  }
}
