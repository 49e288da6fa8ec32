// Models the container network interface, spec 0.3.1 and 0.4.0, as libcni calls plugins.

import { text, utf8 } from '../../sim/bytes.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';

export const CNI_CONFIG_DIRECTORY = '/etc/cni/net.d';
export const CNI_BIN_DIRECTORY = '/opt/cni/bin';

interface PluginConfig {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}

export interface NetworkConfig {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly PluginConfig[];
}

export interface CniRequest {
  readonly containerId: string;
  /** `/proc/PID/ns/net`; empty when the process is gone (DEL). */
  readonly netns: string;
  readonly ifname: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly portMappings: readonly {
    readonly hostPort: number;
    readonly containerPort: number;
    readonly protocol: string;
    readonly hostIP: string;
  }[];
}

export class CniError extends Error {
  override readonly name = 'CniError';
}

/** The first usable configuration by file name; undefined while there is none. */
export function loadNetworkConfig(sys: Syscalls, directory = CNI_CONFIG_DIRECTORY): NetworkConfig | undefined {
  if (!sys.exists(directory)) return undefined;
  const files = [...sys.readdir(directory)].filter((name) => /\.(conf|conflist|json)$/.test(name)).sort();
  for (const name of files) {
    const config = parseConfig(sys.readTextFile(`${directory}/${name}`));
    if (config !== undefined) return config;
  }
  return undefined;
}

function parseConfig(contents: string): NetworkConfig | undefined {
  try {
    const json = JSON.parse(contents) as { name?: string; cniVersion?: string; plugins?: PluginConfig[]; type?: string };
    const plugins = json.plugins ?? (json.type === undefined ? [] : [json as PluginConfig]);
    if (json.name === undefined || plugins.length === 0) return undefined;
    return { name: json.name, cniVersion: json.cniVersion ?? '0.2.0', plugins };
  } catch (error) {
    // The kubelet skips what it cannot read and looks at the next file.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** ADD through every plugin in order; returns the addresses of the result. */
export async function addNetwork(process: Process, config: NetworkConfig, request: CniRequest): Promise<readonly string[]> {
  let previous: unknown;
  for (const plugin of config.plugins) previous = JSON.parse(await run(process, 'ADD', config, plugin, request, previous));
  const result = (previous ?? {}) as { readonly ips?: readonly { readonly address: string }[]; readonly ip4?: { readonly ip: string } };
  const addresses = result.ips?.map((ip) => ip.address) ?? (result.ip4 === undefined ? [] : [result.ip4.ip]);
  return addresses.map((address) => address.split('/')[0]!);
}

/** DEL through every plugin, last first. */
export async function deleteNetwork(process: Process, config: NetworkConfig, request: CniRequest): Promise<void> {
  for (const plugin of [...config.plugins].reverse()) await run(process, 'DEL', config, plugin, request, undefined);
}

async function run(
  process: Process,
  command: 'ADD' | 'DEL',
  config: NetworkConfig,
  plugin: PluginConfig,
  request: CniRequest,
  previous: unknown,
): Promise<string> {
  const { sys } = process;
  const path = `${CNI_BIN_DIRECTORY}/${plugin.type}`;
  if (!sys.exists(path)) throw new CniError(`failed to find plugin "${plugin.type}" in path [${CNI_BIN_DIRECTORY}]`);
  const { capabilities, ...rest } = plugin;
  const input = {
    ...rest,
    name: config.name,
    cniVersion: config.cniVersion,
    ...(capabilities?.['portMappings'] === true ? { runtimeConfig: { portMappings: request.portMappings } } : {}),
    ...(previous === undefined ? {} : { prevResult: previous }),
  };
  const env = new Map([
    ...process.env,
    ['CNI_COMMAND', command],
    ['CNI_CONTAINERID', request.containerId],
    ['CNI_NETNS', request.netns],
    ['CNI_IFNAME', request.ifname],
    [
      'CNI_ARGS',
      `IgnoreUnknown=1;K8S_POD_NAMESPACE=${request.podNamespace};K8S_POD_NAME=${request.podName};K8S_POD_INFRA_CONTAINER_ID=${request.containerId}`,
    ],
    ['CNI_PATH', CNI_BIN_DIRECTORY],
  ] as [string, string][]);
  const { status, stdout, stderr } = await runProcess(process, path, [path], env, JSON.stringify(input));
  if (status === 0) return stdout.trim() === '' ? '{}' : stdout;
  const message = errorMessage(stdout);
  throw new CniError(message ?? `netplugin failed: ${JSON.stringify(stderr.trim() === '' ? stdout : stderr)}`);
}

function errorMessage(stdout: string): string | undefined {
  try {
    const error = JSON.parse(stdout) as { readonly msg?: string; readonly details?: string };
    return error.msg === undefined
      ? undefined
      : `${error.msg}${error.details === undefined || error.details === '' ? '' : `; ${error.details}`}`;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Runs a program to its end with text on its stdin. */
export async function runProcess(
  process: Process,
  path: string,
  argv: readonly string[],
  env: ReadonlyMap<string, string>,
  input: string,
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const { sys } = process;
  const [inRead, inWrite] = sys.pipe();
  const [outRead, outWrite] = sys.pipe();
  const [errRead, errWrite] = sys.pipe();
  let pid: number;
  try {
    pid = sys.spawn(path, argv, {
      env,
      fds: new Map([
        [0, inRead],
        [1, outWrite],
        [2, errWrite],
      ]),
    });
  } finally {
    for (const fd of [inRead, outWrite, errWrite]) sys.close(fd);
  }
  const drain = async (fd: number): Promise<string> => {
    let collected = '';
    for (;;) {
      const chunk = await sys.file(fd).read();
      if (chunk === undefined) return collected;
      collected += text(chunk);
    }
  };
  const outputs = Promise.all([drain(outRead), drain(errRead)]);
  await sys.file(inWrite).write(utf8(input)).catch(readerGone);
  sys.close(inWrite);
  const [stdout, stderr] = await outputs;
  const result = await sys.wait(pid);
  for (const fd of [outRead, errRead]) sys.close(fd);
  return { status: result?.kind === 'exited' ? result.status : 128, stdout, stderr };
}

/** A plugin that does not read its input has its own reasons; its status tells. */
function readerGone(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'SysError') throw error;
}
