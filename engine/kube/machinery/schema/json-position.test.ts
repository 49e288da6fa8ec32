import { expect, it } from 'vitest';
import { DecodeError, normalize } from './codec.ts';
import { excerpts, valueAt } from './json-position.ts';

it('finds a value by its path, also behind strings with brackets and escapes', () => {
  const json = '{"a":"}\\"]","b":[ {"c":1}, {"c":"x"} ],"d":null}';
  const span = valueAt(json, ['b', 1, 'c'])!;
  expect(json.slice(span.start, span.end)).toBe('"x"');
  expect(valueAt(json, ['b', 2])).toBeUndefined();
  expect(valueAt(json, ['z'])).toBeUndefined();
});

it('shows ten bytes on both sides and fifty on both sides', () => {
  expect(excerpts('{"a":true}', 6)).toBe(', error found in #6 byte of ...|{"a":true}|..., bigger context ...|{"a":true}|...');
});

it.each([
  [
    'a word where a string belongs: the first byte of it is read',
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containers: [{ env: [{ name: false, value: '1' }], name: 'c' }] } },
    '[{"name":f|alse,"valu',
  ],
  [
    'a quantity: all of it is read',
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {},
      spec: { containers: [{ name: 'c', resources: { limits: { cpu: 'abc', memory: '64MB' } } }] },
    },
    'cpu":"abc"|,"memory":',
  ],
])('%s', (_name, object, near) => {
  const json = JSON.stringify(object);
  let thrown: unknown;
  try {
    normalize('core/v1.Pod', object);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DecodeError);
  expect((thrown as DecodeError).describe(json)).toContain(`...|${near.replace('|', '')}|...`);
});
