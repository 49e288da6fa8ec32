import fc from 'fast-check';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../sim/bytes.ts';
import { normalize } from './codec.ts';
import { ProtoError } from './proto-wire.ts';
import { decodeMessage, encodeMessage, encodeObject, encodeWatchFrame, openEnvelope } from './protobuf.ts';
import { objectOf } from './random-object.ts';
import { structOf } from './schema.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

const STRUCTS = [
  'core/v1.Pod',
  'core/v1.Service',
  'core/v1.Node',
  'core/v1.Secret',
  'core/v1.Event',
  'core/v1.PodList',
  'apps/v1.Deployment',
  'batch/v1beta1.CronJob',
  'autoscaling/v2beta2.HorizontalPodAutoscaler',
  'networking/v1.Ingress',
  'rbac/v1.ClusterRole',
  'policy/v1beta1.PodDisruptionBudget',
  'certificates/v1.CertificateSigningRequest',
  'authorization/v1.SubjectAccessReview',
  'apiextensions/v1.CustomResourceDefinition',
  'apiextensions/v1.JSONSchemaProps',
  'apiregistration/v1.APIService',
  'meta/v1.Status',
  'meta/v1.APIResourceList',
  'meta/v1.DeleteOptions',
];

describe('protocol buffers', () => {
  it.each(STRUCTS)('%s comes back from its message as it was', (struct) => {
    fc.assert(
      fc.property(objectOf(struct), (object) => {
        const before = normalize(struct, object);
        expect(normalize(struct, decodeMessage(struct, encodeMessage(struct, before)))).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });

  it('writes what Go writes: everything that is no pointer, in the order of numbers', () => {
    const map = { metadata: { name: 'c', labels: { b: '2', a: '1' } }, data: { k: 'v' } };
    expect(toHex(encodeObject('core/v1.ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap' }, map))).toBe(
      // k8s, then Unknown: TypeMeta, raw, no encoding, no type
      '6b387300' +
        '0a0f' +
        '0a027631' +
        '1209436f6e6669674d6170' +
        '122d' +
        // metadata: name, generateName, namespace, selfLink, uid, resourceVersion, generation, creationTimestamp, labels, clusterName
        '0a23' +
        '0a0163' +
        '1200' +
        '1a00' +
        '2200' +
        '2a00' +
        '3200' +
        '3800' +
        '4200' +
        '5a060a0161120131' +
        '5a060a0162120132' +
        '7a00' +
        '12060a016b120176' +
        '1a00' +
        '2200',
    );
  });

  it('puts the length of a watch event before it', () => {
    expect(toHex(encodeWatchFrame('ADDED', utf8('x')))).toBe('0000000c' + '0a054144444544' + '1203' + '0a0178');
  });

  it('says what is no message', () => {
    expect(() => openEnvelope(utf8('{}'))).toThrow(ProtoError);
    expect(() => decodeMessage('core/v1.Pod', Uint8Array.of(0x0a, 0x7f))).toThrow('unexpected EOF');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeMessage('core/v1.Pod', bytes);
        } catch (error) {
          if (!(error instanceof ProtoError)) throw error;
        }
      }),
    );
  });

  // Upstream's own pairs of JSON and protobuf (k8s.io/api testdata/HEAD), where they are at hand.
  const pairs = process.env['K8S_API_TESTDATA'] ?? '';
  it.runIf(pairs !== '' && existsSync(pairs))("agrees with upstream's test data byte for byte", () => {
    for (const file of readdirSync(pairs).filter((name) => name.endsWith('.pb'))) {
      const bytes = new Uint8Array(readFileSync(join(pairs, file)));
      const { apiVersion, kind, raw } = openEnvelope(bytes);
      const [version = '', group = ''] = apiVersion.split('/').reverse();
      const struct = structOf(group, version, kind);
      if (struct === undefined) continue;
      const json = JSON.parse(readFileSync(join(pairs, file.replace(/pb$/, 'json')), 'utf8')) as Record<string, unknown>;
      expect(normalize(struct, { kind, apiVersion, ...decodeMessage(struct, raw) }), file).toEqual(json);
      expect(toHex(encodeObject(struct, { apiVersion, kind }, decodeMessage(struct, raw, { keepsBig: true }))), file).toBe(toHex(bytes));
    }
  });
});
