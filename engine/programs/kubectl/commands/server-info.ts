// Models `kubectl version`, `api-versions`, `api-resources` and `cluster-info`.

import { ApiError } from '../../../kube/machinery/api-error.ts';
import { refuseArguments, type Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, UrlError } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import { apiVersionOf } from '../factory/rest-mapper.ts';
import type { Discovery } from '../factory/discovery.ts';
import { marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { plainTable } from '../printers/table.ts';
import { toYaml } from '../printers/yaml.ts';
import { clusterInfoDump } from './cluster-info-dump.ts';
import { at } from './common.ts';

export const version: Command = { name: 'version', run: runVersion };
export const apiVersions: Command = { name: 'api-versions', run: runApiVersions };
export const apiResources: Command = { name: 'api-resources', run: runApiResources };
export const clusterInfo: Command = { name: 'cluster-info', run: runClusterInfo, subcommands: [clusterInfoDump] };

const CLIENT = {
  major: '1',
  minor: '20',
  gitVersion: 'v1.20.2',
  gitCommit: 'faecb196815e248d3ecfb03c680a4507229c2a56',
  gitTreeState: 'clean',
  buildDate: '2021-01-13T13:28:09Z',
  goVersion: 'go1.15.5',
  compiler: 'gc',
  platform: 'linux/amd64',
};

async function runVersion(context: Context): Promise<void> {
  const { flags } = context;
  const output = flags.string('output');
  if (output !== '' && output !== 'yaml' && output !== 'json') throw new CliError("--output must be 'yaml' or 'json'");
  let server: JsonObject | undefined;
  let failure: unknown;
  if (!flags.bool('client')) {
    try {
      server = await context.rest.json('GET', '/version?timeout=32s');
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof UrlError) && !(error instanceof CliError)) throw error;
      failure = error;
    }
  }
  await context.flushWarnings();
  if (output === '') {
    await context.out(`Client Version: ${flags.bool('short') ? CLIENT.gitVersion : versionText(CLIENT)}\n`);
    if (server !== undefined)
      await context.out(`Server Version: ${flags.bool('short') ? text(server['gitVersion']) : versionText(server)}\n`);
  } else {
    const both = { clientVersion: CLIENT, ...(server === undefined ? {} : { serverVersion: server }) };
    await context.out(output === 'json' ? `${marshal(both, '  ')}\n` : `${toYaml(sortKeys(both))}\n`);
  }
  if (failure !== undefined) throw failure;
}

function versionText(info: Readonly<Record<string, unknown>>): string {
  const field = (name: string, key: string): string => `${name}:"${text(info[key])}"`;
  return `version.Info{${[field('Major', 'major'), field('Minor', 'minor'), field('GitVersion', 'gitVersion'), field('GitCommit', 'gitCommit'), field('GitTreeState', 'gitTreeState'), field('BuildDate', 'buildDate'), field('GoVersion', 'goVersion'), field('Compiler', 'compiler'), field('Platform', 'platform')].join(', ')}}`;
}

async function runApiVersions(context: Context): Promise<void> {
  refuseArguments(context);
  // Always asks the server, never the cache.
  context.discovery.invalidate();
  let groups: Awaited<ReturnType<Discovery['groups']>>;
  try {
    groups = await context.discovery.groups();
  } catch (error) {
    if (!(error instanceof UrlError) && !(error instanceof ApiError)) throw error;
    throw new CliError(`couldn't get available api versions from server: ${error.message}`);
  }
  const versions = groups.flatMap((group) => group.versions.map((name) => (group.name === '' ? name : `${group.name}/${name}`)));
  await context.out(
    versions
      .sort()
      .map((name) => `${name}\n`)
      .join(''),
  );
}

