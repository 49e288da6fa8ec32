// The web sites of the emulated internet that the lab's scripts ask for: image registries and raw files of repositories.

import { registryHosts } from '../kube/runtime/catalogue/index.ts';
import { registrySite } from '../kube/runtime/registry-site.ts';
import type { HttpHandler } from '../net/http.ts';
import type { Internet } from '../net/hypervisor/internet.ts';
import type { Clock } from '../sim/clock.ts';
import { repositoryFile } from './repositories.ts';

export function registerSites(internet: Internet, clock: Clock): void {
  const registry = registrySite(clock);
  for (const host of registryHosts()) internet.registerSite(host, registry);
  internet.registerSite('raw.githubusercontent.com', rawFiles);
}

/** `/OWNER/REPOSITORY/BRANCH/PATH`. */
const rawFiles: HttpHandler = async (request, respond) => {
  const [, owner = '', repository = '', , ...path] = request.target.split('?')[0]!.split('/');
  const contents = repositoryFile(`${owner}/${repository}`, path.map(decodeURIComponent).join('/'));
  if (contents === undefined)
    await respond.send({ status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, '404: Not Found');
  else await respond.send({ status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, contents);
};
