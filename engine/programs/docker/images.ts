// docker's commands on images.

import { humanDuration, humanSize } from '../../kube/runtime/docker/human.ts';
import type { PullProgress } from '../../kube/runtime/docker/image-service.ts';
import { DockerError } from '../../kube/runtime/docker/types.ts';
import { queryOf } from '../../kube/runtime/query.ts';
import { CliError, filtersOf, needArguments, parseFlags, table, type Console } from './console.ts';
import { createdAt, indented, printFormat } from './containers.ts';

export async function images(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('images', args, {
    switches: { a: 'all', all: 'all', q: 'quiet', quiet: 'quiet', 'no-trunc': 'no-trunc', digests: 'digests' },
    values: { f: 'filter', filter: 'filter', format: 'format' },
  });
  needArguments(flags, 'images', { most: 1, usage: '[OPTIONS] [REPOSITORY[:TAG]]', about: 'List images' });
  const filters = filtersOf(flags.all('filter')) ?? {};
  if (flags.args[0] !== undefined) filters['reference'] = [flags.args[0]];
  const found = await console.docker.images(filters);
  const nowMs = console.process.sys.now();
  const rows = found.flatMap((image) => {
    const digestOf = (repository: string): string =>
      image.RepoDigests?.find((digest) => digest.startsWith(`${repository}@`))?.split('@')[1] ?? '<none>';
    const names = image.RepoTags === null || image.RepoTags.length === 0 ? ['<none>:<none>'] : image.RepoTags;
    return names.map((name) => {
      const at = name.lastIndexOf(':');
      const repository = name.slice(0, at);
      return {
        Repository: repository,
        Tag: name.slice(at + 1),
        Digest: digestOf(repository),
        ID: flags.has('no-trunc') ? image.Id : image.Id.slice(7, 19),
        CreatedSince: `${humanDuration(nowMs - image.Created * 1000)} ago`,
        CreatedAt: createdAt(image.Created * 1000),
        Size: humanSize(image.Size),
      };
    });
  });
  if (flags.has('quiet')) {
    await console.out(rows.map((row) => `${row.ID}\n`).join(''));
    return 0;
  }
  const format = flags.get('format');
  if (format !== undefined) return printFormat(console, format, rows);
  const withDigests = flags.has('digests');
  const head = ['REPOSITORY', 'TAG', ...(withDigests ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE'];
  await console.out(
    table([
      head,
      ...rows.map((row) => [row.Repository, row.Tag, ...(withDigests ? [row.Digest] : []), row.ID, row.CreatedSince, row.Size]),
    ]),
  );
  return 0;
}

export async function pull(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('pull', args, {
    switches: { a: 'all-tags', 'all-tags': 'all-tags', q: 'quiet', quiet: 'quiet' },
    values: { platform: 'platform' },
  });
  needArguments(flags, 'pull', {
    exactly: 1,
    usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
    about: 'Pull an image or a repository from a registry',
  });
  const [name = ''] = flags.args;
  if (flags.has('quiet')) await console.docker.pull(name, () => undefined);
  else await pullImage(console, name, console.out, false);
  await console.out(`${fullName(name)}\n`);
  return 0;
}

function fullName(name: string): string {
  const tagged = /:[^/]+$/.test(name) || name.includes('@') ? name : `${name}:latest`;
  const [head = ''] = tagged.split('/');
  if (tagged.includes('/') && /[.:]/.test(head)) return tagged;
  return `docker.io/${tagged.includes('/') ? tagged : `library/${tagged}`}`;
}

/** Pulls and shows the progress: on a terminal a line per layer, rewritten in place. */
export async function pullImage(console: Console, name: string, write: (text: string) => Promise<void>, isImplied: boolean): Promise<void> {
  const isTagged = /:[^/]+$/.test(name) || name.includes('@');
  if (!isTagged && !isImplied) await write('Using default tag: latest\n');
  const isTerminal = console.process.stdout.tty !== undefined;
  const lines = new Map<string, number>();
  let count = 0;
  let writing = Promise.resolve();
  const say = (text: string): void => {
    writing = writing.then(() => write(text));
  };
  const shown = new Set(['Already exists', 'Pulling fs layer', 'Waiting', 'Verifying Checksum', 'Download complete', 'Pull complete']);
  await console.docker.pull(name, (line) => {
    const text = `${line.id === undefined || line.status?.startsWith('Pulling from') === true ? '' : `${line.id}: `}${statusText(line)}`;
    if (line.status?.startsWith('Pulling from') === true) say(`${line.id ?? ''}: ${line.status}\n`);
    else if (line.id === undefined) say(`${text}\n`);
    else if (!isTerminal) {
      if (shown.has(line.status ?? '')) say(`${text}\n`);
    } else if (!lines.has(line.id)) {
      lines.set(line.id, count++);
      say(`${text}\n`);
    } else {
      const up = count - lines.get(line.id)!;
      say(`\x1b[${up}A\r\x1b[2K${text}\r\x1b[${up}B`);
    }
  });
  await writing;
}

const BAR_WIDTH = 50;

function statusText(line: PullProgress): string {
  const { current, total } = line.progressDetail ?? {};
  if (line.status === undefined) return '';
  if ((line.status !== 'Downloading' && line.status !== 'Extracting') || current === undefined || total === undefined) return line.status;
  const done = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  return `${line.status} [${'='.repeat(Math.max(0, done))}>${' '.repeat(BAR_WIDTH - done)}] ${humanSize(current, 4).padStart(7)}/${humanSize(total, 4)}`;
}

export async function rmi(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('rmi', args, { switches: { f: 'force', force: 'force', 'no-prune': 'no-prune' }, values: {} });
  needArguments(flags, 'rmi', { least: 1, usage: '[OPTIONS] IMAGE [IMAGE...]', about: 'Remove one or more images' });
  let status = 0;
  for (const name of flags.args) {
    try {
      const done = await console.docker.call<readonly Readonly<Record<string, string>>[]>(
        'DELETE',
        `/images/${encodeURIComponent(name)}${queryOf({ force: flags.has('force') ? 1 : undefined })}`,
      );
      for (const entry of done) for (const [what, value] of Object.entries(entry)) await console.out(`${what}: ${value}\n`);
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      await console.err(error.status === 404 ? `Error: ${error.message}\n` : `Error response from daemon: ${error.message}\n`);
      status = 1;
    }
  }
  return status;
}

export async function tag(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('tag', args, { switches: {}, values: {} });
  needArguments(flags, 'tag', {
    exactly: 2,
    usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    about: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  });
  await console.docker.call('POST', `/images/${encodeURIComponent(flags.args[0]!)}/tag${queryOf({ repo: flags.args[1] })}`);
  return 0;
}

export async function history(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('history', args, {
    switches: { 'no-trunc': 'no-trunc', q: 'quiet', quiet: 'quiet', H: 'human', human: 'human' },
    values: { format: 'format' },
  });
  needArguments(flags, 'history', { exactly: 1, usage: '[OPTIONS] IMAGE', about: 'Show the history of an image' });
  const entries = await console.docker.call<
    readonly {
      readonly Id: string;
      readonly Created: number;
      readonly CreatedBy: string;
      readonly Size: number;
      readonly Comment: string;
    }[]
  >('GET', `/images/${encodeURIComponent(flags.args[0]!)}/history`);
  const nowMs = console.process.sys.now();
  const rows = entries.map((entry) => {
    const by = flags.has('no-trunc') || entry.CreatedBy.length <= 45 ? entry.CreatedBy : `${entry.CreatedBy.slice(0, 44)}…`;
    const id = entry.Id === '<missing>' || flags.has('no-trunc') ? entry.Id : entry.Id.slice(7, 19);
    return [id, `${humanDuration(nowMs - entry.Created * 1000)} ago`, by, humanSize(entry.Size), entry.Comment];
  });
  await console.out(
    flags.has('quiet') ? rows.map(([id]) => `${id!}\n`).join('') : table([['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], ...rows]),
  );
  return 0;
}

export async function search(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('search', args, {
    switches: { 'no-trunc': 'no-trunc' },
    values: { f: 'filter', filter: 'filter', limit: 'limit', format: 'format' },
  });
  needArguments(flags, 'search', { exactly: 1, usage: '[OPTIONS] TERM', about: 'Search the Docker Hub for images' });
  const found = await console.docker.call<
    readonly {
      readonly name: string;
      readonly description: string;
      readonly star_count: number;
      readonly is_official: boolean;
      readonly is_automated: boolean;
    }[]
  >('GET', `/images/search${queryOf({ term: flags.args[0] })}`);
  const rows = [...found]
    .sort((a, b) => b.star_count - a.star_count)
    .slice(0, Number(flags.get('limit') ?? '25'))
    .map((image) => [
      image.name,
      image.description,
      String(image.star_count),
      image.is_official ? '[OK]' : '',
      image.is_automated ? '[OK]' : '',
    ]);
  await console.out(table([['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL', 'AUTOMATED'], ...rows]));
  return 0;
}

export async function inspectImages(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('image inspect', args, { switches: {}, values: { f: 'format', format: 'format' } });
  const found: object[] = [];
  for (const name of flags.args) found.push(await console.docker.call<object>('GET', `/images/${encodeURIComponent(name)}/json`));
  const format = flags.get('format');
  if (format !== undefined) return printFormat(console, format, found);
  if (found.length === 0) throw new CliError('"docker image inspect" requires at least 1 argument.');
  await console.out(`${indented(found)}\n`);
  return 0;
}
