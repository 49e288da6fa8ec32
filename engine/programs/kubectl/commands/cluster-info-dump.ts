// Models `kubectl cluster-info dump`: nodes, and of some namespaces their objects and the logs of their pods, printed or put into files.

import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import { marshal, type JsonObject } from '../printers/json.ts';
import { printerFor } from '../printers/object-printer.ts';
import { at, printRequest } from './common.ts';

export const clusterInfoDump: Command = { name: 'dump', run };

/** File, and path in a namespace. */
const KINDS: readonly (readonly [file: string, group: string, resource: string])[] = [
  ['events', '/api/v1', 'events'],
  ['replication-controllers', '/api/v1', 'replicationcontrollers'],
  ['services', '/api/v1', 'services'],
  ['daemonsets', '/apis/apps/v1', 'daemonsets'],
  ['deployments', '/apis/apps/v1', 'deployments'],
  ['replicasets', '/apis/apps/v1', 'replicasets'],
  ['pods', '/api/v1', 'pods'],
];

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const output = flags.string('output');
  const printer = printerFor(printRequest(context), 'create');
  const own = context.namespace().name;
  await context.flushWarnings();
  const extension = output === 'json' || output === 'yaml' ? `.${output}` : '.txt';
  const folder = flags.string('output-directory');
  const isFolder = folder !== '' && folder !== '-';
  const write = (file: string, contents: string): Promise<void> =>
    isFolder ? save(context, folder, file, contents) : context.out(contents);
  const dump = async (file: string, list: JsonObject): Promise<void> => {
    if (output === 'name') throw new CliError(`list types are not supported by name printing: *v1.${text(list['kind'])}`);
    // Typed lists keep the order of their fields in JSON.
    const shown = output === 'json' ? `${marshal(list, '    ')}\n` : (printer?.print(list, '') ?? '');
    await write(`${file}${extension}`, shown);
  };

  await dump('nodes', await context.rest.json<JsonObject>('GET', '/api/v1/nodes'));
  for (const namespace of await namespacesOf(context, own)) {
    let pods: JsonObject = {};
    for (const [file, group, resource] of KINDS) {
      const list = await context.rest.json<JsonObject>('GET', `${group}/namespaces/${namespace}/${resource}`);
      await dump(`${namespace}/${file}`, list);
      pods = list;
    }
    for (const pod of objects(pods['items']))
      await write(`${namespace}/${text(at(pod, 'metadata', 'name'))}/logs.txt`, await logsOf(context, pod));
  }
  if (isFolder) await context.out(`Cluster info dumped to ${folder}\n`);
}

async function namespacesOf(context: Context, own: string): Promise<readonly string[]> {
  if (context.flags.bool('all-namespaces')) {
    const list = await context.rest.json<JsonObject>('GET', '/api/v1/namespaces');
    return objects(list['items']).map((namespace) => text(at(namespace, 'metadata', 'name')));
  }
  const given = context.flags.list('namespaces');
  return given.length > 0 ? given : ['kube-system', own];
}

async function logsOf(context: Context, pod: JsonObject): Promise<string> {
  const namespace = text(at(pod, 'metadata', 'namespace'));
  const name = text(at(pod, 'metadata', 'name'));
  const containers = [...objects(at(pod, 'spec', 'initContainers')), ...objects(at(pod, 'spec', 'containers'))];
  let out = '';
  for (const container of containers) {
    const label = `logs for container ${text(container['name'])} of pod ${namespace}/${name} ====\n`;
    const target = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${encodeURIComponent(text(container['name']))}`;
    out += `==== START ${label}`;
    try {
      out += await context.rest.text({ method: 'GET', target });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      out += `Request log error: ${error.message}\n`;
    }
    out += `==== END ${label}`;
  }
  return out;
}

function save(context: Context, folder: string, file: string, contents: string): Promise<void> {
  const { sys } = context.process;
  const path = `${folder.replace(/\/+$/, '')}/${file}`;
  sys.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o755 });
  sys.writeFile(path, contents);
  return Promise.resolve();
}
