// Columns of kinds whose strategy is the usual one.

import type { LabelSelectorSpec } from '../machinery/selectors.ts';
import { ageOf } from '../machinery/time.ts';
import { AGE_COLUMN, NAME_COLUMN, type ApiObject, type ColumnDefinition, type Json, type TableDefinition } from './definition.ts';
import { selectorCell } from './workload-columns.ts';

const text = (name: string, description: string, priority = 0): ColumnDefinition => ({
  name,
  type: 'string',
  description,
  ...(priority === 0 ? {} : { priority }),
});
const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;
const status = (object: ApiObject): Json => (object['status'] ?? {}) as Json;
const age = (object: ApiObject, nowMs: number): string => ageOf(object.metadata.creationTimestamp, nowMs);

const table = (columns: readonly ColumnDefinition[], cells: TableDefinition<ApiObject>['cells']): TableDefinition<ApiObject> => ({
  columns,
  cells,
});

interface Rule {
  readonly host?: string;
}
interface Endpoint {
  readonly addresses: readonly string[];
}

const SHOWN = 3;

function shortList(items: readonly string[]): string {
  if (items.length === 0) return '<unset>';
  const shown = items.slice(0, SHOWN).join(',');
  return items.length > SHOWN ? `${shown} + ${items.length - SHOWN} more...` : shown;
}

function csrCondition(object: ApiObject): string {
  const conditions = (status(object)['conditions'] ?? []) as readonly { type: string }[];
  const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
  const parts = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'];
  if (has('Failed')) parts.push('Failed');
  if ((status(object)['certificate'] ?? '') !== '') parts.push('Issued');
  return parts.join(',');
}

