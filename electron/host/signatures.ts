// Node's own ECDSA for the engine: checking one signature takes milliseconds in code that has not run often, and a lab that
// starts checks some twenty.

import { verify } from 'node:crypto';
import { lendSignatureShortcut } from '#engine/net/x509.ts';

lendSignatureShortcut((bytes, signature, publicKeyPem, form) => {
  try {
    return verify('sha256', bytes, { key: publicKeyPem, dsaEncoding: form === 'raw' ? 'ieee-p1363' : 'der' }, signature);
  } catch {
    // Not a key or not a signature: the engine says in what way.
    return false;
  }
});
