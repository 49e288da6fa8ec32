// Models CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may approve and sign for a signer.

import { text, fromBase64 } from '../../../sim/bytes.ts';
import { parseCertificateRequest, X509Error } from '../../../net/x509.ts';
import { isDeepEqual } from '../../machinery/deep.ts';
import type { ApiObject, Json } from '../../registry/definition.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest } from '../admission.ts';
import type { Authorizer } from '../authorization.ts';
import type { User } from '../user.ts';

const GROUP = 'certificates.k8s.io';
const REQUESTS = 'certificatesigningrequests';
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';

const signerOf = (request: AdmissionRequest): string => String((request.old?.['spec'] as Json | undefined)?.['signerName'] ?? '');

/** Whether a user may do something as a signer: by its name, or by all names of its domain. */
export function isAuthorizedForSigner(authorizer: Authorizer, user: User, verb: string, signer: string): boolean {
  const may = (name: string): boolean =>
    authorizer.authorize(user, {
      isResource: true,
      verb,
      group: GROUP,
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      path: '',
    }).isAllowed;
  return may(signer) || may(`${signer.split('/')[0]!}/*`);
}

export function certificateApproval(authorizer: () => Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      if (!isFor(request, GROUP, REQUESTS, 'approval') || request.operation !== 'UPDATE') return;
      const signer = signerOf(request);
      if (!isAuthorizedForSigner(authorizer(), request.user, 'approve', signer))
        throw refusal(request, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
    },
  };
}

export function certificateSigning(authorizer: () => Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      if (!isFor(request, GROUP, REQUESTS, 'status') || request.operation !== 'UPDATE') return;
      const [before, after] = [request.old?.['status'] as Json | undefined, request.object?.['status'] as Json | undefined];
      if (before?.['certificate'] === after?.['certificate'] && isDeepEqual(before?.['conditions'], after?.['conditions'])) return;
      const signer = signerOf(request);
      if (!isAuthorizedForSigner(authorizer(), request.user, 'sign', signer))
        throw refusal(request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
    },
  };
}

export const CERTIFICATE_SUBJECT_RESTRICTION: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(request) {
    if (!isFor(request, GROUP, REQUESTS) || request.operation !== 'CREATE') return;
    const spec = (request.object?.['spec'] ?? {}) as Json;
    if (spec['signerName'] !== CLIENT_SIGNER) return;
    if (organizationsOf(request.object!).includes('system:masters'))
      throw refusal(request, `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`);
  },
};

function organizationsOf(request: ApiObject): readonly string[] {
  const encoded = (request['spec'] as Json)['request'];
  if (typeof encoded !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return [];
  try {
    return parseCertificateRequest(text(fromBase64(encoded))).subject.organizations;
  } catch (error) {
    // What does not parse is validation's to refuse.
    if (error instanceof X509Error) return [];
    throw error;
  }
}
