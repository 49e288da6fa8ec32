// Models the describers' part on containers, probes, environment, mounts and volumes.

import { isObject, type JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';
import { objects, text, titleBool } from './values.ts';
import type { DescribeWriter } from './writer.ts';

/** Writes containers; `space` is put before them within templates. */
export function writeContainers(
  writer: DescribeWriter,
  label: string,
  containers: readonly JsonObject[],
  statuses: readonly JsonObject[] | undefined,
  space: string,
  pod?: JsonObject,
): void {
  writer.line(0, `${space}${label}:${containers.length === 0 ? ' <none>' : ''}`);
  for (const container of containers) {
    const status = statuses?.find((candidate) => candidate['name'] === container['name']);
    writeBasics(writer, container, status, space);
    writeWords(writer, 'Command', container['command']);
    writeWords(writer, 'Args', container['args']);
    if (status !== undefined) writeStatus(writer, status);
    writeResources(writer, 'Limits', at(container, 'resources', 'limits'));
    writeResources(writer, 'Requests', at(container, 'resources', 'requests'));
    for (const [title, field] of [
      ['Liveness', 'livenessProbe'],
      ['Readiness', 'readinessProbe'],
      ['Startup', 'startupProbe'],
    ] as const) {
      const probe = container[field];
      if (isObject(probe)) writer.line(2, `${title}:\t${probeText(probe)}`);
    }
    writeEnvironment(writer, container, pod);
    writeMounts(writer, container);
  }
}

function writeBasics(writer: DescribeWriter, container: JsonObject, status: JsonObject | undefined, space: string): void {
  writer.line(1, `${space === '' ? '' : ' '}${text(container['name'])}:`);
  if (status !== undefined) writer.line(2, `Container ID:\t${text(status['containerID'])}`);
  writer.line(2, `Image:\t${text(container['image'])}`);
  if (status !== undefined) writer.line(2, `Image ID:\t${text(status['imageID'])}`);
  const ports = objects(container['ports']);
  const list = (field: string): string => ports.map((port) => `${text(port[field] ?? 0)}/${text(port['protocol'] ?? 'TCP')}`).join(', ');
  for (const [title, field] of [
    ['Port', 'containerPort'],
    ['Host Port', 'hostPort'],
  ] as const) {
    writer.line(2, `${title}${ports.length > 1 ? 's' : ''}:\t${ports.length === 0 ? '<none>' : list(field)}`);
  }
}

function writeWords(writer: DescribeWriter, title: string, words: unknown): void {
  if (!Array.isArray(words) || words.length === 0) return;
  writer.line(2, `${title}:`);
  for (const word of words) for (const line of text(word).split('\n')) writer.line(3, line);
}

function writeStatus(writer: DescribeWriter, status: JsonObject): void {
  writeState(writer, 'State', status['state']);
  if (isObject(at(status, 'lastState', 'terminated'))) writeState(writer, 'Last State', status['lastState']);
  writer.line(2, `Ready:\t${titleBool(status['ready'])}`);
  writer.line(2, `Restart Count:\t${text(status['restartCount'] ?? 0)}`);
}

function writeState(writer: DescribeWriter, title: string, state: unknown): void {
  const running = at(state, 'running');
  const waiting = at(state, 'waiting');
  const terminated = at(state, 'terminated');
  if (isObject(running)) {
    writer.line(2, `${title}:\tRunning`);
    writer.line(3, `Started:\t${writer.time(running['startedAt'])}`);
  } else if (isObject(terminated)) {
    writer.line(2, `${title}:\tTerminated`);
    if (text(terminated['reason']) !== '') writer.line(3, `Reason:\t${text(terminated['reason'])}`);
    if (text(terminated['message']) !== '') writer.line(3, `Message:\t${text(terminated['message'])}`);
    writer.line(3, `Exit Code:\t${text(terminated['exitCode'] ?? 0)}`);
    if (Number(terminated['signal'] ?? 0) > 0) writer.line(3, `Signal:\t${text(terminated['signal'])}`);
    writer.line(3, `Started:\t${writer.time(terminated['startedAt'] ?? '0001-01-01T00:00:00Z')}`);
    writer.line(3, `Finished:\t${writer.time(terminated['finishedAt'] ?? '0001-01-01T00:00:00Z')}`);
  } else {
    writer.line(2, `${title}:\tWaiting`);
    if (text(at(waiting, 'reason')) !== '') writer.line(3, `Reason:\t${text(at(waiting, 'reason'))}`);
  }
}

export function writeResources(writer: DescribeWriter, title: string, resources: unknown): void {
  if (!isObject(resources) || Object.keys(resources).length === 0) return;
  writer.line(2, `${title}:`);
  for (const name of Object.keys(resources).sort()) writer.line(3, `${name}:\t${text(resources[name])}`);
}

/** `http-get http://:80/ delay=0s timeout=1s period=10s #success=1 #failure=3`. */
export function probeText(probe: JsonObject): string {
  const amount = (key: string, fallback: number): string => text(probe[key] ?? fallback);
  const attributes = `delay=${amount('initialDelaySeconds', 0)}s timeout=${amount('timeoutSeconds', 1)}s period=${amount('periodSeconds', 10)}s #success=${amount('successThreshold', 1)} #failure=${amount('failureThreshold', 3)}`;
  const command = at(probe, 'exec', 'command');
  if (isObject(probe['exec'])) return `exec [${Array.isArray(command) ? command.map(text).join(' ') : ''}] ${attributes}`;
  const http = probe['httpGet'];
  if (isObject(http)) {
    const path = text(http['path']);
    return `http-get ${text(http['scheme'] ?? 'HTTP').toLowerCase()}://${text(http['host'])}:${text(http['port'])}${path === '' || path.startsWith('/') ? path : `/${path}`} ${attributes}`;
  }
  const tcp = probe['tcpSocket'];
  if (isObject(tcp)) return `tcp-socket ${text(tcp['host'])}:${text(tcp['port'])} ${attributes}`;
  return `unknown ${attributes}`;
}

function writeEnvironment(writer: DescribeWriter, container: JsonObject, pod: JsonObject | undefined): void {
  const sources = objects(container['envFrom']);
  if (sources.length > 0) {
    writer.line(2, 'Environment Variables from:');
    for (const source of sources) {
      const reference = isObject(source['configMapRef'])
        ? source['configMapRef']
        : isObject(source['secretRef'])
          ? source['secretRef']
          : {};
      const kind = isObject(source['configMapRef']) ? 'ConfigMap' : 'Secret';
      const prefix = text(source['prefix']) === '' ? '' : ` with prefix '${text(source['prefix'])}'`;
      writer.line(3, `${text(reference['name'])}\t${kind}${prefix}\tOptional: ${text(reference['optional'] ?? false)}`);
    }
  }
  const variables = objects(container['env']);
  writer.line(2, `Environment:${variables.length === 0 ? '\t<none>' : ''}`);
  for (const variable of variables) {
    const name = text(variable['name']);
    const from = variable['valueFrom'];
    if (!isObject(from)) {
      text(variable['value'])
        .split('\n')
        .forEach((line, index) => writer.line(3, index === 0 ? `${name}:\t${line}` : `\t${line}`));
      continue;
    }
    const field = from['fieldRef'];
    const secret = from['secretKeyRef'];
    const map = from['configMapKeyRef'];
    const resource = from['resourceFieldRef'];
    if (isObject(field))
      writer.line(
        3,
        `${name}:\t${fieldValue(pod, text(field['fieldPath']))} (${text(field['apiVersion'] ?? 'v1')}:${text(field['fieldPath'])})`,
      );
    else if (isObject(resource))
      writer.line(3, `${name}:\t${resourceValue(container, text(resource['resource']))} (${text(resource['resource'])})`);
    else if (isObject(secret))
      writer.line(
        3,
        `${name}:\t<set to the key '${text(secret['key'])}' in secret '${text(secret['name'])}'>\tOptional: ${text(secret['optional'] ?? false)}`,
      );
    else if (isObject(map))
      writer.line(
        3,
        `${name}:\t<set to the key '${text(map['key'])}' of config map '${text(map['name'])}'>\tOptional: ${text(map['optional'] ?? false)}`,
      );
  }
}

function fieldValue(pod: JsonObject | undefined, path: string): string {
  if (pod === undefined || !path.startsWith('metadata.')) return '';
  const match = /^metadata\.(\w+)(?:\['(.*)'\])?$/.exec(path);
  const value = at(pod, 'metadata', match?.[1] ?? '');
  return match?.[2] === undefined ? text(value) : text(at(value, match[2]));
}

function resourceValue(container: JsonObject, resource: string): string {
  const [kind = '', ...rest] = resource.split('.');
  return text(at(container, 'resources', kind, rest.join('.')) ?? 0);
}

function writeMounts(writer: DescribeWriter, container: JsonObject): void {
  const mounts = [...objects(container['volumeMounts'])].sort((a, b) => (text(a['mountPath']) < text(b['mountPath']) ? -1 : 1));
  writer.line(2, `Mounts:${mounts.length === 0 ? '\t<none>' : ''}`);
  for (const mount of mounts) {
    const flags = [
      mount['readOnly'] === true ? 'ro' : 'rw',
      ...(text(mount['subPath']) === '' ? [] : [`path=${JSON.stringify(mount['subPath'])}`]),
    ];
    writer.line(3, `${text(mount['mountPath'])} from ${text(mount['name'])} (${flags.join(',')})`);
  }
}
