// Models the controllers for certificate signing requests: approving what kubelets may ask for, and signing what is approved.

import { createCertificate, parseCertificateRequest, X509Error } from '../../net/x509.ts';
import { fromBase64, text, toBase64, utf8 } from '../../sim/bytes.ts';
import type { CertificateSigningRequest } from '../machinery/kinds.ts';
import { CERTIFICATE_SIGNING_REQUEST } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';
import { readAll } from '../client/rest-client.ts';

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const SERVING_SIGNER = 'kubernetes.io/kubelet-serving';
const API_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const REVIEW_PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

interface Authority {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const hasCondition = (request: CertificateSigningRequest, type: string): boolean =>
  (request.status?.conditions ?? []).some((condition) => condition.type === type);
const isIssued = (request: CertificateSigningRequest): boolean => (request.status?.certificate ?? '') !== '';

/** Approves client certificates of nodes, when the asking user has the right to have them approved. */
export function startCsrApproving(context: ControllerContext): void {
  const requests = context.informers.for<CertificateSigningRequest>(CERTIFICATE_SIGNING_REQUEST);
  const queue = context.queue('csrapproving');
  onEach(requests, (request, _old, removed) => {
    if (!removed) queue.add(request.metadata.name);
  });
  runWorkers(context, queue, { workers: 1, after: [requests], what: 'certificate request' }, async (name) => {
    const request = requests.lister.get(name);
    if (request === undefined || isIssued(request) || hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return;
    if (request.spec.signerName !== CLIENT_SIGNER) return;
    const asked = parseRequest(request);
    if (asked === undefined || !isNodeClient(asked.subject) || asked.dnsNames.length > 0 || asked.addresses.length > 0) return;
    const isOwn = request.spec.username === asked.subject.commonName;
    const attempts = [
      ...(isOwn
        ? [{ subresource: 'selfnodeclient', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' }]
        : []),
      { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' },
    ];
    for (const { subresource, message } of attempts) {
      if (!(await isAllowed(context, request, subresource))) continue;
      const now = rfc3339(context.clock.now());
      const condition = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now, lastTransitionTime: now };
      const approved = { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] } };
      const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}/approval`;
      const response = await context.client.raw('PUT', path, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(approved),
      });
      if (response.status !== 200) throw new Error(`error updating approval for csr: ${text(await readAll(response.body))}`);
      return;
    }
    throw new Error(`recognized csr "${name}" as [selfnodeclient nodeclient] but subject access review was not approved`);
  });
}

/** Signs approved requests with the cluster's authority. */
export function startCsrSigning(context: ControllerContext, authority: Authority, durationMs = 8760 * 3600_000): void {
  const requests = context.informers.for<CertificateSigningRequest>(CERTIFICATE_SIGNING_REQUEST);
  const queue = context.queue('csrsigning');
  onEach(requests, (request, _old, removed) => {
    if (!removed) queue.add(request.metadata.name);
  });
  runWorkers(context, queue, { workers: 1, after: [requests], what: 'certificate request' }, async (name) => {
    const request = requests.lister.get(name);
    if (request === undefined || isIssued(request) || !hasCondition(request, 'Approved')) return;
    const signer = request.spec.signerName;
    if (![CLIENT_SIGNER, SERVING_SIGNER, API_CLIENT_SIGNER].includes(signer)) return;
    const asked = parseRequest(request);
    if (asked === undefined) return;
    const nowMs = context.clock.now();
    const certificate = createCertificate({
      subject: asked.subject,
      publicKeyPem: asked.publicKeyPem,
      issuer: authority,
      serial: context.rng.bytes(16).map((byte, i) => (i === 0 ? byte & 0x7f : byte)),
      // Five minutes back, for clocks that run behind.
      notBeforeMs: nowMs - 5 * 60_000,
      notAfterMs: nowMs - 5 * 60_000 + durationMs,
      dnsNames: asked.dnsNames,
      addresses: asked.addresses,
      usages: signer === SERVING_SIGNER ? ['server'] : ['client'],
    });
    await context.client.updateStatus<CertificateSigningRequest>(CERTIFICATE_SIGNING_REQUEST, {
      ...request,
      status: { ...request.status, certificate: toBase64(utf8(certificate)) },
    });
  });
}

function parseRequest(request: CertificateSigningRequest): ReturnType<typeof parseCertificateRequest> | undefined {
  try {
    return parseCertificateRequest(text(fromBase64(request.spec.request)));
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

function isNodeClient(subject: { readonly commonName: string; readonly organizations: readonly string[] }): boolean {
  return subject.organizations.length === 1 && subject.organizations[0] === 'system:nodes' && subject.commonName.startsWith('system:node:');
}

async function isAllowed(context: ControllerContext, request: CertificateSigningRequest, subresource: string): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: request.spec.username,
      groups: request.spec.groups,
      uid: request.spec.uid,
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        subresource,
        verb: 'create',
        version: '*',
      },
    },
  };
  const response = await context.client.raw('POST', REVIEW_PATH, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(review),
  });
  const answer = JSON.parse(text(await readAll(response.body))) as { readonly status?: { readonly allowed?: boolean } };
  return answer.status?.allowed === true;
}
