// The screen comes from nobox://app/, a scheme of its own: an origin with a policy, unlike file://.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { net, protocol } from 'electron';
import { pathToFileURL } from 'node:url';

export const SCREEN_URL = 'nobox://app/index.html';

const FOLDER = path.join(import.meta.dirname, '../renderer');
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** Before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: 'nobox', privileges: { standard: true, secure: true, supportFetchAPI: true } }]);
}

export function serveScreen(): void {
  protocol.handle('nobox', async (request) => {
    const { host, pathname } = new URL(request.url);
    const file = path.join(FOLDER, decodeURIComponent(pathname));
    if (host !== 'app' || !file.startsWith(FOLDER + path.sep)) return new Response('not found', { status: 404 });
    if (!file.endsWith('.html')) return net.fetch(pathToFileURL(file).href);
    return new Response(await readFile(file), {
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY },
    });
  });
}
