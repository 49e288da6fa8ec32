// CertificateSigningRequest.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { stampConditions, validateRequest, validateRequestUpdate } from './request-validation.ts';
import { requestFromV1beta1 } from './request-versions.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

const status = (object: ApiObject): Json => (object['status'] ?? {}) as Json;

export const CERTIFICATE_SIGNING_REQUEST: ResourceDefinition = defineResource<ApiObject>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  table: {
    columns: [
      NAME_COLUMN,
      AGE_COLUMN,
      textColumn('SignerName', 'Requested signer.'),
      textColumn('Requestor', 'Who asked.'),
      textColumn('Condition', 'State of the request.'),
    ],
    cells: (object, nowMs) => [
      object.metadata.name,
      ageCell(object, nowMs),
      String(spec(object)['signerName'] ?? '<none>'),
      String(spec(object)['username'] ?? ''),
      csrCondition(object),
    ],
  },
  shortNames: ['csr'],
  isNamespaced: false,
  fields: { 'spec.signerName': (object) => String(spec(object)['signerName'] ?? '') },
  hasStatus: true,
  alsoServedAs: [{ group: 'certificates.k8s.io', version: 'v1beta1', toStorage: requestFromV1beta1 }],
  strategy: {
    // A request speaks for who sent it, whatever it says itself (certificates/strategy.go).
    prepareForCreate(object: ApiObject, { user }) {
      const { username: _name, groups: _groups, uid: _uid, extra: _extra, ...spec } = (object['spec'] ?? {}) as Json;
      object['spec'] = {
        ...spec,
        username: user.name,
        groups: user.groups,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        ...(user.extra === undefined ? {} : { extra: user.extra }),
      };
      object['status'] = {};
    },
    nameProblems: () => [],
    validate: validateRequest,
    // Once made, a request changes through its subresources only.
    prepareForUpdate: (next, current) => void (next['spec'] = current['spec']),
    validateUpdate: (next, current, meta, served) =>
      validateRequestUpdate(next, current, { meta, served, allowed: { decides: false, issues: false } }),
    prepareForStatusUpdate: stampConditions,
    validateStatusUpdate: (next, current, meta, served) =>
      validateRequestUpdate(next, current, { meta, served, allowed: { decides: false, issues: true } }),
    subresources: {
      approval: {
        prepare(next, current, nowMs) {
          stampConditions(next, current, nowMs);
          next['status'] = { ...status(current), conditions: status(next)['conditions'] ?? [] };
        },
        validate: (next, current, meta, served) =>
          validateRequestUpdate(next, current, { meta, served, allowed: { decides: true, issues: false } }),
      },
    },
  },
  otherSubresources: [{ name: 'approval', kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] }],
});

function csrCondition(object: ApiObject): string {
  const conditions = (status(object)['conditions'] ?? []) as readonly { type: string }[];
  const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
  const parts = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'];
  if (has('Failed')) parts.push('Failed');
  if ((status(object)['certificate'] ?? '') !== '') parts.push('Issued');
  return parts.join(',');
}