async function runApiResources(context: Context): Promise<void> {
  refuseArguments(context);
  const { flags } = context;
  const output = flags.string('output');
  if (output !== '' && output !== 'wide' && output !== 'name') throw new CliError(`--output ${output} is not available`);
  const sortBy = flags.string('sort-by');
  if (sortBy !== '' && sortBy !== 'name' && sortBy !== 'kind') throw new CliError('--sort-by accepts only name or kind');
  if (!flags.bool('cached')) context.discovery.invalidate();
  const header = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(output === 'wide' ? ['VERBS'] : [])];
  const hasHeader = !flags.bool('no-headers') && output !== 'name';
  let all: Awaited<ReturnType<Context['mapper']['all']>>;
  try {
    all = await context.mapper.all();
  } catch (error) {
    if (!(error instanceof UrlError) && !(error instanceof ApiError)) throw error;
    if (hasHeader) await context.out(plainTable([header]));
    throw error;
  }
  const seen = new Set<string>();
  const wantedVerbs = flags.list('verbs');
  const shown = all
    .filter((resource) => {
      const key = `${resource.resource}.${resource.group}`;
      if (resource.verbs.length === 0 || seen.has(key)) return false;
      seen.add(key);
      if (flags.isChanged('api-group') && resource.group !== flags.string('api-group')) return false;
      if (flags.isChanged('namespaced') && resource.isNamespaced !== flags.bool('namespaced')) return false;
      return wantedVerbs.every((verb) => resource.verbs.includes(verb));
    })
    .sort(
      (a, b) =>
        compare(
          sortBy === 'kind' ? a.kind : sortBy === 'name' ? a.resource : a.group,
          sortBy === 'kind' ? b.kind : sortBy === 'name' ? b.resource : b.group,
        ) || compare(a.resource, b.resource),
    );
  if (output === 'name') {
    await context.out(shown.map((resource) => `${resource.resource}${resource.group === '' ? '' : `.${resource.group}`}\n`).join(''));
  } else {
    const rows = shown.map((resource) => [
      resource.resource,
      resource.shortNames.join(','),
      apiVersionOf(resource),
      String(resource.isNamespaced),
      resource.kind,
      ...(output === 'wide' ? [`[${resource.verbs.join(' ')}]`] : []),
    ]);
    const table = hasHeader ? [header, ...rows] : rows;
    if (table.length > 0) await context.out(plainTable(table));
  }
  const { failures } = await context.discovery.resources();
  if (failures.length > 0)
    throw new CliError(
      `unable to retrieve the complete list of server APIs: ${failures.map(({ groupVersion, error }) => `${groupVersion}: ${error.message}`).join(', ')}`,
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function runClusterInfo(context: Context): Promise<void> {
  const server = context.config.restConfig().server;
  await context.flushWarnings();
  const isColour = context.process.stdout.tty !== undefined;
  const paint = (code: string, shown: string): string => (isColour ? `\u001b[${code}m${shown}\u001b[0m` : shown);
  const line = (name: string, url: string): string => `${paint('0;32', name)} is running at ${paint('0;33', url)}\n`;
  let failure: unknown;
  try {
    const list = await context.rest.json<JsonObject>(
      'GET',
      '/api/v1/namespaces/kube-system/services?labelSelector=kubernetes.io%2Fcluster-service%3Dtrue',
    );
    await context.out(line('Kubernetes control plane', server));
    for (const service of objects(list['items'])) {
      const name = text(at(service, 'metadata', 'labels', 'kubernetes.io/name')) || text(at(service, 'metadata', 'name'));
      await context.out(line(name, serviceUrl(server, service)));
    }
  } catch (error) {
    if (!(error instanceof UrlError) && !(error instanceof ApiError)) throw error;
    failure = error;
  }
  await context.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
  if (failure !== undefined) {
    throw failure;
  }
}

function serviceUrl(server: string, service: JsonObject): string {
  const namespace = text(at(service, 'metadata', 'namespace'));
  const name = text(at(service, 'metadata', 'name'));
  const ingress = objects(at(service, 'status', 'loadBalancer', 'ingress'));
  const [port] = objects(at(service, 'spec', 'ports'));
  if (ingress[0] !== undefined)
    return objects(at(service, 'spec', 'ports'))
      .map((each) => `http://${text(ingress[0]?.['ip'] ?? ingress[0]?.['hostname'])}:${text(each['port'])} `)
      .join('');
  const portName = text(port?.['name']);
  const scheme = portName === 'https' || Number(port?.['port']) === 443 ? 'https:' : '';
  return `${server}/api/v1/namespaces/${namespace}/services/${scheme}${name}:${portName}/proxy`;
}