export const OTHER_TABLES = {
  leases: table([NAME_COLUMN, text('Holder', 'Identity of the holder of the lease.'), AGE_COLUMN], (object, nowMs) => [
    object.metadata.name,
    String(spec(object)['holderIdentity'] ?? ''),
    age(object, nowMs),
  ]),
  endpointslices: table(
    [
      NAME_COLUMN,
      text('AddressType', 'Type of the addresses.'),
      text('Ports', 'Ports of the endpoints.'),
      text('Endpoints', 'Addresses of the endpoints.'),
      AGE_COLUMN,
    ],
    (object, nowMs) => {
      const ports = ((object['ports'] ?? []) as readonly { port?: number; name?: string }[]).map((port) =>
        port.port === undefined ? '*' : String(port.port),
      );
      const addresses = ((object['endpoints'] ?? []) as readonly Endpoint[]).flatMap((endpoint) => endpoint.addresses);
      return [object.metadata.name, String(object['addressType'] ?? ''), shortList(ports), shortList(addresses), age(object, nowMs)];
    },
  ),
  ingresses: table(
    [
      NAME_COLUMN,
      text('Class', 'The name of the IngressClass resource that should be used for additional configuration'),
      text('Hosts', 'Hosts that incoming requests are matched against before the ingress rule'),
      text('Address', 'Address is a list containing ingress points for the load-balancer'),
      text('Ports', 'Ports of TLS configurations that open'),
      AGE_COLUMN,
    ],
    (object, nowMs) => {
      const rules = (spec(object)['rules'] ?? []) as readonly Rule[];
      const hosts = rules.map((rule) => rule.host ?? '').filter((host) => host !== '');
      const shown =
        hosts.length === 0
          ? '*'
          : hosts.length > SHOWN
            ? `${hosts.slice(0, SHOWN).join(',')} + ${hosts.length - SHOWN} more...`
            : hosts.join(',');
      const balancer = ((status(object)['loadBalancer'] as Json | undefined)?.['ingress'] ?? []) as readonly {
        ip?: string;
        hostname?: string;
      }[];
      const hasTls = ((spec(object)['tls'] ?? []) as readonly unknown[]).length > 0;
      return [
        object.metadata.name,
        String(spec(object)['ingressClassName'] ?? '<none>'),
        shown,
        balancer.map((each) => each.ip ?? each.hostname ?? '').join(','),
        hasTls ? '80, 443' : '80',
        age(object, nowMs),
      ];
    },
  ),
  ingressclasses: table(
    [
      NAME_COLUMN,
      text('Controller', 'Controller that is responsible for handling this class'),
      text('Parameters', 'A reference to a resource with additional parameters'),
      AGE_COLUMN,
    ],
    (object, nowMs) => {
      const parameters = spec(object)['parameters'] as { apiGroup?: string; kind: string; name: string } | undefined;
      const shown =
        parameters === undefined
          ? '<none>'
          : `${parameters.kind}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name}`;
      return [object.metadata.name, String(spec(object)['controller'] ?? ''), shown, age(object, nowMs)];
    },
  ),
  networkpolicies: table(
    [NAME_COLUMN, text('Pod-Selector', 'Selects the pods to which this policy applies.'), AGE_COLUMN],
    (object, nowMs) => [object.metadata.name, selectorCell((spec(object)['podSelector'] ?? {}) as LabelSelectorSpec), age(object, nowMs)],
  ),
  poddisruptionbudgets: table(
    [
      NAME_COLUMN,
      text('Min Available', 'The minimum number of pods that must be available.'),
      text('Max Unavailable', 'The maximum number of pods that may be unavailable.'),
      { name: 'Allowed Disruptions', type: 'integer', description: 'Calculated number of pods that may be disrupted at this time.' },
      AGE_COLUMN,
    ],
    (object, nowMs) => [
      object.metadata.name,
      String(spec(object)['minAvailable'] ?? 'N/A'),
      String(spec(object)['maxUnavailable'] ?? 'N/A'),
      Number(status(object)['disruptionsAllowed'] ?? 0),
      age(object, nowMs),
    ],
  ),
  storageclasses: table(
    [
      NAME_COLUMN,
      text('Provisioner', 'Provisioner indicates the type of the provisioner.'),
      text('ReclaimPolicy', 'What happens to volumes of this class when they are released.'),
      text('VolumeBindingMode', 'When volumes of this class are bound.'),
      text('AllowVolumeExpansion', 'Whether volumes may grow.'),
      AGE_COLUMN,
    ],
    (object, nowMs) => {
      const isDefault = object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
      return [
        `${object.metadata.name}${isDefault ? ' (default)' : ''}`,
        String(object['provisioner'] ?? ''),
        String(object['reclaimPolicy'] ?? 'Delete'),
        String(object['volumeBindingMode'] ?? '<unset>'),
        object['allowVolumeExpansion'] === true,
        age(object, nowMs),
      ];
    },
  ),
  priorityclasses: table(
    [
      NAME_COLUMN,
      text('Value', 'The value of this priority class.'),
      { name: 'Global-Default', type: 'boolean', description: 'Whether it is the default.' },
      AGE_COLUMN,
    ],
    (object, nowMs) => [object.metadata.name, Number(object['value'] ?? 0), object['globalDefault'] === true, age(object, nowMs)],
  ),
  certificatesigningrequests: table(
    [
      NAME_COLUMN,
      AGE_COLUMN,
      text('SignerName', 'Requested signer.'),
      text('Requestor', 'Who asked.'),
      text('Condition', 'State of the request.'),
    ],
    (object, nowMs) => [
      object.metadata.name,
      age(object, nowMs),
      String(spec(object)['signerName'] ?? '<none>'),
      String(spec(object)['username'] ?? ''),
      csrCondition(object),
    ],
  ),
  apiservices: table(
    [
      NAME_COLUMN,
      text('Service', 'The reference to the service that hosts this API endpoint.'),
      text('Available', 'Whether this service is available.'),
      AGE_COLUMN,
    ],
    (object, nowMs) => {
      const service = spec(object)['service'] as { namespace?: string; name?: string } | undefined;
      const condition = ((status(object)['conditions'] ?? []) as readonly { type: string; status: string; reason?: string }[]).find(
        (each) => each.type === 'Available',
      );
      const available =
        condition === undefined ? 'Unknown' : condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`;
      return [
        object.metadata.name,
        service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
        available,
        age(object, nowMs),
      ];
    },
  ),
  runtimeclasses: table([NAME_COLUMN, text('Handler', 'Handler of the underlying runtime.'), AGE_COLUMN], (object, nowMs) => [
    object.metadata.name,
    String(object['handler'] ?? ''),
    age(object, nowMs),
  ]),
} as const;
