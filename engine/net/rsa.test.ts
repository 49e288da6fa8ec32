import { describe, expect, it } from 'vitest';
import { parseCertificateRequest } from './x509.ts';

/** openssl req -newkey rsa:1024 -nodes -keyout /dev/null -subj /CN=joe/O=dev */
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIIBWzCBxQIBADAcMQwwCgYDVQQDDANqb2UxDDAKBgNVBAoMA2RldjCBnzANBgkq
hkiG9w0BAQEFAAOBjQAwgYkCgYEAwvAR4sWRsn6nNYCh142I7ILZrj5MG8O1qe0L
Tgf5yBIgP3jTrG0b8o5KBUn0w2oR30X3dLqgs5Gae8hP8KLEtPrLRx4FkrZG7VLJ
k2QWVWj5glXX2tPbl3/0rQ6Q3FydG2hNL/dAM2nUlJEsv9O4fwr7jFiv5DgsrYEf
pN029F8CAwEAAaAAMA0GCSqGSIb3DQEBCwUAA4GBAJOXpZssAfTXklVUPR8GYfQg
MnfRykUT99su/oJPFdg/rhDI/cUJIdp70IZLeLUIIxeCQvcve77tSBO9WIYrw0dn
EqOrt7N3AuY8ZCPbLcIQoiYUqm7sa8D8nRFIJqa3pS/PWBE8TD5YWEQz8BxNdf3B
Zb/HnQKvq3HVkKxHiVJR
-----END CERTIFICATE REQUEST-----
`;

describe('a request that OpenSSL made with an RSA key', () => {
  it('is read', () => {
    expect(parseCertificateRequest(REQUEST)).toMatchObject({ subject: { commonName: 'joe', organizations: ['dev'] }, dnsNames: [] });
  });
  it('is refused when a name in it was changed', () => {
    const [head = '', ...lines] = REQUEST.trim().split('\n');
    const der = atob(lines.slice(0, -1).join(''));
    const other = btoa(der.replace('joe', 'jim'));
    expect(() => parseCertificateRequest(`${head}\n${other}\n-----END CERTIFICATE REQUEST-----\n`)).toThrow(
      'crypto/rsa: verification error',
    );
  });
});
