// Reads a corpus of command lines: `# file NAME:` and `#| ` lines are a file in the working directory, `$ ` begins a command line,
// everything else is a remark.

export type CorpusStep =
  { readonly kind: 'file'; readonly name: string; readonly text: string } | { readonly kind: 'run'; readonly command: string };

export function parseCorpus(text: string): readonly CorpusStep[] {
  const steps: CorpusStep[] = [];
  let file: { readonly name: string; text: string } | undefined;
  const endFile = (): void => {
    if (file !== undefined) steps.push({ kind: 'file', name: file.name, text: file.text });
    file = undefined;
  };
  for (const line of text.split('\n')) {
    if (file !== undefined && line.startsWith('#|')) {
      file.text += `${line.slice(2).replace(/^ /, '')}\n`;
      continue;
    }
    endFile();
    const name = /^# file (\S+):$/.exec(line)?.[1];
    if (name !== undefined) file = { name, text: '' };
    else if (line.startsWith('$ ')) steps.push({ kind: 'run', command: line.slice(2) });
  }
  endFile();
  return steps;
}
