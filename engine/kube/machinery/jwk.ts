// A public key as JSON web key (RFC 7517), as the API server publishes it.

import { publicPointOf } from '../../net/x509.ts';
import { base64Url, keyIdOf } from './jwt.ts';

export interface JsonWebKey {
  readonly use: 'sig';
  readonly kty: 'EC';
  readonly kid: string;
  readonly crv: 'P-256';
  readonly alg: 'ES256';
  readonly x: string;
  readonly y: string;
}

const COORDINATE_BYTES = 32;

export function jwkOf(publicKeyPem: string): JsonWebKey {
  // An uncompressed point: 4, then x and y.
  const point = publicPointOf(publicKeyPem);
  const x = base64Url(point.slice(1, 1 + COORDINATE_BYTES));
  const y = base64Url(point.slice(1 + COORDINATE_BYTES));
  return { use: 'sig', kty: 'EC', kid: keyIdOf(publicKeyPem), crv: 'P-256', alg: 'ES256', x, y };
}
