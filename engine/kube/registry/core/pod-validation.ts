// Validation of pods and pod templates, with upstream's messages and order as far as they are met in practice.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  ipAddress,
  labelValue,
  portName,
  portNumber,
  qualifiedName,
} from '../../machinery/names.ts';
import { Quantity, QuantityError } from '../../machinery/quantity.ts';
import type { Json } from '../definition.ts';
import { records } from '../object-access.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** ValidatePodSpec at `path` (`spec`, `spec.template.spec`). */
export function validatePodSpec(spec: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set<string>();
  for (const [index, volume] of records(spec['volumes']).entries())
    errors.push(...validateVolume(volume, `${path}.volumes[${index}]`, volumes));
  const containers = records(spec['containers']);
  const names = new Set<string>();
  if (containers.length === 0) errors.push(FieldError.required(`${path}.containers`, ''));
  for (const [index, container] of containers.entries()) {
    errors.push(...validateContainer(container, `${path}.containers[${index}]`, { names, volumes }));
  }
  errors.push(...hostPortConflicts(containers, `${path}.containers`));
  for (const [index, container] of records(spec['initContainers']).entries()) {
    const at = `${path}.initContainers[${index}]`;
    errors.push(...validateContainer(container, at, { names, volumes }));
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field] !== undefined)
        errors.push(FieldError.invalid(`${at}.${field}`, container[field], 'must not be set for init containers'));
    }
  }
  oneOf(errors, `${path}.restartPolicy`, spec['restartPolicy'], RESTART_POLICIES);
  oneOf(errors, `${path}.dnsPolicy`, spec['dnsPolicy'], DNS_POLICIES);
  const selector = spec['nodeSelector'];
  if (isRecord(selector)) {
    for (const [key, value] of Object.entries(selector)) {
      for (const problem of qualifiedName(key)) errors.push(FieldError.invalid(`${path}.nodeSelector`, key, problem));
      for (const problem of labelValue(String(value))) errors.push(FieldError.invalid(`${path}.nodeSelector`, value, problem));
    }
  }
  const account = spec['serviceAccountName'];
  if (typeof account === 'string' && account !== '') {
    for (const problem of dns1123Subdomain(account)) errors.push(FieldError.invalid(`${path}.serviceAccountName`, account, problem));
  }
  const node = spec['nodeName'];
  if (typeof node === 'string' && node !== '')
    for (const problem of dns1123Subdomain(node)) errors.push(FieldError.invalid(`${path}.nodeName`, node, problem));
  const deadline = spec['activeDeadlineSeconds'];
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2 ** 31 - 1)) {
    errors.push(FieldError.invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  }
  const hostname = spec['hostname'];
  if (typeof hostname === 'string' && hostname !== '')
    for (const problem of dns1123Label(hostname)) errors.push(FieldError.invalid(`${path}.hostname`, hostname, problem));
  for (const [index, toleration] of records(spec['tolerations']).entries())
    errors.push(...validateToleration(toleration, `${path}.tolerations[${index}]`));
  for (const [index, alias] of records(spec['hostAliases']).entries()) {
    for (const problem of ipAddress(String(alias['ip'] ?? '')))
      errors.push(FieldError.invalid(`${path}.hostAliases[${index}].ip`, alias['ip'], problem));
  }
  const grace = spec['terminationGracePeriodSeconds'];
  if (typeof grace === 'number' && grace < 0)
    errors.push(FieldError.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'));
  return errors;
}

function oneOf(errors: FieldError[], path: string, value: unknown, supported: readonly string[]): void {
  if (value === undefined || value === '') errors.push(FieldError.required(path, ''));
  else if (!supported.includes(String(value))) errors.push(FieldError.notSupported(path, value, supported));
}

function validateVolume(volume: Json, path: string, known: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const name = String(volume['name'] ?? '');
  const sources = Object.keys(volume).filter((key) => key !== 'name' && volume[key] !== undefined && volume[key] !== null);
  // Upstream looks at the sources in the order of the API; the first one counts.
  const ordered = ['emptyDir', 'hostPath', ...sources.filter((source) => source !== 'emptyDir' && source !== 'hostPath')].filter((source) =>
    sources.includes(source),
  );
  for (const extra of ordered.slice(1)) errors.push(FieldError.forbidden(`${path}.${extra}`, 'may not specify more than 1 volume type'));
  const hostPath = volume['hostPath'];
  if (isRecord(hostPath) && ordered[0] === 'hostPath') {
    if ((hostPath['path'] ?? '') === '') errors.push(FieldError.required(`${path}.hostPath.path`, ''));
    else if (String(hostPath['path']).split('/').includes('..'))
      errors.push(FieldError.invalid(`${path}.hostPath.path`, hostPath['path'], "must not contain '..'"));
    const types = ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'];
    if (!types.includes(String(hostPath['type'] ?? ''))) {
      errors.push(
        FieldError.notSupported(`${path}.hostPath.type`, hostPath['type'], [
          '',
          'BlockDevice',
          'CharDevice',
          'Directory',
          'DirectoryOrCreate',
          'File',
          'FileOrCreate',
          'Socket',
        ]),
      );
    }
  }
  const secret = volume['secret'];
  if (isRecord(secret) && (secret['secretName'] ?? '') === '') errors.push(FieldError.required(`${path}.secret.secretName`, ''));
  const configMap = volume['configMap'];
  if (isRecord(configMap) && (configMap['name'] ?? '') === '') errors.push(FieldError.required(`${path}.configMap.name`, ''));
  const claim = volume['persistentVolumeClaim'];
  if (isRecord(claim) && (claim['claimName'] ?? '') === '') errors.push(FieldError.required(`${path}.persistentVolumeClaim.claimName`, ''));
  // A volume with a faulty source does not count as there.
  if (errors.length > 0) return errors;
  if (name === '') errors.push(FieldError.required(`${path}.name`, ''));
  else {
    for (const problem of dns1123Label(name)) errors.push(FieldError.invalid(`${path}.name`, name, problem));
    if (known.has(name)) errors.push(FieldError.duplicate(`${path}.name`, name));
  }
  known.add(name);
  return errors;
}

function validateContainer(
  container: Json,
  path: string,
  seen: { readonly names: Set<string>; readonly volumes: ReadonlySet<string> },
): FieldError[] {
  const errors: FieldError[] = [];
  const name = String(container['name'] ?? '');
  if (name === '') errors.push(FieldError.required(`${path}.name`, ''));
  else for (const problem of dns1123Label(name)) errors.push(FieldError.invalid(`${path}.name`, name, problem));
  if (name !== '' && seen.names.has(name)) errors.push(FieldError.duplicate(`${path}.name`, name));
  seen.names.add(name);
  const image = String(container['image'] ?? '');
  if (image === '') errors.push(FieldError.required(`${path}.image`, ''));
  else if (image.trim() !== image) errors.push(FieldError.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const given = container[probe];
    if (isRecord(given)) {
      errors.push(...validateHandler(given, `${path}.${probe}`));
      if (probe !== 'readinessProbe' && given['successThreshold'] !== 1)
        errors.push(FieldError.invalid(`${path}.${probe}.successThreshold`, given['successThreshold'], 'must be 1'));
    }
  }
  const portNames = new Set<string>();
  for (const [index, port] of records(container['ports']).entries()) {
    const at = `${path}.ports[${index}]`;
    const label = String(port['name'] ?? '');
    if (label !== '') {
      for (const problem of portName(label)) errors.push(FieldError.invalid(`${at}.name`, label, problem));
      if (portNames.has(label)) errors.push(FieldError.duplicate(`${at}.name`, label));
      portNames.add(label);
    }
    const number = Number(port['containerPort'] ?? 0);
    if (number === 0) errors.push(FieldError.required(`${at}.containerPort`, ''));
    else for (const problem of portNumber(number)) errors.push(FieldError.invalid(`${at}.containerPort`, number, problem));
    const host = Number(port['hostPort'] ?? 0);
    if (host !== 0) for (const problem of portNumber(host)) errors.push(FieldError.invalid(`${at}.hostPort`, host, problem));
    if ((port['protocol'] ?? '') === '') errors.push(FieldError.required(`${at}.protocol`, ''));
    else if (!PROTOCOLS.includes(String(port['protocol'])))
      errors.push(FieldError.notSupported(`${at}.protocol`, port['protocol'], PROTOCOLS));
  }
  for (const [index, variable] of records(container['env']).entries()) {
    const at = `${path}.env[${index}]`;
    const key = String(variable['name'] ?? '');
    if (key === '') errors.push(FieldError.required(`${at}.name`, ''));
    else for (const problem of envVarName(key)) errors.push(FieldError.invalid(`${at}.name`, key, problem));
    const from = variable['valueFrom'];
    if (isRecord(from)) {
      const sources = Object.keys(from).filter((source) => from[source] !== undefined);
      if (sources.length === 0)
        errors.push(
          FieldError.invalid(
            `${at}.valueFrom`,
            '',
            'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
          ),
        );
      else if (sources.length > 1)
        errors.push(FieldError.invalid(`${at}.valueFrom`, '', 'may not have more than one field specified at a time'));
      if ((variable['value'] ?? '') !== '')
        errors.push(FieldError.invalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'));
    }
  }
  const mounts = new Set<string>();
  for (const [index, mount] of records(container['volumeMounts']).entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    const volume = String(mount['name'] ?? '');
    if (volume === '') errors.push(FieldError.required(`${at}.name`, ''));
    else if (!seen.volumes.has(volume)) errors.push(FieldError.notFound(`${at}.name`, volume));
    const target = String(mount['mountPath'] ?? '');
    if (target === '') errors.push(FieldError.required(`${at}.mountPath`, ''));
    if (mounts.has(target)) errors.push(FieldError.invalid(`${at}.mountPath`, target, 'must be unique'));
    mounts.add(target);
  }
  const policy = container['imagePullPolicy'];
  if ((policy ?? '') === '') errors.push(FieldError.required(`${path}.imagePullPolicy`, ''));
  else if (!PULL_POLICIES.includes(String(policy))) errors.push(FieldError.notSupported(`${path}.imagePullPolicy`, policy, PULL_POLICIES));
  const { resources } = container;
  if (isRecord(resources)) errors.push(...validateResources(resources, `${path}.resources`));
  return errors;
}

function validateHandler(handler: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const kinds = ['exec', 'httpGet', 'tcpSocket'].filter((kind) => isRecord(handler[kind]));
  for (const kind of kinds.slice(1)) errors.push(FieldError.forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type'));
  const first = kinds[0];
  if (first === undefined) errors.push(FieldError.required(path, 'must specify a handler type'));
  else if (first === 'exec') {
    const command = (handler['exec'] as Json)['command'];
    if (!Array.isArray(command) || command.length === 0) errors.push(FieldError.required(`${path}.exec.command`, ''));
  } else {
    const given = handler[first] as Json;
    const port = given['port'];
    if (typeof port === 'number')
      for (const problem of portNumber(port)) errors.push(FieldError.invalid(`${path}.${first}.port`, port, problem));
    else if (typeof port === 'string')
      for (const problem of portName(port)) errors.push(FieldError.invalid(`${path}.${first}.port`, port, problem));
  }
  return errors;
}

function validateResources(resources: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const limits = (isRecord(resources['limits']) ? resources['limits'] : {}) as Record<string, string>;
  const requests = (isRecord(resources['requests']) ? resources['requests'] : {}) as Record<string, string>;
  const parse = (list: Readonly<Record<string, string>>, at: string): ReadonlyMap<string, Quantity> => {
    const out = new Map<string, Quantity>();
    for (const [name, amount] of Object.entries(list)) {
      for (const problem of qualifiedName(name)) errors.push(FieldError.invalid(at, name, problem));
      if (!name.includes('/') && !/^(cpu|memory|ephemeral-storage|hugepages-.*|storage)$/.test(name)) {
        errors.push(
          FieldError.invalid(`${at}[${name}]`, name, 'must be a standard resource type or fully qualified'),
          FieldError.invalid(`${at}[${name}]`, name, 'must be a standard resource for containers'),
        );
      }
      try {
        const quantity = Quantity.parse(amount);
        if (quantity.nanos < 0n) errors.push(FieldError.invalid(`${at}[${name}]`, amount, 'must be greater than or equal to 0'));
        out.set(name, quantity);
      } catch (error) {
        if (!(error instanceof QuantityError)) throw error;
        errors.push(FieldError.invalid(`${at}[${name}]`, amount, error.message));
      }
    }
    return out;
  };
  const most = parse(limits, `${path}.limits`);
  for (const [name, quantity] of parse(requests, `${path}.requests`)) {
    const limit = most.get(name);
    if (limit !== undefined && quantity.compare(limit) > 0) {
      errors.push(FieldError.invalid(`${path}.requests`, quantity.toString(), `must be less than or equal to ${name} limit`));
    }
  }
  return errors;
}

function hostPortConflicts(containers: readonly Json[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const used = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [at, port] of records(container['ports']).entries()) {
      const number = Number(port['hostPort'] ?? 0);
      if (number === 0) continue;
      const key = `${String(port['protocol'])}/${String(port['hostIP'] ?? '')}/${number}`;
      if (used.has(key)) errors.push(FieldError.duplicate(`${path}[${index}].ports[${at}].hostPort`, key));
      used.add(key);
    }
  }
  return errors;
}

function validateToleration(toleration: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const key = String(toleration['key'] ?? '');
  const operator = String(toleration['operator'] ?? '');
  const value = String(toleration['value'] ?? '');
  if (key !== '') for (const problem of qualifiedName(key)) errors.push(FieldError.invalid(`${path}.key`, key, problem));
  if (key === '' && operator !== 'Exists') {
    errors.push(
      FieldError.invalid(
        `${path}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (toleration['tolerationSeconds'] !== undefined && toleration['effect'] !== 'NoExecute') {
    errors.push(
      FieldError.invalid(`${path}.effect`, toleration['effect'] ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    );
  }
  if (operator === 'Exists' && value !== '')
    errors.push(FieldError.invalid(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
  else if (!['', 'Equal', 'Exists'].includes(operator))
    errors.push(FieldError.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  const effect = toleration['effect'];
  if (effect !== undefined && effect !== '' && !['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(String(effect))) {
    errors.push(FieldError.notSupported(`${path}.effect`, effect, ['NoExecute', 'NoSchedule', 'PreferNoSchedule']));
  }
  return errors;
}
