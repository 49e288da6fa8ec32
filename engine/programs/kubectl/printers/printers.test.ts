import { describe, expect, it } from 'vitest';
import { humanDuration } from '../flags/duration.ts';
import { strategicDiff, threeWayStrategic } from '../resource/strategic-merge.ts';
import { decodeYaml, YamlError } from '../../../kube/machinery/yaml-decode.ts';
import { GoTemplate } from './go-template.ts';
import { JsonPath } from './jsonpath.ts';
import { alignTabs } from './tab-writer.ts';
import { toYaml } from './yaml.ts';

describe('YAML as go-yaml writes it', () => {
  it.each([
    [
      { a: 'true', b: '12', c: '', d: 'a: b', e: ' x ', f: '#h', g: '0x1F', h: '1e3', i: 'null', j: '~', k: 'yes', l: 'multi\nline' },
      'a: "true"\nb: "12"\nc: ""\nd: \'a: b\'\ne: \' x \'\nf: \'#h\'\ng: "0x1F"\nh: "1e3"\ni: "null"\nj: "~"\nk: "yes"\nl: |-\n  multi\n  line\n',
    ],
    [{ list: [{ name: 'a', items: ['x'] }, 'b', [], {}] }, 'list:\n- items:\n  - x\n  name: a\n- b\n- []\n- {}\n'],
    [
      { created: '2026-11-20T23:41:40Z', y: 'y', key: { 'k:{"name":"x"}': {} } },
      'created: "2026-11-20T23:41:40Z"\nkey:\n  k:{"name":"x"}: {}\n"y": "y"\n',
    ],
  ])('%#', (value, want) => {
    expect(toYaml(value)).toBe(want);
  });
});

describe('jsonpath', () => {
  const data = {
    items: [
      { metadata: { name: 'a', labels: { 'x/y': '1' } }, n: 1 },
      { metadata: { name: 'b', labels: {} }, n: 2 },
    ],
  };
  it.each([
    ['{.items[*].metadata.name}', 'a b'],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.n}{"\\n"}{end}', 'a\t1\nb\t2\n'],
    ['{.items[?(@.metadata.name=="b")].n}', '2'],
    ['{.items[-1:].n}', '2'],
    ['{.items[0].metadata.labels.x\\/y}', '1'],
    ['{.items[0].metadata.labels}', '{"x/y":"1"}'],
    ['{..name}', 'a b'],
    ['{.nosuch}', ''],
  ])('%s', (template, want) => {
    expect(new JsonPath(template, { allowMissingKeys: true }).execute(data)).toBe(want);
  });
});

describe('the rest of the printers', () => {
  it('runs Go templates', () => {
    const template = new GoTemplate('{{range .items}}{{if eq .n 2}}{{.name}}{{else}}-{{end}}{{"\\n"}}{{end}}', { allowMissingKeys: true });
    expect(template.execute({ items: [{ n: 1 }, { n: 2, name: 'b' }] })).toBe('-\nb\n');
  });
  it('aligns columns per block of lines and leaves the last cell alone', () => {
    expect(alignTabs('A\tB\tC\nlonger\tx\t\nalone\n', { minWidth: 6, padding: 3 })).toBe('A        B     C\nlonger   x     \nalone\n');
  });
  it.each([
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [599_000, '9m59s'],
    [3_600_000, '60m'],
    [4 * 3_600_000, '4h'],
    [50 * 3_600_000, '2d2h'],
    [-5_000, '<invalid>'],
  ])('shows %i ms as %s', (ms, want) => {
    expect(humanDuration(ms)).toBe(want);
  });
});

describe('patches', () => {
  it('changes one container by its name', () => {
    const spec = (image: string): Record<string, unknown> => ({ spec: { template: { spec: { containers: [{ name: 'nginx', image }] } } } });
    expect(strategicDiff(spec('nginx'), spec('nginx:1.19'))).toEqual({
      spec: {
        template: { spec: { '$setElementOrder/containers': [{ name: 'nginx' }], containers: [{ image: 'nginx:1.19', name: 'nginx' }] } },
      },
    });
  });
  it('removes what was applied once and leaves what others set', () => {
    expect(threeWayStrategic({ a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 })).toEqual({ b: null });
  });
});

describe('reading YAML', () => {
  it.each([
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n labels:\n    a: b\n', 'line 4: did not find expected key'],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n', 'line 4: found character that cannot start any token'],
    ['this is not yaml: [\n', 'line 1: did not find expected node content'],
    ['a: [b\nc: d\n', "line 1: did not find expected ',' or ']'"],
    ['metadata:\n  name: x\n   labels: y\n', 'line 3: mapping values are not allowed in this context'],
    ['a: b: c\n', 'mapping values are not allowed in this context'],
    ['a: b\nc\n', "line 3: could not find expected ':'"],
    ['a: "b\n', 'line 2: found unexpected end of stream'],
  ])('%#', (source, want) => {
    expect(() => decodeYaml(source)).toThrow(new YamlError(want));
  });
  it('takes y and on for booleans and dates for text', () => {
    expect(decodeYaml('a: y\nb: 2020-01-01\nc: 010\n')).toEqual({ a: true, b: '2020-01-01', c: 8 });
  });
});
