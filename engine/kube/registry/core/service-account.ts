// ServiceAccount.

import { ageOf } from '../../machinery/time.ts';
import type { ServiceAccount } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

export const SERVICE_ACCOUNT: ResourceDefinition = defineResource<ServiceAccount>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  otherSubresources: [{ name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] }],
  strategy: {
    prepareForCreate: keepSecretNames,
    prepareForUpdate: keepSecretNames,
  },
  table: {
    columns: [
      NAME_COLUMN,
      {
        name: 'Secrets',
        type: 'string',
        description: 'Secrets is the list of secrets allowed to be used by pods running using this ServiceAccount.',
      },
      AGE_COLUMN,
    ],
    cells: (account, nowMs) => [account.metadata.name, account.secrets?.length ?? 0, ageOf(account.metadata.creationTimestamp, nowMs)],
  },
});

/** Of its secrets an account keeps the names only. */
function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets !== undefined) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
