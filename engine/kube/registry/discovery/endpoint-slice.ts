// EndpointSlice.

import { ageCell, SHOWN, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice-validation.ts';

interface Endpoint {
  readonly addresses: readonly string[];
}

export const ENDPOINT_SLICE: ResourceDefinition = defineResource<ApiObject>({
  group: 'discovery.k8s.io',
  version: 'v1beta1',
  kind: 'EndpointSlice',
  strategy: {
    setDefaults(object) {
      for (const port of (object['ports'] ?? []) as { name?: string; protocol?: string }[]) {
        port.name ??= '';
        port.protocol ??= 'TCP';
      }
    },
    validate: validateEndpointSlice,
    validateUpdate: validateEndpointSliceUpdate,
  },
  plural: 'endpointslices',
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('AddressType', 'Type of the addresses.'),
      textColumn('Ports', 'Ports of the endpoints.'),
      textColumn('Endpoints', 'Addresses of the endpoints.'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const ports = ((object['ports'] ?? []) as readonly { port?: number; name?: string }[]).map((port) =>
        String(port.port ?? port.name ?? '*'),
      );
      const addresses = ((object['endpoints'] ?? []) as readonly Endpoint[]).flatMap((endpoint) => endpoint.addresses);
      return [object.metadata.name, String(object['addressType'] ?? ''), shortList(ports), shortList(addresses), ageCell(object, nowMs)];
    },
  },
  isNamespaced: true,
  hasGeneration: true,
});

function shortList(items: readonly string[]): string {
  if (items.length === 0) return '<unset>';
  const shown = items.slice(0, SHOWN).join(',');
  return items.length > SHOWN ? `${shown} + ${items.length - SHOWN} more...` : shown;
}
