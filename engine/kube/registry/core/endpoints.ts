// Endpoints.

import { ageOf } from '../../machinery/time.ts';
import type { Endpoints } from '../../machinery/types.ts';
import { SHOWN } from '../columns.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, records } from '../object-access.ts';
import { validateEndpoints } from './endpoints-validation.ts';

export const ENDPOINTS: ResourceDefinition = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  isNamespaced: true,
  storagePrefix: 'services/endpoints',
  strategy: {
    allowsCreateOnUpdate: true,
    setDefaults(endpoints) {
      for (const subset of records((endpoints as unknown as Json)['subsets']))
        for (const port of records(subset['ports'])) defaults(port, { protocol: 'TCP' });
    },
    validate: validateEndpoints,
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Endpoints', type: 'string', description: 'The set of all endpoints is the union of all subsets.' },
      AGE_COLUMN,
    ],
    cells: (endpoints, nowMs) => [endpoints.metadata.name, endpointsCell(endpoints), ageOf(endpoints.metadata.creationTimestamp, nowMs)],
  },
});

function endpointsCell(endpoints: Endpoints): string {
  const subsets = endpoints.subsets ?? [];
  if (subsets.length === 0) return '<none>';
  const all: string[] = [];
  for (const subset of subsets) {
    if ((subset.ports ?? []).length === 0) all.push(...(subset.addresses ?? []).map((address) => address.ip));
    for (const port of subset.ports ?? []) for (const address of subset.addresses ?? []) all.push(hostPort(address.ip, port.port));
  }
  const shown = all.slice(0, SHOWN).join(',');
  if (all.length > SHOWN) return `${shown} + ${all.length - SHOWN} more...`;
  return shown;
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
