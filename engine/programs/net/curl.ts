// Models curl 7.29.0 (CentOS 7): HTTP and HTTPS transfers with the options people use, its messages and exit codes.
// Not modelled: other protocols, HTTP/2, proxies, parallel connections.

import type { Process, Program } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';
import { parseArguments, type CurlOptions } from './curl/arguments.ts';
import { CurlError, Transfer } from './curl/transfer.ts';
import { err, out } from './io.ts';

export const curl: Program = {
  name: 'curl',
  async main(process) {
    const parsed = parseArguments(process.argv);
    if ('error' in parsed) {
      await err(process, `${parsed.error}\n${parsed.hint ? "curl: try 'curl --help' or 'curl --manual' for more information\n" : ''}`);
      return 2;
    }
    const { options } = parsed;
    if (options.version) {
      await out(process, VERSION);
      return 0;
    }
    if (options.help) {
      await out(process, 'Usage: curl [options...] <url>\n');
      return 0;
    }
    if (options.urls.length === 0) {
      await err(process, "curl: no URL specified!\ncurl: try 'curl --help' or 'curl --manual' for more information\n");
      return 2;
    }
    let status = 0;
    for (const [at, url] of options.urls.entries()) status = await one(process, options, url, at);
    return status;
  },
};

async function one(process: Process, options: CurlOptions, url: string, at: number): Promise<number> {
  const transfer = new Transfer(process, options, url, at);
  let status = 0;
  let message = '';
  try {
    await transfer.run();
  } catch (error) {
    if (error instanceof CurlError) {
      status = error.status;
      message = error.message;
    } else if (isSysError(error, 'EPIPE')) {
      status = 23;
      message = `Failed writing body (0 != ${transfer.lastChunkBytes})`;
    } else throw error;
  }
  if (transfer.hasMeter) await transfer.endMeter();
  if (status !== 0 && (!options.silent || options.showError))
    await err(process, `curl: (${status}) ${message}\n${status === 60 ? HOW_TO_TRUST : ''}`);
  if (options.writeOut !== undefined) await out(process, transfer.expandWriteOut(options.writeOut));
  transfer.dispose();
  return status;
}

const VERSION = `curl 7.29.0 (x86_64-redhat-linux-gnu) libcurl/7.29.0 NSS/3.90 zlib/1.2.7 libidn/1.28 libssh2/1.8.0
Protocols: dict file ftp ftps gopher http https imap imaps ldap ldaps pop3 pop3s rtsp scp sftp smtp smtps telnet tftp 
Features: AsynchDNS GSS-Negotiate IDN IPv6 Largefile NTLM NTLM_WB SSL libz unix-sockets 
`;

const HOW_TO_TRUST = `More details here: http://curl.haxx.se/docs/sslcerts.html

curl performs SSL certificate verification by default, using a "bundle"
 of Certificate Authority (CA) public keys (CA certs). If the default
 bundle file isn't adequate, you can specify an alternate file
 using the --cacert option.
If this HTTPS server uses a certificate signed by a CA represented in
 the bundle, the certificate verification probably failed due to a
 problem with the certificate (it might be expired, or the name might
 not match the domain name in the URL).
If you'd like to turn off curl's verification of the certificate, use
 the -k (or --insecure) option.
`;
