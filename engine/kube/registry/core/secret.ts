// Secret.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { configMapKey } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Secret } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults } from '../object-access.ts';

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
    validate(secret) {
      const errors: FieldError[] = [];
      for (const key of Object.keys(secret.data ?? {}))
        for (const problem of configMapKey(key)) errors.push(FieldError.invalid(`data[${key}]`, key, problem));
      const need = (key: string): void => {
        if (secret.data?.[key] === undefined) errors.push(FieldError.required(`data[${key}]`, ''));
      };
      if (secret.type === 'kubernetes.io/tls') {
        need('tls.crt');
        need('tls.key');
      } else if (secret.type === 'kubernetes.io/dockerconfigjson') need('.dockerconfigjson');
      else if (
        secret.type === 'kubernetes.io/service-account-token' &&
        (secret.metadata.annotations?.['kubernetes.io/service-account.name'] ?? '') === ''
      ) {
        errors.push(FieldError.required('metadata.annotations[kubernetes.io/service-account.name]', ''));
      }
      return errors;
    },
    validateUpdate(next, current) {
      const errors: FieldError[] = [];
      if (next.type !== current.type) errors.push(FieldError.invalid('type', next.type, 'field is immutable'));
      if (current.immutable === true) {
        if (next.immutable !== true) errors.push(FieldError.forbidden('immutable', 'field is immutable when `immutable` is set'));
        if (!isDeepEqual(next.data, current.data)) errors.push(FieldError.forbidden('data', 'field is immutable when `immutable` is set'));
      }
      return errors;
    },
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
