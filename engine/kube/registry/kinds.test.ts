import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiVersionOf } from '../machinery/resources.ts';
import type { ResourceDefinition, ServedVersion } from './definition.ts';
import { BUILT_IN } from './index.ts';
import { MINIMAL } from './minimal-objects.ts';
import { openRules, type Answer, type Loose, type Rules } from './rules-harness.ts';

let rules: Rules;
beforeAll(async () => {
  rules = await openRules(() => setImmediate());
});
afterAll(() => rules[Symbol.asyncDispose]());

const STORED = BUILT_IN.filter((definition) => !definition.discoveryOnly);

const pathOf = (definition: ResourceDefinition, { group, version }: ServedVersion): string =>
  `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}${definition.isNamespaced ? '/namespaces/default' : ''}/${definition.plural}`;

/** What an object says, whoever it is. */
const contentOf = ({ metadata, kind: _kind, apiVersion: _apiVersion, ...content }: Loose): unknown => ({
  ...content,
  annotations: metadata?.['annotations'],
});

const read = async (target: string, accept: string): Promise<Loose> => {
  const answer = await rules.request('GET', target, undefined, 'application/json', { accept });
  expect(answer.words).toBe('ok');
  return answer.body;
};

describe('every built-in kind', () => {
  it('has a minimal object in this test', () => {
    expect(Object.keys(MINIMAL).sort()).toEqual(STORED.map(({ plural, group }) => `${plural}.${group}`).sort());
  });

  for (const definition of STORED) {
    const minimal = MINIMAL[`${definition.plural}.${definition.group}`];
    const versions = [definition, ...definition.alsoServedAs];
    describe(`${definition.plural}.${definition.group}`, () => {
      const name = minimal?.name ?? 'the-one';
      const create = (served: ServedVersion, content: object, as: string): Promise<Answer> =>
        rules.request('POST', pathOf(definition, served), {
          kind: definition.kind,
          apiVersion: apiVersionOf(served),
          ...content,
          metadata: { name: as },
        });

      it('is created, read in every version, printed, and deleted', async () => {
        const written = versions.find(({ version }) => version === minimal!.version) ?? definition;
        expect((await create(written, minimal!.fields, name)).words).toBe('ok');
        // What follows from it is through.
        await rules.api.clock.advance(10_000);
        for (const served of versions) {
          const target = `${pathOf(definition, served)}/${name}`;
          const object = await read(target, 'application/json');
          expect(object).toMatchObject({ kind: definition.kind, apiVersion: apiVersionOf(served), metadata: { name } });
          const list = await read(pathOf(definition, served), 'application/json');
          expect(list).toMatchObject({ kind: `${definition.kind}List`, apiVersion: apiVersionOf(served) });
          const table = (await read(target, 'application/json;as=Table;v=v1;g=meta.k8s.io')) as unknown as Table;
          expect(table.kind).toBe('Table');
          expect(table.rows[0]!.cells).toHaveLength(table.columnDefinitions.length);
          expect(table.rows[0]!.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name } });
          const whole = (await read(`${target}?includeObject=Object`, 'application/json;as=Table;v=v1;g=meta.k8s.io')) as unknown as Table;
          expect(whole.rows[0]!.object).toEqual(object);
          const bare = (await read(`${target}?includeObject=None`, 'application/json;as=Table;v=v1;g=meta.k8s.io')) as unknown as Table;
          expect(bare.rows[0]).not.toHaveProperty('object');
          const partial = await read(target, 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io');
          expect(partial).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name } });
        }
        const deleted = await rules.request('DELETE', `${pathOf(definition, definition)}/${name}?gracePeriodSeconds=0`);
        expect(deleted.words).toBe('ok');
      });

      if (minimal?.name !== undefined || versions.length === 1) return;
      it('says the same whichever version it comes through', async () => {
        expect((await create(definition, minimal!.fields, 'first')).words).toBe('ok');
        const stored = await read(`${pathOf(definition, definition)}/first`, 'application/json');
        for (const served of definition.alsoServedAs) {
          const { metadata: _, ...content } = await read(`${pathOf(definition, served)}/first`, 'application/json');
          const as = `by-${served.group.split('.')[0]!}-${served.version}`;
          expect((await create(served, content, as)).words).toBe('ok');
          expect(contentOf(await read(`${pathOf(definition, definition)}/${as}`, 'application/json'))).toEqual(contentOf(stored));
        }
      });
    });
  }
});

interface Table {
  readonly kind: string;
  readonly columnDefinitions: readonly unknown[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: unknown }[];
}
