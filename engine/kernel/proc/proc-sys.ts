// /proc/sys: the sysctl tree as files, in the network namespace of whoever looks.

import { SysError } from '../../sim/errno.ts';
import type { ComputedNode } from '../../fs/computed-fs.ts';
import type { LinuxKernel } from '../linux-kernel.ts';

export function sysctlNode(kernel: LinuxKernel): ComputedNode {
  return level(kernel, []);
}

function level(kernel: LinuxKernel, path: readonly string[]): ComputedNode {
  const prefix = path.map((name) => `${name}.`).join('');
  const below = (): readonly string[] => kernel.sysctl.keys(namespaceOf(kernel)).filter((key) => key.startsWith(prefix));
  return {
    kind: 'directory',
    mode: 0o555,
    names: () => [...new Set(below().map((key) => nextName(key, prefix)))],
    lookup: (name) => {
      const key = prefix + name.replaceAll('.', '/');
      if (kernel.sysctl.peek(key, namespaceOf(kernel)) !== undefined) return leaf(kernel, key);
      return kernel.sysctl.hasKey((other) => other.startsWith(prefix) && nextName(other, prefix) === name, namespaceOf(kernel))
        ? level(kernel, [...path, name])
        : undefined;
    },
  };
}

function leaf(kernel: LinuxKernel, key: string): ComputedNode {
  return {
    kind: 'file',
    mode: 0o644,
    read: () => `${kernel.sysctl.get(key, namespaceOf(kernel))}\n`,
    write: (contents) => {
      if (kernel.viewer !== undefined && kernel.viewer.identity.uid !== 0) throw new SysError('EPERM', key);
      kernel.sysctl.set(key, contents, namespaceOf(kernel));
    },
  };
}

function namespaceOf(kernel: LinuxKernel): string {
  return kernel.viewer?.netNamespace ?? 'host';
}

/** Links' names with dots (eth0.100) are one level: their setting is the last part. */
function nextName(key: string, prefix: string): string {
  const rest = key.slice(prefix.length);
  if (prefix === 'net.ipv4.conf.') return rest.slice(0, rest.lastIndexOf('.'));
  const dot = rest.indexOf('.');
  return dot < 0 ? rest : rest.slice(0, dot);
}
