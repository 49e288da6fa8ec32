// Models how a list is answered: from the watch cache or from etcd, whole or in pages of one revision.

import { prefixEnd, COMPACTED } from '../../etcd/protocol.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import { ApiError } from '../machinery/api-error.ts';
import { badRequest, gone, tooLargeVersion, plainError } from '../machinery/status.ts';
import { encodeToken, decodeToken } from './continue-token.ts';
import { versionProblem, type ListOptions } from './request-options.ts';
import type { Page, ResourceStore, Stored } from './resource-store.ts';
import type { Selection } from './selection.ts';

export interface Listed {
  readonly items: readonly Stored[];
  readonly revision: number;
  readonly more: { readonly continue?: string; readonly remainingItemCount?: number };
}

const LIST_EXPIRED = 'The resourceVersion for the provided list is too old.';
const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

export async function listFrom(store: ResourceStore, namespace: string, selection: Selection, options: ListOptions): Promise<Listed> {
  const { resourceVersion: version, limit, continueToken, resourceVersionMatch: match } = options;
  const single = selection.singleName;
  const isDirect = version === '' || continueToken !== '' || (limit > 0 && version !== '0') || match === 'Exact';
  const problem = versionProblem(version);
  if (problem !== undefined) throw isDirect ? badRequest(`invalid resource version: ${problem}`) : plainError(problem);
  if (!isDirect) {
    if (version !== '0' || store.isReady) {
      await store.waitUntilFresh(Number(version));
      return { items: selected(store.list(namespace), selection), revision: store.revision, more: {} };
    }
    return whole(await store.readAll(namespace), selection);
  }
  const wanted = Number(version === '' ? '0' : version);
  if (continueToken === '' && match !== 'Exact' && (limit <= 0 || wanted === 0 || match === 'NotOlderThan')) {
    const page = await store.readAll(namespace);
    if (wanted > page.revision) throw tooLargeVersion(wanted, page.revision);
    if (limit <= 0 || single !== undefined) return whole(page, selection);
    return firstPage(page, store, namespace, selection, limit);
  }
  return pages(store, namespace, selection, options, wanted);
}

function whole({ items, revision }: Page, selection: Selection): Listed {
  return { items: selected(items, selection), revision, more: {} };
}

function selected(items: readonly Stored[], selection: Selection): readonly Stored[] {
  return selection.isEverything ? items : items.filter((stored) => selection.matches(stored.object));
}

/** The start of a list that is at hand as a whole. */
function firstPage({ items, revision }: Page, store: ResourceStore, namespace: string, selection: Selection, limit: number): Listed {
  const shown: Stored[] = [];
  for (const [index, stored] of items.entries()) {
    if (selection.matches(stored.object)) shown.push(stored);
    if (shown.length < limit) continue;
    const rest = items.length - index - 1;
    if (rest === 0) break;
    return { items: shown, revision, more: moreAfter(stored.key, { store, namespace, selection, revision, rest }) };
  }
  return { items: shown, revision, more: {} };
}

function moreAfter(
  key: string,
  at: {
    readonly store: ResourceStore;
    readonly namespace: string;
    readonly selection: Selection;
    readonly revision: number;
    readonly rest: number;
  },
): Listed['more'] {
  const prefix = at.store.prefixOf(at.namespace);
  return {
    continue: encodeToken({ revision: at.revision, start: `${key.slice(prefix.length)}\0` }),
    ...(at.selection.isEverything ? { remainingItemCount: at.rest } : {}),
  };
}

/** Page by page out of etcd, until the limit is reached. */
async function pages(
  store: ResourceStore,
  namespace: string,
  selection: Selection,
  { limit, continueToken, resourceVersion }: ListOptions,
  wanted: number,
): Promise<Listed> {
  const prefix = store.prefixOf(namespace);
  let start = prefix;
  let revision: number | undefined = wanted > 0 ? wanted : undefined;
  if (continueToken !== '') {
    const token = decodeToken(continueToken);
    if (resourceVersion !== '' && resourceVersion !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    start = prefix + token.start;
    revision = token.revision > 0 ? token.revision : undefined;
  }
  const first = start;
  const shown: Stored[] = [];
  for (;;) {
    let page: Page;
    try {
      page = await store.readPage({ start, end: prefixEnd(prefix), ...(revision === undefined ? {} : { revision }), limit });
    } catch (error) {
      if (!(error instanceof EtcdError) || error.message !== COMPACTED) throw error;
      throw continueToken === '' ? gone(LIST_EXPIRED) : expired(first.slice(prefix.length));
    }
    revision ??= page.revision;
    let last = start;
    for (const [index, stored] of page.items.entries()) {
      last = stored.key;
      if (selection.matches(stored.object)) shown.push(stored);
      if (limit <= 0 || shown.length < limit) continue;
      const rest = page.count - index - 1;
      if (rest === 0) break;
      return { items: shown, revision, more: moreAfter(last, { store, namespace, selection, revision, rest }) };
    }
    if (!page.hasMore || limit <= 0) return { items: shown, revision, more: {} };
    start = `${last}\0`;
  }
}

/** 410 with a token that goes on at the newest state. */
function expired(start: string): ApiError {
  const { status } = gone(CONTINUE_EXPIRED);
  return new ApiError({ ...status, metadata: { continue: encodeToken({ revision: -1, start }) } });
}
