import { describe, expect, it } from 'vitest';
import { podTemplateHash } from './pod-template-hash.ts';

const container = (name: string, image: string, more: object = {}): object => ({
  name,
  image,
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'Always',
  ...more,
});
const template = (app: string, containers: readonly object[], more: object = {}): object => ({
  metadata: { creationTimestamp: null, labels: { app } },
  spec: {
    containers,
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...more,
  },
});

describe('podTemplateHash', () => {
  it('is what v1.20 makes of `kubectl create deployment nginx --image=nginx`', () => {
    expect(podTemplateHash(template('nginx', [container('nginx', 'nginx')]))).toBe('6799fc88d8');
  });
  it('changes with the collision count', () => {
    expect(podTemplateHash(template('nginx', [container('nginx', 'nginx')]), 1)).not.toBe('6799fc88d8');
  });
});
