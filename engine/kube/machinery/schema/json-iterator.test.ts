import { describe, expect, it } from 'vitest';
import { DecodeError, normalize } from './codec.ts';
import { readingProblem } from './json-iterator.ts';

// As kube-apiserver 1.20.2 answered to kubectl apply.
const KEPT = '{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{},"name":"x","namespace":"val"},"spec":{"containers":';

it.each([
  [
    'a word where a string belongs',
    'core/v1.Pod',
    `${KEPT}[{"env":[{"name":false,"value":5},{"name":"B","value":true}],"image":"nginx","name":"c"}]}}`,
    'v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: v1.Container.Env: []v1.EnvVar: v1.EnvVar.Name: ReadString: expects " or n, but found f, error found in #10 byte of ...|[{"name":false,"valu|..., bigger context ...|ce":"val"},"spec":{"containers":[{"env":[{"name":false,"value":5},{"name":"B","value":true}],"image"|...',
  ],
  [
    'a quantity without number, which is the last word',
    'core/v1.Pod',
    `${KEPT}[{"image":"nginx","name":"c","resources":{"limits":{"cpu":"abc","memory":"64MB"}}}]}}\n`,
    `v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: v1.Container.Resources: v1.ResourceRequirements.Limits: unmarshalerDecoder: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$', error found in #10 byte of ...|cpu":"abc","memory":|..., bigger context ...|inx","name":"c","resources":{"limits":{"cpu":"abc","memory":"64MB"}}}]}}\n|...`,
  ],
  [
    'a text where a number belongs',
    'apps/v1.Deployment',
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x","namespace":"val"},"spec":{"replicas":"3","selector":{"matchLabels":{"app":"x"}},"template":{}}}',
    'v1.Deployment.Spec: v1.DeploymentSpec.Replicas: readUint32: unexpected character: \ufffd, error found in #10 byte of ...|eplicas":"3","select|..., bigger context ...|"name":"x","namespace":"val"},"spec":{"replicas":"3","selector":{"matchLabels":{"app":"x"}},"templat|...',
  ],
  [
    'a label that is a word, in metadata in a template',
    'apps/v1.Deployment',
    '{"spec":{"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":true}},"spec":{"containers":[{"image":"nginx","name":"c"}]}}}}',
    'v1.Deployment.Spec: v1.DeploymentSpec.Template: v1.PodTemplateSpec.ObjectMeta: v1.ObjectMeta.Labels: ReadString: expects " or n, but found t, error found in #10 byte of ...|":{"app":true}},"spe|..., bigger context ...|p":"x"}},"template":{"metadata":{"labels":{"app":true}},"spec":{"containers":[{"image":"nginx","name|...',
  ],
  [
    'a secret that is no base64: it is read on, and what comes after gets into the message',
    'core/v1.Secret',
    '{"apiVersion":"v1","data":{"a":"not base64!"},"kind":"Secret","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\\"a\\":1}"},"name":"secbad"}}',
    'v1.Secret.ObjectMeta: v1.ObjectMeta.TypeMeta: Kind: Data: decode base64: illegal base64 data at input byte 3, error found in #10 byte of ...|t base64!"},"kind":"|..., bigger context ...|{"apiVersion":"v1","data":{"a":"not base64!"},"kind":"Secret","metadata":{"annotations":{"kube|...',
  ],
  [
    'a number in data: what comes after it is read on',
    'core/v1.ConfigMap',
    '{"apiVersion":"v1","data":{"n":5},"kind":"ConfigMap","metadata":{"annotations":{},"name":"x"}}',
    'v1.ConfigMap.ObjectMeta: v1.ObjectMeta.TypeMeta: Kind: Data: ReadString: expects " or n, but found 5, error found in #10 byte of ...|ta":{"n":5},"kind":"|..., bigger context ...|{"apiVersion":"v1","data":{"n":5},"kind":"ConfigMap","metadata":{"annotations":{},|...',
  ],
])('%s', (_name, struct, json, want) => {
  expect(readingProblem(struct, json)).toBe(want);
});

