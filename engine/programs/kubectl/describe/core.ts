// Models the describers of services, endpoints, config maps, secrets, namespaces and service accounts.

import type { Context } from '../context.ts';
import { isNotFound } from '../../../kube/machinery/api-error.ts';
import { fromBase64, text as utf8Text } from '../../../sim/bytes.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';
import { eventsOf, writeEvents } from './events.ts';
import { writeLimitRanges, writeQuotas } from './policy.ts';
import { endpointsText, objects, selectorText, text } from './values.ts';
import { startWithLabels } from './writer.ts';

export async function describeService(context: Context, service: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(service);
  const spec = (key: string): unknown => at(service, 'spec', key);
  const line = (title: string, value: string): void => writer.line(0, `${title}:\t${value}`);
  const list = (value: unknown): string => (Array.isArray(value) && value.length > 0 ? value.map(text).join(',') : '<none>');
  line('Selector', selectorText({ matchLabels: spec('selector') }));
  line('Type', text(spec('type')));
  if (spec('ipFamilyPolicy') !== undefined) line('IP Family Policy', text(spec('ipFamilyPolicy')));
  line('IP Families', list(spec('ipFamilies')));
  line('IP', text(spec('clusterIP')));
  line('IPs', list(spec('clusterIPs')));
  const external = spec('externalIPs');
  if (Array.isArray(external) && external.length > 0) line('External IPs', external.map(text).join(','));
  if (text(spec('loadBalancerIP')) !== '') line('IP', text(spec('loadBalancerIP')));
  if (text(spec('externalName')) !== '') line('External Name', text(spec('externalName')));
  const ingress = objects(at(service, 'status', 'loadBalancer', 'ingress'));
  if (ingress.length > 0) line('LoadBalancer Ingress', ingress.map((entry) => text(entry['ip'] ?? entry['hostname'])).join(', '));
  const endpoints = await endpointsOf(context, service);
  for (const port of objects(spec('ports'))) {
    const name = text(port['name']) || '<unset>';
    const protocol = text(port['protocol'] ?? 'TCP');
    writer.line(0, `Port:\t${name}\t${text(port['port'])}/${protocol}`);
    line('TargetPort', `${text(port['targetPort'])}/${protocol}`);
    if (Number(port['nodePort'] ?? 0) !== 0) writer.line(0, `NodePort:\t${name}\t${text(port['nodePort'])}/${protocol}`);
    line('Endpoints', endpointsText(endpoints, text(port['name'])));
  }
  line('Session Affinity', text(spec('sessionAffinity')));
  if (text(spec('externalTrafficPolicy')) !== '') line('External Traffic Policy', text(spec('externalTrafficPolicy')));
  if (Number(spec('healthCheckNodePort') ?? 0) !== 0) line('HealthCheck NodePort', text(spec('healthCheckNodePort')));
  const ranges = spec('loadBalancerSourceRanges');
  if (Array.isArray(ranges) && ranges.length > 0) line('LoadBalancer Source Ranges', ranges.map(text).join(','));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, service));
  return writer.toString();
}

