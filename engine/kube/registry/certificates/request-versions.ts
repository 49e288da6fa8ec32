// Requests for certificates in v1beta1, which guesses the signer and the usages that v1 demands.

import { InvariantError } from '../../../sim/invariant.ts';
import { fromBase64, text } from '../../../sim/bytes.ts';
import { parseCertificateRequest, X509Error, type CertificateRequest } from '../../../net/x509.ts';
import { isRecord } from '../../machinery/deep.ts';
import type { ApiObject, Json } from '../definition.ts';
import { records } from '../object-access.ts';

const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';
const UNKNOWN = 'kubernetes.io/legacy-unknown';
const DEFAULT_USAGES = ['digital signature', 'key encipherment'];

export function requestFromV1beta1(object: ApiObject): ApiObject {
  const spec: Json = isRecord(object['spec']) ? object['spec'] : {};
  const usages = (spec['usages'] ?? DEFAULT_USAGES) as readonly string[];
  spec['usages'] = usages;
  spec['signerName'] ??= signerOf(spec['request'], usages);
  object['spec'] = spec;
  if (isRecord(object['status'])) for (const condition of records(object['status']['conditions'])) condition['status'] ||= 'True';
  return object;
}

/** Who would have signed it when requests did not say. */
function signerOf(encoded: unknown, usages: readonly string[]): string {
  const request = parsed(encoded);
  if (request === undefined) return UNKNOWN;
  const { subject, dnsNames, addresses } = request;
  const isNode =
    subject.organizations.length === 1 && subject.organizations[0] === 'system:nodes' && subject.commonName.startsWith('system:node:');
  const hasNames = dnsNames.length + addresses.length > 0;
  const asksFor = (auth: string): boolean => {
    const wanted = [...DEFAULT_USAGES, auth];
    return usages.length === wanted.length && wanted.every((usage) => usages.includes(usage));
  };
  if (isNode && !hasNames && asksFor('client auth')) return KUBELET_CLIENT;
  return isNode && hasNames && asksFor('server auth') ? KUBELET_SERVING : UNKNOWN;
}

function parsed(encoded: unknown): CertificateRequest | undefined {
  if (typeof encoded !== 'string') return undefined;
  try {
    return parseCertificateRequest(text(fromBase64(encoded)));
  } catch (error) {
    // Not a request, or one with a key of a kind that nothing here signs with.
    if (error instanceof X509Error || error instanceof InvariantError) return undefined;
    if (error instanceof Error && error.name === 'InvalidCharacterError') return undefined;
    throw error;
  }
}
