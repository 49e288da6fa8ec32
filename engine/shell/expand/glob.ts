// Pathname expansion.

import { isSysError } from '../../sim/errno.ts';
import type { Syscalls } from '../../kernel/process.ts';
import type { Collate } from '../collate.ts';
import { compilePattern, hasMagic, unescapePattern } from './pattern.ts';

export interface GlobOptions {
  readonly extglob: boolean;
  readonly dotglob: boolean;
  readonly ignoreCase: boolean;
  readonly globstar: boolean;
  readonly collate: Collate;
}

/** Paths that match, sorted; empty when none does. A backslash in the pattern quotes. */
export function expandPath(sys: Syscalls, pattern: string, options: GlobOptions): string[] {
  const parts = splitPath(pattern);
  let heads: string[] = [''];
  let rest = parts;
  if (pattern.startsWith('/')) {
    heads = ['/'];
    rest = parts.slice(1);
  }
  for (let i = 0; i < rest.length; i++) {
    const part = rest[i]!;
    const isLast = i === rest.length - 1;
    const next: string[] = [];
    for (const head of heads) {
      if (part === '') {
        // Slashes in a row, or one at the end.
        if (!isLast || isDirectory(sys, head)) next.push(head.endsWith('/') || head === '' ? head : head + '/');
      } else if (options.globstar && part === '**') {
        next.push(...walk(sys, head, isLast, options));
      } else if (!hasMagic(part, options.extglob)) {
        const path = head + unescapePattern(part);
        if (isLast ? existsNoFollow(sys, path) : isDirectory(sys, path)) next.push(isLast ? path : path + '/');
      } else {
        const regex = compilePattern(part, { extglob: options.extglob, ignoreCase: options.ignoreCase });
        const takesDots = part.startsWith('.') || part.startsWith('\\.');
        for (const name of entries(sys, head, takesDots)) {
          if (name.startsWith('.') && !takesDots && !options.dotglob) continue;
          if (!regex.test(name)) continue;
          const path = head + name;
          if (isLast) next.push(path);
          else if (isDirectory(sys, path)) next.push(path + '/');
        }
      }
    }
    heads = next;
    if (heads.length === 0) return [];
  }
  return heads.sort(options.collate);
}

function splitPath(pattern: string): string[] {
  const out: string[] = [];
  let part = '';
  let inBracket = false;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') part += c + (pattern[++i] ?? '');
    else if (c === '/') {
      out.push(part);
      part = '';
      inBracket = false;
    } else {
      if (c === '[') inBracket = true;
      part += c;
    }
  }
  void inBracket;
  out.push(part);
  return out;
}

function entries(sys: Syscalls, head: string, withDots: boolean): string[] {
  try {
    const names = [...sys.readdir(head === '' ? '.' : head)];
    return withDots ? ['.', '..', ...names] : names;
  } catch (error) {
    if (isSysError(error)) return [];
    throw error;
  }
}

function walk(sys: Syscalls, head: string, isLast: boolean, options: GlobOptions): string[] {
  const out: string[] = isLast ? (head === '' ? [] : [head]) : [head];
  for (const name of entries(sys, head, false).sort(options.collate)) {
    if (name.startsWith('.') && !options.dotglob) continue;
    const path = head + name;
    let isDir = false;
    try {
      isDir = sys.lstat(path).kind === 'directory';
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
    if (isDir) {
      if (isLast) out.push(path, ...walk(sys, path + '/', true, options).slice(1));
      else out.push(...walk(sys, path + '/', false, options));
    } else if (isLast) out.push(path);
  }
  return out;
}

function isDirectory(sys: Syscalls, path: string): boolean {
  try {
    return sys.stat(path).kind === 'directory';
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}

function existsNoFollow(sys: Syscalls, path: string): boolean {
  try {
    sys.lstat(path);
    return true;
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}
