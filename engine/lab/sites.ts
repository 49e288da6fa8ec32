// The web sites of the emulated internet that the lab's scripts ask for: image registries and raw files of repositories.

import { gzip } from 'pako';
import { executable } from '../fs/image-tree.ts';
import { registryHosts } from '../kube/runtime/catalogue/index.ts';
import { registrySite } from '../kube/runtime/registry-site.ts';
import type { HttpHandler } from '../net/http.ts';
import type { Internet } from '../net/hypervisor/internet.ts';
import { writeTar } from '../programs/kubectl/commands/tar.ts';
import { utf8 } from '../sim/bytes.ts';
import type { Clock } from '../sim/clock.ts';
import { repositoryFile } from './repositories.ts';

export function registerSites(internet: Internet, clock: Clock): void {
  const registry = registrySite(clock);
  for (const host of registryHosts()) internet.registerSite(host, registry);
  internet.registerSite('raw.githubusercontent.com', rawFiles);
  internet.registerSite('github.com', releases);
  internet.registerSite(RELEASE_FILES, releaseFiles);
  internet.registerSite('storage.googleapis.com', releaseFiles);
}

/** `/OWNER/REPOSITORY/BRANCH/PATH`. */
const rawFiles: HttpHandler = async (request, respond) => {
  const [, owner = '', repository = '', , ...path] = request.target.split('?')[0]!.split('/');
  const contents = repositoryFile(`${owner}/${repository}`, path.map(decodeURIComponent).join('/'));
  if (contents === undefined)
    await respond.send({ status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, '404: Not Found');
  else await respond.send({ status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, contents);
};

/** Where GitHub sends who asks for a file of a release. */
const RELEASE_FILES = 'github-releases.githubusercontent.com';

const releases: HttpHandler = async (request, respond) => {
  const [path = ''] = request.target.split('?');
  const match = /^\/etcd-io\/etcd\/releases\/download(\/v[0-9.]+\/[^/]+)$/.exec(path);
  if (match === null) await respond.send({ status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, 'Not Found');
  else {
    const location = `https://${RELEASE_FILES}/etcd${match[1]!}`;
    const body = `<html><body>You are being <a href="${location}">redirected</a>.</body></html>`;
    await respond.send({ status: 302, headers: { 'Content-Type': 'text/html; charset=utf-8', Location: location } }, body);
  }
};

/** etcd's and etcdctl's binaries, as its installation guide has one download them. */
const releaseFiles: HttpHandler = async (request, respond) => {
  const match = /^\/etcd\/v([0-9.]+)\/(etcd-v([0-9.]+)-linux-amd64)\.tar\.gz$/.exec(request.target.split('?')[0]!);
  if (match === null || match[1] !== match[3] || match[1] !== ETCD_VERSION) {
    await respond.send({ status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, 'Not Found');
    return;
  }
  const folder = match[2]!;
  const entries = [
    { name: `${folder}/`, mode: 0o755, isFolder: true, contents: new Uint8Array() },
    { name: `${folder}/README.md`, mode: 0o644, isFolder: false, contents: utf8('# etcd\n') },
    { name: `${folder}/etcdctl`, mode: 0o755, isFolder: false, contents: utf8(executable('etcdctl')) },
    { name: `${folder}/etcd`, mode: 0o755, isFolder: false, contents: utf8(executable('etcd')) },
  ];
  await respond.send({ status: 200, headers: { 'Content-Type': 'application/octet-stream' } }, gzip(writeTar(entries)));
};

/** The one version there is. */
const ETCD_VERSION = '3.4.13';
