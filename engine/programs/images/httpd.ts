// Models Apache httpd as the httpd image runs it: static files below its document root.

import { utf8 } from '../../sim/bytes.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import { serveHttp } from '../../net/http-server.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { timeLocal } from './nginx/site.ts';

export const httpd: Program = { name: 'httpd', paths: [], main };

async function main(process: Process): Promise<number> {
  const { sys } = process;
  const version = process.env.get('HTTPD_VERSION') ?? '2.4.52';
  const config = sys.exists('/usr/local/apache2/conf/httpd.conf') ? sys.readTextFile('/usr/local/apache2/conf/httpd.conf') : '';
  const setting = (name: string, otherwise: string): string =>
    new RegExp(`^\\s*${name}\\s+"?([^"\\n]+)"?`, 'm').exec(config)?.[1] ?? otherwise;
  const root = setting('DocumentRoot', '/usr/local/apache2/htdocs');
  const port = Number(setting('Listen', '80'));
  const stop = new AbortController();
  let listener;
  try {
    listener = sys.net.listen({ address: '0.0.0.0', port, pid: process.pid });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await process.stderr.write(
      utf8(
        `(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:${port}\nno listening sockets available, shutting down\nAH00015: Unable to open logs\n`,
      ),
    );
    return 1;
  }
  if (!process.resumed) {
    await process.stderr.write(
      utf8(
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using 127.0.0.1. Set the 'ServerName' directive globally to suppress this message\n",
      ),
    );
    await process.stderr.write(
      utf8(`[mpm_event:notice] [pid ${process.pid}] AH00489: Apache/${version} (Unix) configured -- resuming normal operations\n`),
    );
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGWINCH'] as const) sys.onSignal(signal, () => stop.abort(new Error('caught a signal')));
  const page = (status: number, title: string): string =>
    `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n</body></html>\n`;
  await serveHttp(
    listener,
    async (request, respond) => {
      const path = request.target.split('?')[0] ?? '/';
      const file = `${root}${path.endsWith('/') ? `${path}index.html` : path}`;
      let status = 200;
      let body: Uint8Array;
      try {
        body = sys.readFile(file);
      } catch (error) {
        if (!isSysError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES')) throw error;
        status = error.errno === 'EACCES' ? 403 : 404;
        body = utf8(page(status, status === 404 ? 'Not Found' : 'Forbidden'));
      }
      await respond.send({ status, headers: { 'Content-Type': 'text/html', Server: `Apache/${version} (Unix)` } }, body);
      const client = request.remoteAddress.replace(/:\d+$/, '');
      await process.stdout.write(
        utf8(`${client} - - [${timeLocal(sys.now())}] "${request.method} ${request.target} HTTP/1.1" ${status} ${body.length}\n`),
      );
    },
    { clock: sys.clock, signal: stop.signal },
  );
  return 0;
}
