// Models cli-runtime's kustomize: builds a kustomization with the files of this machine.

import { build } from '../../../kustomize/build.ts';
import { KustomizeError } from '../../../kustomize/error.ts';
import type { FileSystem } from '../../../kustomize/loader.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Process } from '../../../kernel/process.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { toYaml } from '../printers/yaml.ts';

/** The YAML of a kustomization, its objects with `---` between. Throws CliError. */
export function kustomized(context: Context, path: string): string {
  try {
    const objects = build(path, { files: filesOf(context.process), log: (text) => context.warn(text) });
    return objects.map(toYaml).join('---\n');
  } catch (error) {
    if (error instanceof KustomizeError) throw new CliError(error.message);
    throw error;
  }
}

function filesOf({ sys, env }: Process): FileSystem {
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${sys.cwd()}/${path}`);
  return {
    resolve: (path) => {
      let done = '';
      try {
        for (const part of absolute(path).split('/')) {
          if (part === '' || part === '.') continue;
          done = part === '..' ? done.slice(0, done.lastIndexOf('/')) : `${done}/${part}`;
          sys.lstat(done === '' ? '/' : done);
        }
        const real = sys.realpath(done === '' ? '/' : done);
        return { path: real, isFolder: sys.stat(real).kind === 'directory' };
      } catch (error) {
        if (isSysError(error)) throw new KustomizeError(`lstat ${done}: ${error.strerror.toLowerCase()}`);
        throw error;
      }
    },
    read: (path) => {
      try {
        return sys.readFile(path);
      } catch (error) {
        if (isSysError(error)) throw new KustomizeError(`open ${path}: ${error.strerror.toLowerCase()}`);
        throw error;
      }
    },
    environment: (name) => env.get(name) ?? '',
  };
}