async function endpointsOf(context: Context, service: JsonObject): Promise<JsonObject | undefined> {
  try {
    return await context.rest.json<JsonObject>(
      'GET',
      `/api/v1/namespaces/${text(at(service, 'metadata', 'namespace'))}/endpoints/${text(at(service, 'metadata', 'name'))}`,
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export async function describeEndpoints(context: Context, endpoints: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(endpoints);
  writer.line(0, 'Subsets:');
  for (const subset of objects(endpoints['subsets'])) {
    const addresses = (key: string): string => {
      const list = objects(subset[key]).map((address) => text(address['ip']));
      return list.length === 0 ? '<none>' : list.join(',');
    };
    writer.line(1, `Addresses:\t${addresses('addresses')}`);
    writer.line(1, `NotReadyAddresses:\t${addresses('notReadyAddresses')}`);
    const ports = objects(subset['ports']);
    if (ports.length > 0) {
      writer.line(1, 'Ports:');
      writer.line(2, 'Name\tPort\tProtocol');
      writer.line(2, '----\t----\t--------');
      for (const port of ports)
        writer.line(2, `${text(port['name']) || '<unset>'}\t${text(port['port'])}\t${text(port['protocol'] ?? 'TCP')}`);
    }
    writer.line(0, '');
  }
  if (showEvents) writeEvents(context, writer, await eventsOf(context, endpoints));
  return writer.toString();
}

export async function describeConfigMap(context: Context, map: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(map);
  writer.write(0, '\nData\n====\n');
  const data = isObject(map['data']) ? map['data'] : {};
  for (const key of Object.keys(data).sort()) writer.write(0, `${key}:\n----\n${text(data[key])}\n`);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, map));
  return writer.toString();
}

export function describeSecret(_: Context, secret: JsonObject): Promise<string> {
  const writer = startWithLabels(secret);
  writer.write(0, `\nType:\t${text(secret['type'])}\n\nData\n====\n`);
  const data = isObject(secret['data']) ? secret['data'] : {};
  for (const key of Object.keys(data).sort()) {
    const bytes = fromBase64(text(data[key]));
    const isToken = key === 'token' && secret['type'] === 'kubernetes.io/service-account-token';
    writer.line(0, `${key}:\t${isToken ? utf8Text(bytes) : `${bytes.length} bytes`}`);
  }
  return Promise.resolve(writer.toString());
}

export async function describeNamespace(context: Context, namespace: JsonObject): Promise<string> {
  const writer = startWithLabels(namespace, { withNamespace: false });
  const name = text(at(namespace, 'metadata', 'name'));
  writer.line(0, `Status:\t${text(at(namespace, 'status', 'phase'))}`);
  const conditions = objects(at(namespace, 'status', 'conditions'));
  if (conditions.length > 0) {
    writer.write(0, 'Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n');
    writer.line(1, '----\t------\t------------------\t------\t-------');
    for (const condition of conditions)
      writer.line(
        1,
        `${text(condition['type'])}\t${text(condition['status'])}\t${text(condition['lastTransitionTime'])}\t${text(condition['reason'])}\t${text(condition['message'])}`,
      );
  }
  const quotas = objects((await context.rest.json<JsonObject>('GET', `/api/v1/namespaces/${name}/resourcequotas`))['items']);
  const ranges = objects((await context.rest.json<JsonObject>('GET', `/api/v1/namespaces/${name}/limitranges`))['items']);
  writer.write(0, '\n');
  writeQuotas(writer, quotas);
  writer.write(0, '\n');
  writeLimitRanges(writer, ranges);
  return writer.toString();
}

export async function describeServiceAccount(context: Context, account: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(account);
  const namespace = text(at(account, 'metadata', 'namespace'));
  const secrets = objects((await context.rest.json<JsonObject>('GET', `/api/v1/namespaces/${namespace}/secrets`))['items']);
  const uid = at(account, 'metadata', 'uid');
  const tokens = secrets.filter(
    (secret) =>
      secret['type'] === 'kubernetes.io/service-account-token' &&
      at(secret, 'metadata', 'annotations', 'kubernetes.io/service-account.uid') === uid,
  );
  const names = (list: readonly JsonObject[], key: readonly string[]): readonly string[] => list.map((entry) => text(at(entry, ...key)));
  const existing = new Set(names(secrets, ['metadata', 'name']));
  const emit = (title: string, entries: readonly string[]): void => {
    if (entries.length === 0) writer.line(0, `${title}:\t<none>`);
    entries.forEach((entry, index) =>
      writer.line(0, `${index === 0 ? `${title}:` : ''}\t${entry}${existing.has(entry) ? '' : ' (not found)'}`),
    );
  };
  emit('Image pull secrets', names(objects(account['imagePullSecrets']), ['name']));
  emit('Mountable secrets', names(objects(account['secrets']), ['name']));
  emit('Tokens', names(tokens, ['metadata', 'name']));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, account));
  return writer.toString();
}
