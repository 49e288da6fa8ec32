// `nobox template FILE`: provisions a lab and writes what new labs start from. The build runs it.

import { writeTemplate } from '../template.ts';
import { CliError, parseOptions } from './options.ts';

export async function template(args: readonly string[]): Promise<number> {
  const { words, flags } = parseOptions(args, { verbose: 'flag' });
  const [file] = words;
  if (file === undefined || words.length > 1) throw new CliError('usage: nobox template FILE [--verbose]');
  const startedMs = performance.now();
  const bytes = await writeTemplate(file, (machine, line) => {
    if (flags.has('verbose')) process.stderr.write(`    ${machine}: ${line}\n`);
  });
  process.stderr.write(
    `provisioned ${file}: ${(bytes / 1024).toFixed(0)} KiB in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`,
  );
  return 0;
}
