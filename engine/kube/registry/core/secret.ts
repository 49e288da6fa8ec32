// Secret.

import { isRecord } from '../../machinery/deep.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Secret } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults } from '../object-access.ts';
import { validateSecret, validateSecretUpdate } from './secret-validation.ts';

export const SECRET: ResourceDefinition = defineResource<Secret & { immutable?: boolean }>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'Secret',
  plural: 'secrets',
  fields: { type: (secret) => secret.type ?? '' },
  strategy: {
    setDefaults(secret) {
      const holder = secret as unknown as Json;
      defaults(holder, { type: 'Opaque' });
      const plain = holder['stringData'];
      if (!isRecord(plain)) return;
      const data = isRecord(holder['data']) ? holder['data'] : {};
      for (const [key, value] of Object.entries(plain)) data[key] = encodeBase64(String(value));
      holder['data'] = data;
      delete holder['stringData'];
    },
    validate: validateSecret,
    validateUpdate: validateSecretUpdate,
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Type', type: 'string', description: 'Used to facilitate programmatic handling of secret data.' },
      { name: 'Data', type: 'string', description: 'Number of keys' },
      AGE_COLUMN,
    ],
    cells: (secret, nowMs) => [
      secret.metadata.name,
      secret.type ?? '',
      Object.keys(secret.data ?? {}).length,
      ageOf(secret.metadata.creationTimestamp, nowMs),
    ],
  },
});

function encodeBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