describe('where a body does not fit', () => {
  it.each([
    [
      'an object for a list',
      { spec: { containers: {} } },
      'v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: decode slice: expect [ or n, but found {',
    ],
    ['a text for an object', { spec: 'x' }, 'v1.Pod.Spec: readObjectStart: expect { or n, but found "'],
    ['a list for a map', { metadata: { labels: [] } }, 'v1.Pod.ObjectMeta: v1.ObjectMeta.Labels: ReadMapCB: expect { or n, but found ['],
    ['a text for a switch', { spec: { hostNetwork: 'yes' } }, 'v1.Pod.Spec: v1.PodSpec.HostNetwork: ReadBool: expect t or f, but found "'],
    [
      'a number for a text in a list',
      { spec: { containers: [{ command: [5] }] } },
      'v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: v1.Container.Command: []string: ReadString: expects " or n, but found 5',
    ],
    ['a fraction for a count', { spec: { priority: 1.5 } }, 'v1.Pod.Spec: v1.PodSpec.Priority: assertInteger: can not decode float as int'],
    ['too large a count', { spec: { priority: 3_000_000_000 } }, 'v1.Pod.Spec: v1.PodSpec.Priority: ReadInt32: overflow: 3000000000'],
    [
      'a source of a volume, which is embedded',
      { spec: { volumes: [{ name: 'v', hostPath: { path: 5 } }] } },
      'v1.Pod.Spec: v1.PodSpec.Volumes: []v1.Volume: v1.Volume.VolumeSource: HostPath: v1.HostPathVolumeSource.Path: ReadString: expects " or n, but found 5',
    ],
    [
      'a port that is a switch',
      { spec: { containers: [{ livenessProbe: { tcpSocket: { port: true } } }] } },
      'v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: v1.Container.LivenessProbe: v1.Probe.Handler: TCPSocket: v1.TCPSocketAction.Port: unmarshalerDecoder: json: cannot unmarshal bool into Go value of type int32',
    ],
    [
      'a time that is none',
      { metadata: { creationTimestamp: 'soon' } },
      'v1.Pod.ObjectMeta: v1.ObjectMeta.CreationTimestamp: unmarshalerDecoder: parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
    ],
    [
      'a thirteenth month',
      { metadata: { creationTimestamp: '2020-13-01T00:00:00Z' } },
      'v1.Pod.ObjectMeta: v1.ObjectMeta.CreationTimestamp: unmarshalerDecoder: parsing time "2020-13-01T00:00:00Z": month out of range',
    ],
    [
      'a quantity with a wrong suffix',
      { spec: { overhead: { cpu: '1MB' } } },
      "v1.Pod.Spec: v1.PodSpec.Overhead: unmarshalerDecoder: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      'a quantity with a suffix that is none',
      { spec: { overhead: { cpu: '1KiM' } } },
      "v1.Pod.Spec: v1.PodSpec.Overhead: unmarshalerDecoder: unable to parse quantity's suffix",
    ],
  ])('%s', (_name, object, want) => {
    expect(() => normalize('core/v1.Pod', object)).toThrow(DecodeError);
    const json = JSON.stringify(object);
    expect(readingProblem('core/v1.Pod', json)?.replace(/, error found in .*$/, '')).toBe(want);
  });

  it('shows bytes: what is cut off within a character is none', () => {
    const json = JSON.stringify({ metadata: { name: '가나다라마바사아자차카타파하가나다라', labels: 5 } });
    expect(readingProblem('core/v1.Pod', json)).toContain('\ufffd');
  });
});

describe('a patch that does not fit says', () => {
  it.each([
    [{ spec: { replicas: 'two' } }, 'unrecognized type: int32'],
    [{ spec: { paused: 1 } }, 'unrecognized type: bool'],
    [{ spec: { template: [] } }, 'cannot restore struct from: slice'],
    [{ spec: { template: { spec: { containers: 'x' } } } }, 'cannot restore slice from string'],
    [{ metadata: { labels: 5 } }, 'cannot restore map from int64'],
    [{ metadata: { labels: { a: 5 } } }, 'cannot convert int64 to string'],
    [{ metadata: { labels: { a: true } } }, 'unrecognized type: string'],
    [{ spec: { replicas: 1.5 } }, 'cannot convert float64 to int32'],
  ])('%j: %s', (object, want) => {
    let thrown: unknown;
    try {
      normalize('apps/v1.Deployment', object);
    } catch (error) {
      thrown = error;
    }
    expect((thrown as DecodeError).conversion).toBe(want);
  });
});
