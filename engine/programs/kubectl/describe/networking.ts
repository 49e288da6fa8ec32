// Models the describers of ingresses, ingress classes and endpoint slices.

import type { Context } from '../context.ts';
import { at } from '../commands/common.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { eventsOf, writeEvents } from './events.ts';
import { endpointsText, objects, text } from './values.ts';
import { DescribeWriter, startWithLabels, writeAnnotations, writeLabels } from './writer.ts';

/** Where traffic goes that no rule takes, when the ingress itself does not say. */
const SYSTEM_BACKEND: JsonObject = { service: { name: 'default-http-backend', port: { number: 80 } } };

/** Whatever version was asked for, networking.k8s.io/v1 is shown. */
export async function describeIngress(context: Context, given: JsonObject, showEvents: boolean): Promise<string> {
  const namespace = text(at(given, 'metadata', 'namespace'));
  const ingress = await context.rest.json<JsonObject>(
    'GET',
    `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${text(at(given, 'metadata', 'name'))}`,
  );
  const writer = new DescribeWriter(context.zone);
  writer.line(0, `Name:\t${text(at(ingress, 'metadata', 'name'))}`);
  writer.line(0, `Namespace:\t${namespace}`);
  const addresses = objects(at(ingress, 'status', 'loadBalancer', 'ingress')).map((entry) => text(entry['ip'] ?? entry['hostname']));
  writer.line(0, `Address:\t${[...new Set(addresses)].sort().join(',')}`);
  const own = at(ingress, 'spec', 'defaultBackend');
  const fallback = isObject(own) ? await backendText(context, namespace, own) : await backendText(context, 'kube-system', SYSTEM_BACKEND);
  writer.line(0, `Default backend:\t${fallback}`);
  const tls = objects(at(ingress, 'spec', 'tls'));
  if (tls.length > 0) writer.line(0, 'TLS:');
  for (const entry of tls) {
    const hosts = Array.isArray(entry['hosts']) ? (entry['hosts'] as unknown[]).map(text).join(',') : '';
    const secret = text(entry['secretName']);
    writer.line(1, secret === '' ? `SNI routes ${hosts}` : `${secret} terminates ${hosts}`);
  }
  writer.write(0, 'Rules:\n  Host\tPath\tBackends\n');
  writer.line(1, '----\t----\t--------');
  const rules = objects(at(ingress, 'spec', 'rules')).filter((rule) => isObject(rule['http']));
  for (const rule of rules) {
    writer.line(1, `${text(rule['host']) || '*'}\t`);
    for (const path of objects(at(rule, 'http', 'paths'))) {
      const backend = isObject(path['backend']) ? path['backend'] : {};
      writer.line(2, `\t${text(path['path'])} \t${await backendText(context, namespace, backend)}`);
    }
  }
  if (rules.length === 0) writer.line(1, `*\t*\t${fallback}`);
  writeAnnotations(writer, 0, 'Annotations', at(ingress, 'metadata', 'annotations'));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, ingress));
  return writer.toString();
}

async function backendText(context: Context, namespace: string, backend: JsonObject): Promise<string> {
  const resource = backend['resource'];
  if (isObject(resource))
    return `APIGroup: ${text(resource['apiGroup'])}, Kind: ${text(resource['kind'])}, Name: ${text(resource['name'])}`;
  const target = backend['service'];
  if (!isObject(target)) return '';
  const name = text(target['name']);
  const number = at(target, 'port', 'number');
  const portName = text(at(target, 'port', 'name'));
  const shown = `${name}:${number === undefined ? portName : text(number)}`;
  const ask = (kind: string): Promise<JsonObject> =>
    context.rest.json<JsonObject>('GET', `/api/v1/namespaces/${namespace}/${kind}/${name}`);
  let endpoints: JsonObject;
  try {
    endpoints = await ask('endpoints');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return `${shown} (<error: ${error.message}>)`;
  }
  let service: JsonObject;
  try {
    service = await ask('services');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return `${shown}(<error: ${error.message}>)`;
  }
  let found = '';
  for (const port of objects(at(service, 'spec', 'ports')))
    if (number === undefined ? portName !== '' && port['name'] === portName : port['port'] === number) found = text(port['name']);
  return `${shown} (${endpointsText(endpoints, found)})`;
}

export async function describeIngressClass(context: Context, ingressClass: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(ingressClass, { withNamespace: false });
  writer.line(0, `Controller:\t${text(at(ingressClass, 'spec', 'controller'))}`);
  const parameters = at(ingressClass, 'spec', 'parameters');
  if (isObject(parameters)) {
    writer.line(0, 'Parameters:');
    if (parameters['apiGroup'] !== undefined) writer.line(1, `APIGroup:\t${text(parameters['apiGroup'])}`);
    writer.line(1, `Kind:\t${text(parameters['kind'])}`);
    writer.line(1, `Name:\t${text(parameters['name'])}`);
  }
  if (showEvents) writeEvents(context, writer, await eventsOf(context, ingressClass));
  return writer.toString();
}

export async function describeEndpointSlice(context: Context, slice: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(slice);
  writer.line(0, `AddressType:\t${text(slice['addressType'])}`);
  const ports = objects(slice['ports']);
  writer.line(0, ports.length === 0 ? 'Ports: <unset>' : 'Ports:');
  if (ports.length > 0) writer.write(1, 'Name\tPort\tProtocol\n  ----\t----\t--------\n');
  for (const port of ports)
    writer.line(1, `${text(port['name']) || '<unset>'}\t${text(port['port'] ?? '<unset>')}\t${text(port['protocol'])}`);
  const endpoints = objects(slice['endpoints']);
  writer.line(0, endpoints.length === 0 ? 'Endpoints: <none>' : 'Endpoints:');
  for (const endpoint of endpoints) {
    const addresses = Array.isArray(endpoint['addresses']) ? (endpoint['addresses'] as unknown[]).map(text) : [];
    writer.line(1, `- Addresses:\t${addresses.join(',') || '<none>'}`);
    writer.line(2, 'Conditions:');
    writer.line(3, `Ready:\t${text(at(endpoint, 'conditions', 'ready') ?? '<unset>')}`);
    writer.line(2, `Hostname:\t${text(endpoint['hostname'] ?? '<unset>')}`);
    const target = endpoint['targetRef'];
    if (isObject(target)) writer.line(2, `TargetRef:\t${text(target['kind'])}/${text(target['name'])}`);
    writeLabels(writer, 2, 'Topology', endpoint['topology']);
  }
  if (showEvents) writeEvents(context, writer, await eventsOf(context, slice));
  return writer.toString();
}
