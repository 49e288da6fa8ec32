import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Loose, type Rules } from '../rules-harness.ts';

let rules: Rules;
beforeAll(async () => void (rules = await openRules(() => setImmediate())));
afterAll(() => rules[Symbol.asyncDispose]());

const volume = (spec: object, name = 'x'): Loose =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' }, ...spec },
  }) as unknown as Loose;
const claim = (spec: object, name = 'x'): Loose =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  }) as unknown as Loose;

describe('refused is', () => {
  const rows: readonly (readonly [name: string, object: Loose, want: string])[] = [
    ['a volume as it should be', volume({}), 'ok'],
    [
      'a volume of nothing',
      volume({ capacity: undefined, accessModes: undefined, hostPath: undefined }),
      '[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: core.ResourceList(nil): supported values: "storage", spec: Required value: must specify a volume type]',
    ],
    [
      'a volume with more than room',
      volume({ capacity: { storage: '1Gi', cpu: '1' } }),
      'spec.capacity: Unsupported value: core.ResourceList{"cpu":resource.Quantity{i:resource.int64Amount{value:1, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"1", Format:"DecimalSI"}, "storage":resource.Quantity{i:resource.int64Amount{value:1073741824, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"1Gi", Format:"BinarySI"}}: supported values: "storage"',
    ],
    [
      'a volume without room',
      volume({ capacity: { storage: '0' } }),
      'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
    ],
    [
      'a mode nobody has',
      volume({ accessModes: ['Sometimes'] }),
      'spec.accessModes: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"',
    ],
    [
      'a way of reclaiming nobody has',
      volume({ persistentVolumeReclaimPolicy: 'Burn' }),
      'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
    ],
    ['two sources', volume({ nfs: { server: 'a', path: '/' } }), 'spec.nfs: Forbidden: may not specify more than 1 volume type'],
    [
      'a local volume anywhere',
      volume({ hostPath: undefined, local: { path: '/a' } }),
      'spec.nodeAffinity: Required value: Local volume requires node affinity',
    ],
    [
      'a share without a server',
      volume({ hostPath: undefined, nfs: { path: 'a' } }),
      '[spec.nfs.server: Required value, spec.nfs.path: Invalid value: "a": must be an absolute path]',
    ],
    [
      'the whole host to be emptied',
      volume({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
    [
      'an affinity of nothing',
      volume({ nodeAffinity: {} }),
      'spec.nodeAffinity.required: Required value: must specify required node constraints',
    ],
    [
      'a volume of no mode',
      volume({ volumeMode: 'Tape' }),
      'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
    ],
    [
      'a claim of nothing',
      claim({ accessModes: undefined, resources: undefined }),
      '[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]',
    ],
    [
      'a claim of no room',
      claim({ resources: { requests: { storage: '-1' } } }),
      'spec.resources[storage]: Invalid value: "-1": must be greater than zero',
    ],
    [
      'a claim of a class in capitals',
      claim({ storageClassName: 'Fast' }),
      `spec.storageClassName: Invalid value: "Fast": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
    [
      'a claim from a claim without a name',
      claim({ dataSource: { kind: 'PersistentVolumeClaim', name: '' } }),
      'spec.dataSource.name: Required value',
    ],
    ['a claim from what nobody knows', claim({ dataSource: { kind: 'Disk', name: 'a' } }), 'ok'],
  ];
  for (const [name, object, want] of rows) it(name, async () => expect(await rules.refusal(object)).toBe(want));
});

describe('an update', () => {
  it('of a claim’s spec is shown as a difference', async () => {
    const { body } = await rules.create(claim({}));
    const { words } = await rules.mergePatch(body, { spec: { resources: { requests: { storage: '2Gi' } } } });
    expect(words.replaceAll('\u00a0', ' ')).toMatch(
      /^PersistentVolumeClaim "x" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests for bound claims\n {2}core.PersistentVolumeClaimSpec\{\n/,
    );
    expect(words).toContain('-');
    const { words: less } = await rules.mergePatch(body, { spec: { resources: { requests: { storage: '1Mi' } } } });
    expect(less).toContain('spec.resources.requests.storage: Forbidden: field can not be less than previous value');
    expect((await rules.mergePatch(body, { spec: { volumeName: 'pv' } })).words).toBe('ok');
  });

  it('of a bound claim may ask for more, if its class lets it', async () => {
    const { body } = await rules.create(claim({}, 'bound'));
    await rules.mergePatch(body, { status: { phase: 'Bound' } }, 'status');
    const { words } = await rules.mergePatch(body, { spec: { resources: { requests: { storage: '2Gi' } } } });
    expect(words).toContain('only dynamically provisioned pvc can be resized');
  });

  it('of a volume’s source is refused', async () => {
    const { body } = await rules.create(volume({}));
    const { words } = await rules.mergePatch(body, { spec: { hostPath: { path: '/b' }, volumeMode: 'Block' } });
    expect(words.replaceAll('\u00a0', ' ')).toContain(
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n  core.PersistentVolumeSource{\n',
    );
    expect(words).toContain('volumeMode: Invalid value: "Block": field is immutable');
    expect((await rules.mergePatch(body, { spec: { persistentVolumeReclaimPolicy: 'Delete', capacity: { storage: '2Gi' } } })).words).toBe(
      'ok',
    );
  });
});
