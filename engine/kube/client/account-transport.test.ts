import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../net/x509.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { SeededRng } from '../../sim/rng.ts';
import { openTestApi } from '../apiserver/test-api.ts';
import { HttpClient } from '../../net/http-client.ts';
import { POD, SERVICE_ACCOUNT } from '../machinery/resources.ts';
import { AccountTransport } from './account-transport.ts';
import { RestClient } from './rest-client.ts';

describe('a client that acts as a service account', () => {
  it('makes its account, asks for a token once, again when it gets old, and again when the account is new', async () => {
    const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() as Promise<void> });
    const keys = generateKeyPair(new SeededRng(3));
    await using api = await openTestApi({
      clock,
      authorizationModes: ['RBAC'],
      tokenFile: 'root,root,1,"system:masters"',
      serviceAccount: {
        publicPem: keys.publicKeyPem,
        privatePem: keys.privateKeyPem,
        issuer: 'https://kubernetes.default.svc.cluster.local',
      },
    });
    const asked: string[] = [];
    const inner = api.clientAs({ token: 'root' });
    const root = Object.assign(Object.create(inner) as RestClient, {
      createSubresource: (...args: Parameters<RestClient['createSubresource']>) => {
        asked.push(args[1]);
        return inner.createSubresource(...args);
      },
      create: inner.create.bind(inner),
    });
    const transport = new HttpClient({ connect: () => Promise.resolve(api.connect()), host: 'x' });
    const account = new AccountTransport({ namespace: 'kube-system', name: 'replicaset-controller', root, transport, clock });
    const client = new RestClient({ transport: account, userAgent: 'test' });
    const refusal = client.get(POD, 'a', 'default').then(
      () => 'allowed',
      (error: Error) => error.message,
    );
    expect(await refusal).toBe(
      'pods "a" is forbidden: User "system:serviceaccount:kube-system:replicaset-controller" cannot get resource "pods" in API group "" in the namespace "default"',
    );
    await Promise.all([client.list(POD), client.list(POD)]);
    // Once in vain, once when the account was there.
    expect(asked).toHaveLength(2);
    await clock.advance(31 * 60_000);
    await client.list(POD);
    expect(asked).toHaveLength(3);
    await inner.delete(SERVICE_ACCOUNT, 'replicaset-controller', 'kube-system');
    await expect(client.list(POD)).rejects.toThrow('Unauthorized');
    await client.list(POD);
    expect(asked).toHaveLength(5);
    transport.close();
    inner.close();
  });
});
