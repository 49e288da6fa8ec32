// Models the warnings of v1.20 for versions on their way out: since when, until when, and what stands in for them.

import type { HttpResponder, HttpResponseHead } from '../../net/http.ts';
import { apiVersionOf } from '../machinery/resources.ts';

const GONE_IN = '1.22';
const RBAC = 'rbac.authorization.k8s.io';

/** `group/version Kind`: the release that deprecated it. All go in the same release, and v1 of their group stands in for them. */
const SINCE: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration': '1.16',
  'admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration': '1.16',
  'apiextensions.k8s.io/v1beta1 CustomResourceDefinition': '1.16',
  'apiregistration.k8s.io/v1beta1 APIService': '1.19',
  'authentication.k8s.io/v1beta1 TokenReview': '1.19',
  'authorization.k8s.io/v1beta1 LocalSubjectAccessReview': '1.19',
  'authorization.k8s.io/v1beta1 SelfSubjectAccessReview': '1.19',
  'authorization.k8s.io/v1beta1 SelfSubjectRulesReview': '1.19',
  'authorization.k8s.io/v1beta1 SubjectAccessReview': '1.19',
  'certificates.k8s.io/v1beta1 CertificateSigningRequest': '1.19',
  'coordination.k8s.io/v1beta1 Lease': '1.19',
  'extensions/v1beta1 Ingress': '1.14',
  'networking.k8s.io/v1beta1 Ingress': '1.19',
  'networking.k8s.io/v1beta1 IngressClass': '1.19',
  [`${RBAC}/v1beta1 ClusterRole`]: '1.17',
  [`${RBAC}/v1beta1 ClusterRoleBinding`]: '1.17',
  [`${RBAC}/v1beta1 Role`]: '1.17',
  [`${RBAC}/v1beta1 RoleBinding`]: '1.17',
  'scheduling.k8s.io/v1beta1 PriorityClass': '1.14',
  'storage.k8s.io/v1beta1 CSIDriver': '1.19',
  'storage.k8s.io/v1beta1 CSINode': '1.17',
  'storage.k8s.io/v1beta1 StorageClass': '1.19',
  'storage.k8s.io/v1beta1 VolumeAttachment': '1.19',
};

/** Upstream names these two with the wrong replacement, or with none. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'extensions/v1beta1 Ingress': 'networking.k8s.io/v1 Ingress',
  'networking.k8s.io/v1beta1 IngressClass': 'networking.k8s.io/v1 IngressClassList',
};

/** The value of the Warning header for a kind in a version, if it gets one. */
export function deprecationWarning(served: { readonly group: string; readonly version: string }, kind: string): string | undefined {
  const name = `${apiVersionOf(served)} ${kind}`;
  if (name === 'v1 ComponentStatus') return `299 - "${name} is deprecated in v1.19+"`;
  const since = SINCE[name];
  if (since === undefined) return undefined;
  const instead = OTHERWISE[name] ?? `${served.group}/v1 ${kind}`;
  return `299 - "${name} is deprecated in v${since}+, unavailable in v${GONE_IN}+; use ${instead}"`;
}

/** An answer that carries one more header, however it is sent. */
export function withHeader(respond: HttpResponder, name: string, value: string): HttpResponder {
  const head = (given: HttpResponseHead): HttpResponseHead => ({
    ...given,
    headers: { ...given.headers, [name]: given.headers?.[name] === undefined ? value : `${value}, ${given.headers[name]}` },
  });
  return {
    get signal() {
      return respond.signal;
    },
    send: (given, body) => respond.send(head(given), body),
    stream: (given) => respond.stream(head(given)),
    upgrade: (given) => respond.upgrade(head(given)),
  };
}
