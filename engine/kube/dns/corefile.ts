// Models the Corefile: server blocks with plugins. Plugins of CoreDNS 1.7 that the cluster's own Corefile uses.

export interface ServerBlock {
  readonly zones: readonly string[];
  readonly port: number;
  readonly plugins: readonly Plugin[];
}

export interface Plugin {
  readonly name: string;
  readonly args: readonly string[];
  readonly options: readonly (readonly string[])[];
}

/** A Corefile that cannot be used; the message is CoreDNS's. */
export class CorefileError extends Error {
  override readonly name = 'CorefileError';
}

const KNOWN = [
  'errors',
  'health',
  'ready',
  'kubernetes',
  'prometheus',
  'forward',
  'cache',
  'loop',
  'reload',
  'loadbalance',
  'log',
  'hosts',
];

export function parseCorefile(source: string): readonly ServerBlock[] {
  const blocks: { zones: string[]; port: number; plugins: { name: string; args: string[]; options: string[][] }[] }[] = [];
  let block: (typeof blocks)[number] | undefined;
  let plugin: (typeof blocks)[number]['plugins'][number] | undefined;
  for (const [index, raw] of source.split('\n').entries()) {
    const words = raw
      .replace(/#.*$/, '')
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) continue;
    const opens = words.at(-1) === '{';
    if (opens) words.pop();
    if (words.length === 1 && words[0] === '}') {
      if (plugin !== undefined) plugin = undefined;
      else if (block !== undefined) block = undefined;
      else throw new CorefileError(`plugin/: Corefile:${index + 1} - Error during parsing: Unexpected '}'`);
      continue;
    }
    if (block === undefined) {
      if (!opens) throw new CorefileError(`Corefile:${index + 1} - Error during parsing: Unexpected EOF`);
      block = {
        zones: words.map((word) => word.replace(/:\d+$/, '')),
        port: Number(/:(\d+)$/.exec(words[0] ?? '')?.[1] ?? '53'),
        plugins: [],
      };
      blocks.push(block);
    } else if (plugin === undefined) {
      const [name = '', ...args] = words;
      if (!KNOWN.includes(name)) throw new CorefileError(`Corefile:${index + 1} - Error during parsing: Unknown directive '${name}'`);
      const added = { name, args, options: [] };
      block.plugins.push(added);
      if (opens) plugin = added;
    } else plugin.options.push(words);
  }
  if (block !== undefined) throw new CorefileError(`Corefile:${source.split('\n').length} - Error during parsing: Unexpected EOF`);
  return blocks;
}
