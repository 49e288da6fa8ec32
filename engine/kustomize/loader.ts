// Models kustomize's loader: files in and below one directory, and the loaders of bases.
// Not modelled: bases that are git repositories; there is no git.

import { KustomizeError } from './error.ts';

/** What kustomize needs of a machine. Its methods throw KustomizeError with the text Go's functions give. */
export interface FileSystem {
  /** The absolute path without symbolic links; throws `lstat /a/b: no such file or directory`. */
  resolve(path: string): { readonly path: string; readonly isFolder: boolean };
  /** Throws `open /a/b: permission denied`. */
  read(path: string): Uint8Array;
  environment(name: string): string;
}

export class Loader {
  readonly root: string;
  readonly files: FileSystem;
  readonly #referrer: Loader | undefined;

  private constructor(root: string, files: FileSystem, referrer: Loader | undefined) {
    this.root = root;
    this.files = files;
    this.#referrer = referrer;
  }

  /** The loader of the directory that the user named. */
  static open(path: string, files: FileSystem): Loader {
    if (isRepository(path)) throw noGit();
    return new Loader(folderAt(path, files), files, undefined);
  }

  /** The loader of a base. */
  base(path: string): Loader {
    if (path === '') throw new KustomizeError('new root cannot be empty');
    if (isRepository(path)) throw noGit();
    if (path.startsWith('/')) throw new KustomizeError(`new root '${path}' cannot be absolute`);
    const root = folderAt(joined(this.root, path), this.files);
    this.#refuseCycle(root);
    return new Loader(root, this.files, this);
  }

  load(path: string): Uint8Array {
    if (path.startsWith('/')) throw this.#outOfBounds(path);
    const found = resolved(joined(this.root, path), this.files);
    if (found.isFolder) throw new KustomizeError(`'${path}' must be a file (got d='${found.path}')`);
    const folder = found.path.slice(0, found.path.lastIndexOf('/')) || '/';
    if (!isInside(folder, this.root)) throw this.#outOfBounds(path);
    return this.files.read(found.path);
  }

  #refuseCycle(candidate: string): void {
    if (isInside(this.root, candidate)) {
      throw new KustomizeError(`cycle detected: candidate root '${candidate}' contains visited root '${this.root}'`);
    }
    if (this.#referrer !== undefined) this.#referrer.#refuseCycle(candidate);
  }

  #outOfBounds(path: string): KustomizeError {
    return new KustomizeError(`security; file '${path}' is not in or below '${this.root}'`);
  }
}

function folderAt(path: string, files: FileSystem): string {
  if (path === '') throw new KustomizeError('loader root cannot be empty');
  let found: ReturnType<FileSystem['resolve']>;
  try {
    found = resolved(path, files);
  } catch (error) {
    if (!(error instanceof KustomizeError)) throw error;
    throw new KustomizeError(`absolute path error in '${path}' : ${error.message}`);
  }
  if (!found.isFolder) {
    const file = found.path.slice(found.path.lastIndexOf('/') + 1);
    throw new KustomizeError(`got file '${file}', but '${path}' must be a directory to be a root`);
  }
  return found.path;
}

function resolved(path: string, files: FileSystem): ReturnType<FileSystem['resolve']> {
  try {
    return files.resolve(path);
  } catch (error) {
    if (!(error instanceof KustomizeError)) throw error;
    throw new KustomizeError(`evalsymlink failure on '${path}' : ${error.message}`);
  }
}

/** filepath.Join. */
export function joined(root: string, path: string): string {
  const out: string[] = [];
  for (const part of `${root}/${path}`.split('/')) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
}

function isInside(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** True for what is read as the address of a git repository: a known host or scheme and then owner and name. */
function isRepository(path: string): boolean {
  if (path.startsWith('/')) return false;
  const host = /^(?:git::|gh:|ssh:\/\/|https:\/\/|http:\/\/|git@|github\.com:|github\.com\/)+/i.exec(path)?.[0];
  if (host === undefined || host.length === path.length) return false;
  const rest =
    /(?:ssh|https?):\/\/$/i.test(host) || host === 'git@' ? path.slice(host.length).replace(/^[^/:]*[/:]/, '') : path.slice(host.length);
  return rest.includes('.git') || rest.indexOf('/') > 0;
}

function noGit(): KustomizeError {
  return new KustomizeError(`no 'git' program on path: exec: "git": executable file not found in $PATH`);
}
