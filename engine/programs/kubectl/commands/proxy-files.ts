// Models Go's file server, as far as `kubectl proxy --www` shows it: files, index.html, and lists of directories.

import type { Process } from '../../../kernel/process.ts';
import type { HttpResponder } from '../../../net/http.ts';
import { isSysError } from '../../../sim/errno.ts';

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  xml: 'text/xml; charset=utf-8',
};

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

/** `path` is relative to the folder, with a slash at its end for a directory. */
export async function serveFile(sys: Process['sys'], folder: string, path: string, respond: HttpResponder): Promise<void> {
  const inside = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const full = [folder.replace(/\/+$/, ''), ...inside].join('/');
  try {
    if (sys.stat(full).kind !== 'directory') {
      await send(sys, full, respond);
      return;
    }
    if (path !== '' && !path.endsWith('/')) {
      await respond.send({ status: 301, headers: { location: `${inside[inside.length - 1] ?? ''}/` } });
      return;
    }
    if (sys.exists(`${full}/index.html`)) {
      await send(sys, `${full}/index.html`, respond);
      return;
    }
    const lines = [...sys.readdir(full)].sort().map((name) => {
      const shown = sys.stat(`${full}/${name}`).kind === 'directory' ? `${name}/` : name;
      return `<a href="${encodeURI(shown)}">${shown.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char)}</a>\n`;
    });
    await respond.send({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } }, `<pre>\n${lines.join('')}</pre>\n`);
  } catch (error) {
    if (!isSysError(error)) throw error;
    const [status, text] = error.errno === 'EACCES' ? ([403, '403 Forbidden'] as const) : ([404, '404 page not found'] as const);
    await respond.send(
      { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
      `${text}\n`,
    );
  }
}

async function send(sys: Process['sys'], file: string, respond: HttpResponder): Promise<void> {
  const extension = /\.([^./]+)$/.exec(file)?.[1] ?? '';
  const type = TYPES[extension] ?? 'text/plain; charset=utf-8';
  await respond.send({ status: 200, headers: { 'content-type': type } }, sys.readFile(file));
}
