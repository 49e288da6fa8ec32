// Models image references as docker's distribution library reads and writes them.

import { RuntimeError } from '../kubelet/container-runtime.ts';

export interface ImageReference {
  /** `docker.io`, `k8s.gcr.io`, `192.168.1.10:8443`. */
  readonly domain: string;
  /** `library/nginx`, `kube-proxy`. */
  readonly path: string;
  readonly tag: string | undefined;
  /** `sha256:...`. */
  readonly digest: string | undefined;
}

const DOMAIN =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads a reference without adding a tag; throws RuntimeError with the library's message. */
export function parseReference(text: string): ImageReference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new RuntimeError(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!DIGEST.test(digest)) throw new RuntimeError('invalid reference format');
  }
  const slash = rest.indexOf('/');
  const head = slash < 0 ? '' : rest.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(head) || head === 'localhost');
  const domain = hasDomain ? head : 'docker.io';
  let path = hasDomain ? rest.slice(slash + 1) : rest;
  let tag: string | undefined;
  const colon = path.lastIndexOf(':');
  if (colon >= 0) {
    tag = path.slice(colon + 1);
    path = path.slice(0, colon);
    if (!TAG.test(tag)) throw new RuntimeError('invalid reference format');
  }
  if (hasDomain && !DOMAIN.test(domain)) throw new RuntimeError('invalid reference format');
  if (!PATH.test(path)) {
    throw new RuntimeError(
      PATH.test(path.toLowerCase()) ? 'invalid reference format: repository name must be lowercase' : 'invalid reference format',
    );
  }
  const isHub = domain === 'docker.io' || domain === 'index.docker.io';
  return {
    domain: isHub ? 'docker.io' : domain,
    path: isHub && !path.includes('/') ? `library/${path}` : path,
    tag,
    digest,
  };
}

/** `nginx:latest` for docker.io/library/nginx; what docker shows. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== 'docker.io') return `${reference.domain}/${reference.path}`;
  return reference.path.startsWith('library/') ? reference.path.slice('library/'.length) : reference.path;
}

export function familiar(reference: ImageReference): string {
  const name = familiarName(reference);
  return `${name}${reference.tag === undefined ? '' : `:${reference.tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}

/** The same with `latest` when there is neither tag nor digest. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}
