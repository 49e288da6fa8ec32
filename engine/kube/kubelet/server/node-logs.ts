// Models the kubelet's /logs/: /var/log as Go's file server shows it.

import type { Syscalls } from '../../../kernel/process.ts';
import type { HttpResponder } from '../../../net/http.ts';
import { isSysError } from '../../../sim/errno.ts';

const ROOT = '/var/log';

export async function serveNodeLogs(sys: Syscalls, path: string, respond: HttpResponder): Promise<void> {
  const rest = path.slice('/logs'.length);
  const parts: string[] = [];
  for (const part of rest.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const file = [ROOT, ...parts].join('/');
  let isFolder: boolean;
  try {
    isFolder = sys.stat(file).kind === 'directory';
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'ENOTDIR')) throw error;
    return respond.send({ status: 404, headers: PLAIN }, '404 page not found\n');
  }
  const redirect = (to: string): Promise<void> => respond.send({ status: 301, headers: { location: to } });
  if (isFolder && !path.endsWith('/')) return redirect(`${parts.at(-1) ?? 'logs'}/`);
  if (!isFolder && path.endsWith('/')) return redirect(`../${parts.at(-1)}`);
  if (!isFolder) return respond.send({ status: 200, headers: { ...PLAIN, 'accept-ranges': 'bytes' } }, sys.readFile(file));
  const links = [...sys.readdir(file)].sort().map((name) => {
    const shown = sys.lstat(`${file}/${name}`).kind === 'directory' ? `${name}/` : name;
    return `<a href="${encodeURI(shown)}">${escaped(shown)}</a>\n`;
  });
  await respond.send({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } }, `<pre>\n${links.join('')}</pre>\n`);
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' } as const;

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (letter) => names[letter]!);
}
