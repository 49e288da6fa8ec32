// For tests of rules: objects go through a whole API server, what comes back is the object or the refusal's words.

import { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { text, utf8 } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { openTestApi, type TestApi } from '../apiserver/test-api.ts';
import type { Status } from '../machinery/types.ts';
import { BUILT_IN } from './index.ts';

export interface Loose {
  [field: string]: Loose & string & number & boolean & Loose[];
}

export interface Answer {
  readonly code: number;
  readonly body: Loose & Pick<Status, 'details' | 'message' | 'reason'>;
  /** The message of a refusal, or 'ok'. */
  readonly words: string;
}

export interface Rules extends AsyncDisposable {
  readonly api: TestApi;
  request(method: string, target: string, body?: unknown, type?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  create(object: object, query?: string): Promise<Answer>;
  update(object: object, subresource?: string): Promise<Answer>;
  get(object: object): Promise<Answer>;
  remove(object: object): Promise<Answer>;
  mergePatch(object: object, patch: object, subresource?: string): Promise<Answer>;
  /** `spec.x: Invalid value...` without what comes before it. */
  refusal(object: object): Promise<string>;
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

export async function openRules(settle: () => Promise<unknown>): Promise<Rules> {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: async () => void (await settle()) });
  const api = await openTestApi({ clock });
  const http = new HttpClient({ connect: () => Promise.resolve(api.connect()), host: '192.168.1.10:6443' });
  const request: Rules['request'] = async (method, target, body, type = 'application/json', more = {}) => {
    const response = await http.request({
      method,
      target,
      headers: { 'content-type': type, 'user-agent': 'test/v0', ...more },
      ...(body === undefined ? {} : { body: utf8(typeof body === 'string' ? body : JSON.stringify(body)) }),
    });
    const answer = JSON.parse(text(await readAllBytes(response.body))) as Loose & Pick<Status, 'details' | 'message' | 'reason'>;
    return { code: response.status, body: answer, words: response.status < 300 ? 'ok' : answer.message! };
  };
  const path = (object: object): string => {
    const { apiVersion, kind, metadata } = object as Named;
    const definition = BUILT_IN.find((each) => {
      const versions = [{ group: each.group, version: each.version }, ...each.alsoServedAs];
      return each.kind === kind && versions.some(({ group, version }) => (group === '' ? version : `${group}/${version}`) === apiVersion);
    });
    if (definition === undefined) throw new Error(`no kind ${apiVersion} ${kind}`);
    const room = definition.isNamespaced ? `/namespaces/${metadata?.namespace ?? 'default'}` : '';
    return `/${definition.group === '' ? 'api' : 'apis'}/${apiVersion}${room}/${definition.plural}`;
  };
  const one = (object: object): string => `${path(object)}/${(object as Named).metadata?.name ?? ''}`;
  const below = (subresource: string | undefined): string => (subresource === undefined ? '' : `/${subresource}`);
  const rules: Rules = {
    api,
    request,
    create: (object, query = '') => request('POST', `${path(object)}${query}`, object),
    update: (object, subresource) => request('PUT', one(object) + below(subresource), object),
    get: (object) => request('GET', one(object)),
    remove: (object) => request('DELETE', one(object)),
    mergePatch: (object, patch, subresource) => request('PATCH', one(object) + below(subresource), patch, 'application/merge-patch+json'),
    async refusal(object) {
      const { words } = await rules.create(object, '?dryRun=All');
      return words.replace(/^\S+ "[^"]*" is invalid: /, '');
    },
    async [Symbol.asyncDispose]() {
      http.close();
      await api[Symbol.asyncDispose]();
    },
  };
  return rules;
}
