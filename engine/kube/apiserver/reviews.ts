// Models the kinds that are questions to the server: token and access reviews, and component statuses.

import type { Connection } from '../../sim/stream.ts';
import type { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { isSysError } from '../../sim/errno.ts';
import { text } from '../../sim/bytes.ts';
import { notFound } from '../machinery/status.ts';
import type { ApiObject, Json } from '../registry/definition.ts';
import type { Authenticator } from './authentication.ts';
import type { AuthorizationAttributes, Authorizer } from './authorization.ts';
import type { BackendAddress } from './assemble.ts';
import type { RbacAuthorizer } from './rbac.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';
import { negotiate, tableOf } from './table.ts';
import type { User } from './user.ts';

export interface ReviewOptions {
  readonly authenticator: () => Authenticator;
  readonly authorizer: () => Authorizer;
  readonly rbac: () => RbacAuthorizer;
  readonly nowMs: () => number;
  readonly connect: (to: BackendAddress) => Promise<Connection>;
  readonly newHttpClient: (connect: () => Promise<Connection>, host: string) => HttpClient;
}

interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
}

export function reviews(options: ReviewOptions): ReadonlyMap<string, SpecialHandler> {
  const answer = async (special: SpecialRequest, body: Json, status: Json): Promise<void> => {
    const { kind } = special.endpoint.definition;
    const { group, version } = special.served;
    await special.sendObject(201, {
      kind,
      apiVersion: `${group}/${version}`,
      metadata: { creationTimestamp: null },
      spec: body['spec'] ?? {},
      status,
    });
  };
  const access =
    (subject: (special: SpecialRequest, spec: Json) => User): SpecialHandler =>
    async (special) => {
      const body = ((await special.readBody()) ?? {}) as Json;
      const spec = (body['spec'] ?? {}) as Json & {
        resourceAttributes?: ResourceAttributes;
        nonResourceAttributes?: { path?: string; verb?: string };
      };
      const decision = options.authorizer().authorize(subject(special, spec), attributesOf(spec));
      await answer(special, body, { allowed: decision.isAllowed, ...(decision.reason === '' ? {} : { reason: decision.reason }) });
    };
  const named = (_special: SpecialRequest, spec: Json): User => ({
    name: String(spec['user'] ?? ''),
    // v1beta1 calls them `group`.
    groups: (spec['groups'] ?? spec['group'] ?? []) as string[],
  });
  return new Map<string, SpecialHandler>([
    [
      'tokenreviews.authentication.k8s.io',
      async (special) => {
        const body = ((await special.readBody()) ?? {}) as Json;
        const user = options.authenticator().authenticateToken(String((body['spec'] as Json | undefined)?.['token'] ?? ''));
        if (user === undefined) await answer(special, body, { user: {}, error: 'invalid bearer token' });
        else {
          const { name, uid, groups, extra } = user;
          await answer(special, body, {
            authenticated: true,
            user: { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) },
          });
        }
      },
    ],
    ['subjectaccessreviews.authorization.k8s.io', access(named)],
    ['localsubjectaccessreviews.authorization.k8s.io', access(named)],
    ['selfsubjectaccessreviews.authorization.k8s.io', access((special) => special.user)],
    [
      'selfsubjectrulesreviews.authorization.k8s.io',
      async (special) => {
        const body = ((await special.readBody()) ?? {}) as Json;
        const namespace = String((body['spec'] as Json | undefined)?.['namespace'] ?? '');
        const rules = [...options.rbac().rulesFor(special.user, namespace)];
        await answer(special, body, {
          resourceRules: rules.filter((rule) => rule.resources !== undefined),
          nonResourceRules: rules
            .filter((rule) => rule.nonResourceURLs !== undefined)
            .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
          incomplete: false,
        });
      },
    ],
    ['componentstatuses.', (special) => componentStatuses(special, options)],
  ]);
}

function attributesOf(spec: {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
}): AuthorizationAttributes {
  const { resourceAttributes: at, nonResourceAttributes: plain } = spec;
  const none = { group: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
  if (at === undefined || at === null) return { ...none, isResource: false, verb: plain?.verb ?? '', path: plain?.path ?? '' };
  const { verb = '', group = '', resource = '', subresource = '', namespace = '', name = '' } = at;
  return { isResource: true, verb, group, resource, subresource, namespace, name, path: '' };
}

/** Who is asked how it feels: the defaults of the API server, insecure ports and all. */
const COMPONENTS: readonly { readonly name: string; readonly port: number; readonly isTls: boolean; readonly path: string }[] = [
  { name: 'scheduler', port: 10251, isTls: false, path: '/healthz' },
  { name: 'controller-manager', port: 10252, isTls: false, path: '/healthz' },
  { name: 'etcd-0', port: 2381, isTls: false, path: '/health' },
];

async function componentStatuses(special: SpecialRequest, options: ReviewOptions): Promise<void> {
  const { info } = special;
  const wanted = info.name === '' ? COMPONENTS : COMPONENTS.filter(({ name }) => name === info.name);
  if (wanted.length === 0) throw notFound({ group: '', resource: 'componentstatuses' }, info.name);
  const items: ApiObject[] = [];
  for (const component of wanted) items.push(await componentStatus(component, special, options));
  const representation = negotiate(special.request.headers.get('accept')) ?? { kind: 'object' };
  if (representation.kind === 'table') {
    const table = tableOf(special.endpoint.definition, items, {
      version: representation.version,
      nowMs: options.nowMs(),
      include: 'Metadata',
      resourceVersion: '',
    });
    await special.respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, `${table}\n`);
  } else
    await special.sendObject(
      200,
      info.name === ''
        ? { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items: items.map(({ kind: _k, apiVersion: _a, ...rest }) => rest) }
        : items[0],
    );
}

async function componentStatus(
  component: (typeof COMPONENTS)[number],
  special: SpecialRequest,
  options: ReviewOptions,
): Promise<ApiObject> {
  const host = `127.0.0.1:${component.port}`;
  const client = options.newHttpClient(
    () => options.connect({ address: '127.0.0.1', port: component.port, isTls: component.isTls, signal: special.respond.signal }),
    host,
  );
  let condition: Json;
  try {
    const response = await client.request({ method: 'GET', target: component.path });
    const body = text(await readAllBytes(response.body));
    condition = { type: 'Healthy', status: response.status === 200 ? 'True' : 'False', message: body };
  } catch (error) {
    if (!isSysError(error)) throw error;
    condition = {
      type: 'Healthy',
      status: 'False',
      message: `Get "http://${host}${component.path}": dial tcp ${host}: connect: ${error.strerror.toLowerCase()}`,
    };
  } finally {
    client.close();
  }
  return {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name: component.name, creationTimestamp: null },
    conditions: [condition],
  } as unknown as ApiObject;
}
