// What CNI plugins have in common: their environment, their input, and how they answer (spec 0.3.1).

import { text, utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { NetStack } from '../../net/net-stack.ts';
import { ProcessExit, type Process } from '../../kernel/process.ts';

export interface PluginInput {
  readonly cniVersion?: string;
  readonly name?: string;
  readonly type?: string;
  readonly mtu?: number;
  readonly ipam?: { readonly type?: string };
  readonly prevResult?: CniResult;
  readonly runtimeConfig?: { readonly portMappings?: readonly PortMapping[] };
}
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP?: string;
}
export interface CniResult {
  readonly cniVersion?: string;
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[];
  readonly ips?: readonly { readonly version: string; readonly address: string; readonly gateway?: string; readonly interface?: number }[];
  readonly dns?: object;
}

export class PluginError extends Error {
  override readonly name = 'PluginError';
}

export interface PluginCall {
  readonly process: Process;
  readonly input: PluginInput;
  readonly raw: string;
  readonly containerId: string;
  readonly ifname: string;
  /** CNI_ARGS taken apart. */
  readonly args: ReadonlyMap<string, string>;
  /** The container's network namespace; undefined when it is gone or not given. */
  readonly netns: NetStack | undefined;
}

/** Runs a plugin: reads stdin, calls what CNI_COMMAND names, prints the result or the error. Returns the exit status. */
export async function runPlugin(
  process: Process,
  commands: {
    readonly add: (call: PluginCall) => Promise<CniResult>;
    readonly del: (call: PluginCall) => Promise<void>;
    readonly check?: (call: PluginCall) => Promise<void>;
  },
): Promise<number> {
  const { env } = process;
  const print = (value: unknown): Promise<void> => process.stdout.write(utf8(`${JSON.stringify(value, undefined, 4)}\n`));
  const command = env.get('CNI_COMMAND');
  if (command === 'VERSION') {
    await print({ cniVersion: '0.4.0', supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0'] });
    return 0;
  }
  let version = '0.3.1';
  try {
    if (command === undefined) throw new PluginError('CNI_COMMAND env variable missing');
    const raw = await readAll(process);
    const input = parse(raw);
    version = input.cniVersion ?? version;
    const call: PluginCall = {
      process,
      input,
      raw,
      containerId: env.get('CNI_CONTAINERID') ?? '',
      ifname: env.get('CNI_IFNAME') ?? 'eth0',
      args: new Map((env.get('CNI_ARGS') ?? '').split(';').map((pair) => splitPair(pair))),
      netns: namespaceOf(process, env.get('CNI_NETNS') ?? ''),
    };
    if (command === 'ADD') await print({ cniVersion: version, ...(await commands.add(call)) });
    else if (command === 'DEL') await commands.del(call);
    else if (command === 'CHECK') await commands.check?.(call);
    else throw new PluginError(`unknown CNI_COMMAND: ${command}`);
    return 0;
  } catch (error) {
    if (error instanceof ProcessExit || !(error instanceof PluginError || isSysError(error))) throw error;
    await print({ cniVersion: version, code: 999, msg: error instanceof PluginError ? error.message : error.strerror });
    return 1;
  }
}

function parse(raw: string): PluginInput {
  try {
    return JSON.parse(raw) as PluginInput;
  } catch (error) {
    if (error instanceof SyntaxError) throw new PluginError(`failed to load netconf: ${error.message}`);
    throw error;
  }
}

function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

async function readAll(process: Process): Promise<string> {
  let collected = '';
  for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read()) collected += text(chunk);
  return collected;
}

/** `/proc/PID/ns/net`, or the name of a namespace below /var/run/netns. */
function namespaceOf(process: Process, path: string): NetStack | undefined {
  const { kernel } = process.sys;
  const pid = /^\/proc\/(\d+)\/ns\/net$/.exec(path)?.[1];
  const name = pid === undefined ? path.split('/').at(-1)! : kernel.process(Number(pid))?.netNamespace;
  return name !== undefined && kernel.netNamespaces.names().includes(name) ? kernel.netNamespaces.get(name) : undefined;
}

/** Runs another plugin (an IPAM one) with the same environment and input; throws what it answered. */
export async function delegate(call: PluginCall, type: string): Promise<CniResult> {
  const { process } = call;
  const { sys } = process;
  const directory = (process.env.get('CNI_PATH') ?? '/opt/cni/bin').split(':').find((candidate) => sys.exists(`${candidate}/${type}`));
  if (directory === undefined) throw new PluginError(`failed to find plugin "${type}" in path [${process.env.get('CNI_PATH') ?? ''}]`);
  const [inRead, inWrite] = sys.pipe();
  const [outRead, outWrite] = sys.pipe();
  const path = `${directory}/${type}`;
  const pid = sys.spawn(path, [path], {
    env: process.env,
    fds: new Map([
      [0, inRead],
      [1, outWrite],
      [2, 2],
    ]),
  });
  sys.close(inRead);
  sys.close(outWrite);
  await sys.file(inWrite).write(utf8(call.raw));
  sys.close(inWrite);
  let output = '';
  for (let chunk = await sys.file(outRead).read(); chunk !== undefined; chunk = await sys.file(outRead).read()) output += text(chunk);
  sys.close(outRead);
  const ended = await sys.wait(pid);
  const answer = output.trim() === '' ? {} : (JSON.parse(output) as CniResult & { readonly msg?: string });
  if (ended?.kind === 'exited' && ended.status === 0) return answer;
  throw new PluginError(('msg' in answer ? answer.msg : undefined) ?? `netplugin failed with no error message`);
}
