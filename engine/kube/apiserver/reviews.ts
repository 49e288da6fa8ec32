// Models the kinds that are questions to the server: token and access reviews, and component statuses.

import type { Connection } from '../../sim/stream.ts';
import type { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { isSysError } from '../../sim/errno.ts';
import { text } from '../../sim/bytes.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { isRecord } from '../machinery/deep.ts';
import { structOf } from '../machinery/schema/schema.ts';
import { badRequest, invalid, methodNotSupported, notFound } from '../machinery/status.ts';
import type { ApiObject, Json } from '../registry/definition.ts';
import type { Authenticator } from './authentication.ts';
import type { AuthorizationAttributes, Authorizer } from './authorization.ts';
import type { BackendAddress } from './assemble.ts';
import { nodeOf } from './node-authorizer.ts';
import { aggregate, type RbacAuthorizer } from './rbac.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';
import { negotiate, tableOf } from './table.ts';
import { typedBody } from './typed-body.ts';
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
  /** The question as it came, and the answer. */
  const answer = async (special: SpecialRequest, body: Json, status: Json): Promise<void> => {
    const { definition } = special.endpoint;
    const { group, version } = special.served;
    await special.sendObject(201, {
      kind: definition.kind,
      apiVersion: `${group}/${version}`,
      metadata: { ...(body['metadata'] as object | undefined), creationTimestamp: null },
      spec: body['spec'] ?? {},
      status,
    });
  };
  const access =
    (subject: (special: SpecialRequest, spec: AccessSpec) => User, isAboutOthers: boolean, isLocal = false): SpecialHandler =>
    async (special) => {
      const body = await questionOf(special);
      const spec = (body['spec'] ?? {}) as AccessSpec;
      const { kind, group } = special.endpoint.definition;
      const namespace = (body['metadata'] as { namespace?: string } | undefined)?.namespace ?? '';
      const errors = accessProblems(spec, { isAboutOthers, isLocal, namespace: isLocal ? special.info.namespace : namespace });
      if (errors.length > 0) throw invalid({ group, kind }, '', errors);
      if (isLocal && namespace !== '' && namespace !== special.info.namespace)
        throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
      const decision = options.authorizer().authorize(subject(special, spec), attributesOf(spec));
      await answer(special, body, { allowed: decision.isAllowed, ...(decision.reason === '' ? {} : { reason: decision.reason }) });
    };
  const named = (_special: SpecialRequest, spec: AccessSpec): User => ({
    name: spec.user ?? '',
    // v1beta1 calls them `group`.
    groups: spec.groups ?? spec.group ?? [],
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
    ...(spec.extra === undefined ? {} : { extra: spec.extra }),
  });
  return new Map<string, SpecialHandler>([
    [
      'tokenreviews.authentication.k8s.io',
      async (special) => {
        const body = await questionOf(special);
        const spec = (body['spec'] ?? {}) as { token?: string; audiences?: readonly string[] };
        if ((spec.token ?? '') === '') throw badRequest('token is required for TokenReview in authentication');
        const found = options.authenticator().authenticateToken(spec.token!, spec.audiences ?? []);
        if (typeof found === 'string') await answer(special, body, { user: {}, error: found });
        else {
          const { name, uid, groups, extra } = found.user;
          await answer(special, body, {
            authenticated: true,
            user: { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) },
            ...(found.audiences.length === 0 ? {} : { audiences: found.audiences }),
          });
        }
      },
    ],
    ['subjectaccessreviews.authorization.k8s.io', access(named, true)],
    ['localsubjectaccessreviews.authorization.k8s.io', access(named, true, true)],
    ['selfsubjectaccessreviews.authorization.k8s.io', access((special) => special.user, false)],
    ['selfsubjectrulesreviews.authorization.k8s.io', (special) => rulesReview(special, options)],
    ['componentstatuses.', (special) => componentStatuses(special, options)],
  ]);
}

/** The body as the type of the resource and version asked. */
async function questionOf(special: SpecialRequest): Promise<Json> {
  const { kind } = special.endpoint.definition;
  if (special.info.verb !== 'create')
    throw methodNotSupported({ group: special.served.group, resource: special.info.resource }, special.info.verb);
  const body = (await special.readBody()) ?? {};
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  const struct = structOf(special.served.group, special.served.version, kind);
  return struct === undefined ? body : (typedBody(struct, body) as Json);
}

/** Which rules hold for the asking user: a list to show, not to decide by. */
async function rulesReview(special: SpecialRequest, options: ReviewOptions): Promise<void> {
  const body = await questionOf(special);
  const namespace = String((body['spec'] as Json | undefined)?.['namespace'] ?? '');
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, errors } = options.rbac().resolve(special.user, namespace);
  const problems = nodeOf(special.user) === undefined ? [...errors] : ['node authorizer does not support user rule resolution', ...errors];
  const { group, version } = special.served;
  await special.sendObject(201, {
    kind: special.endpoint.definition.kind,
    apiVersion: `${group}/${version}`,
    metadata: { creationTimestamp: null },
    spec: {},
    status: {
      resourceRules: rules
        .filter((rule) => (rule.resources ?? []).length > 0)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...((resourceNames ?? []).length === 0 ? {} : { resourceNames }),
        })),
      nonResourceRules: rules
        .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: problems.length > 0,
      ...(problems.length === 0 ? {} : { evaluationError: aggregate(problems) }),
    },
  });
}

interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly group?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

function accessProblems(
  spec: AccessSpec,
  where: { readonly isAboutOthers: boolean; readonly isLocal: boolean; readonly namespace: string },
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { resourceAttributes: at, nonResourceAttributes: plain } = spec;
  const hasResource = at !== undefined && at !== null;
  const hasPath = plain !== undefined && plain !== null;
  if (hasResource && hasPath)
    errors.push(
      FieldError.invalidGo('spec.nonResourceAttributes', goPath(plain), 'cannot be specified in combination with resourceAttributes'),
    );
  if (!hasResource && !hasPath)
    errors.push(
      FieldError.invalidGo(
        'spec.resourceAttributes',
        '"null"',
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    );
  if (where.isAboutOthers && (spec.user ?? '') === '' && (spec.groups ?? spec.group ?? []).length === 0)
    errors.push(FieldError.invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'));
  if (where.isLocal) {
    if (hasResource && (at.namespace ?? '') !== where.namespace)
      errors.push(FieldError.invalid('spec.resourceAttributes.namespace', at.namespace ?? '', 'must match metadata.namespace'));
    if (hasPath) errors.push(FieldError.invalidGo('spec.nonResourceAttributes', goPath(plain), 'disallowed on this kind of request'));
  } else if (where.namespace !== '') {
    errors.push(FieldError.invalid('metadata', { namespace: where.namespace }, 'must be empty'));
  }
  return errors;
}

function goPath({ path = '', verb = '' }: { readonly path?: string; readonly verb?: string }): string {
  return `authorization.NonResourceAttributes{Path:${JSON.stringify(path)}, Verb:${JSON.stringify(verb)}}`;
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
