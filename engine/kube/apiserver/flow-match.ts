// Models how priority and fairness ranks a request: the first flow schema, by precedence, that is about it.

import type { ApiObject } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import type { RequestInfo } from './request-info.ts';
import type { User } from './user.ts';

const GROUP = 'flowcontrol.apiserver.k8s.io';

interface Rule {
  readonly subjects?: readonly {
    readonly kind: string;
    readonly user?: { readonly name: string };
    readonly group?: { readonly name: string };
    readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  }[];
  readonly resourceRules?: readonly {
    readonly verbs: readonly string[];
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly clusterScope?: boolean;
    readonly namespaces?: readonly string[];
  }[];
  readonly nonResourceRules?: readonly { readonly verbs: readonly string[]; readonly nonResourceURLs: readonly string[] }[];
}

interface Schema {
  readonly precedence: number;
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly flow: Flow;
}

export interface Flow {
  readonly schemaUid: string;
  readonly levelUid: string;
}

/** The schemas in their order, read anew when they change. */
export class FlowReader {
  readonly #reader: ClusterReader;
  #schemasAt = -1;
  #levelsAt = -1;
  #schemas: readonly Schema[] = [];

  constructor(reader: ClusterReader) {
    this.#reader = reader;
  }

  get schemas(): readonly Schema[] {
    const schemas = this.#reader.store(GROUP, 'flowschemas');
    const levels = this.#reader.store(GROUP, 'prioritylevelconfigurations');
    if (schemas.revision === this.#schemasAt && levels.revision === this.#levelsAt) return this.#schemas;
    this.#schemasAt = schemas.revision;
    this.#levelsAt = levels.revision;
    const read = ({
      metadata,
      spec,
    }: ApiObject & { spec?: { matchingPrecedence?: number; rules?: Rule[]; priorityLevelConfiguration?: { name: string } } }):
      Schema | undefined => {
      const level = levels.get(undefined, spec?.priorityLevelConfiguration?.name ?? '');
      if (level === undefined) return undefined;
      return {
        precedence: spec?.matchingPrecedence ?? 0,
        name: metadata.name,
        rules: spec?.rules ?? [],
        flow: { schemaUid: metadata.uid, levelUid: level.object.metadata.uid },
      };
    };
    this.#schemas = schemas
      .list()
      .map(({ object }) => read(object))
      .filter((schema) => schema !== undefined)
      .sort((a, b) => a.precedence - b.precedence || (a.name < b.name ? -1 : 1));
    return this.#schemas;
  }
}

export function flowOf(reader: FlowReader, user: User, info: RequestInfo): Flow | undefined {
  return reader.schemas.find(({ rules }) => rules.some((rule) => isAbout(rule, user, info)))?.flow;
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((each) => each === '*' || each === value) === true;
}

function isAbout(rule: Rule, user: User, info: RequestInfo): boolean {
  const isWho = (rule.subjects ?? []).some((subject) => {
    if (subject.kind === 'User') return subject.user?.name === '*' || subject.user?.name === user.name;
    if (subject.kind === 'Group') return subject.group?.name === '*' || user.groups.includes(subject.group?.name ?? '');
    const { namespace = '', name = '' } = subject.serviceAccount ?? {};
    if (name === '*') return user.name.startsWith(`system:serviceaccount:${namespace}:`);
    return user.name === `system:serviceaccount:${namespace}:${name}`;
  });
  if (!isWho) return false;
  if (!info.isResource) {
    return (rule.nonResourceRules ?? []).some(
      ({ verbs, nonResourceURLs }) =>
        has(verbs, info.verb) &&
        nonResourceURLs.some((url) => url === '*' || url === info.path || (url.endsWith('/*') && info.path.startsWith(url.slice(0, -1)))),
    );
  }
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  return (rule.resourceRules ?? []).some(
    ({ verbs, apiGroups, resources, clusterScope, namespaces }) =>
      has(verbs, info.verb) &&
      has(apiGroups, info.group) &&
      has(resources, resource) &&
      (info.namespace === '' ? clusterScope === true : has(namespaces, info.namespace)),
  );
}
