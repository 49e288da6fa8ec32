import { describe, expect, it } from 'vitest';
import { deepCopy } from './deep.ts';
import { goDiff } from './go-diff.ts';

const TOKEN = 'default-token-9t2nc';
const MOUNT = { name: TOKEN, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
const LIVE = {
  volumes: [{ name: TOKEN, secret: { secretName: TOKEN, defaultMode: 420 } }],
  containers: [{ name: 'container-name', image: 'httpd', resources: {}, volumeMounts: [MOUNT], imagePullPolicy: 'Always' }],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  serviceAccountName: 'default',
  nodeName: 'w3-k8s',
  securityContext: {},
};
type Spec = typeof LIVE & Record<string, unknown>;

function changed(change: (spec: Spec) => void): string {
  const next = deepCopy(LIVE) as Spec;
  change(next);
  return goDiff('core.PodSpec', next, LIVE);
}

describe('the difference between two pods', () => {
  it('is nothing when there is none', () => {
    expect(changed(() => undefined)).toBe('');
  });

  // As kube-apiserver 1.20.2 answered to kubectl replace.
  it('shows what a manifest does not have', () => {
    const words = changed((spec) => {
      for (const field of ['volumes', 'serviceAccountName', 'nodeName'] as const) delete (spec as Partial<Spec>)[field];
      delete (spec.containers[0] as { volumeMounts?: unknown }).volumeMounts;
      spec.containers[0]!.name = 'other-name';
    });
    expect(words).toBe(`  core.PodSpec{
- 	Volumes: nil,
+ 	Volumes: []core.Volume{
+ 		{
+ 			Name:         "default-token-9t2nc",
+ 			VolumeSource: core.VolumeSource{Secret: &core.SecretVolumeSource{...}},
+ 		},
+ 	},
  	InitContainers: nil,
  	Containers: []core.Container{
  		{
- 			Name:    "other-name",
+ 			Name:    "container-name",
  			Image:   "httpd",
  			Command: nil,
  			... // 4 identical fields
  			Env:          nil,
  			Resources:    {},
- 			VolumeMounts: nil,
+ 			VolumeMounts: []core.VolumeMount{
+ 				{
+ 					Name:      "default-token-9t2nc",
+ 					ReadOnly:  true,
+ 					MountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
+ 				},
+ 			},
  			VolumeDevices: nil,
  			LivenessProbe: nil,
  			... // 10 identical fields
  		},
  	},
  	EphemeralContainers: nil,
  	RestartPolicy:       "Always",
  	... // 2 identical fields
  	DNSPolicy:                    "ClusterFirst",
  	NodeSelector:                 nil,
- 	ServiceAccountName:           "",
+ 	ServiceAccountName:           "default",
  	AutomountServiceAccountToken: nil,
- 	NodeName:                     "",
+ 	NodeName:                     "w3-k8s",
  	SecurityContext:              &{},
  	ImagePullSecrets:             nil,
  	... // 16 identical fields
  }
`);
  });

  it('takes what the pod shares with its host for its security', () => {
    expect(changed((spec) => (spec['hostNetwork'] = true))).toContain('- \t\tHostNetwork: true,\n+ \t\tHostNetwork: false,\n');
  });

  it('shows limits as the structs they are', () => {
    const words = changed((spec) => Object.assign(spec.containers[0]!, { resources: { limits: { cpu: '1' } } }));
    expect(words).toContain(
      '- \t\t\t\tLimits:   core.ResourceList{"cpu": {i: resource.int64Amount{value: 1}, s: "1", Format: "DecimalSI"}},\n',
    );
  });

  it('finds the element of a list that is new', () => {
    const words = changed((spec) => void spec.containers[0]!.volumeMounts.unshift({ ...MOUNT, name: 'new', mountPath: '/new' }));
    expect(words).toContain('- \t\t\t\t{Name: "new", ReadOnly: true, MountPath: "/new"},\n  \t\t\t\t{Name: "default-token-9t2nc"');
  });

  it('shows pieces of long words', () => {
    const [a, b] = ['a', 'b'].map((letter) => ({ containers: [{ command: ['sh', '-c', `${'x'.repeat(80)}${letter}${'y'.repeat(80)}`] }] }));
    const words = goDiff('core.PodSpec', a, b);
    expect(words).toContain('strings.Join({');
    expect(words).toContain('- \t\t\t\t\t"a",\n+ \t\t\t\t\t"b",\n');
  });

  const SCRIPT = ['#!/bin/sh', 'set -e', 'cd /tmp', 'echo one', 'echo two', 'echo three', 'while true; do', '  sleep 5', 'done'];
  const script = (line: string, ...more: readonly string[]): object => ({
    containers: [{ args: [...more, SCRIPT.map((each) => (each === 'echo two' ? line : each)).join('\n')] }],
  });

  it('shows lines of texts', () => {
    const words = goDiff('core.PodSpec', script('echo two', '-c'), script('echo 2', '-c'));
    expect(words).toContain('"""\n  \t\t\t\t\t... // 2 identical lines\n  \t\t\t\t\tcd /tmp\n');
    expect(words).toContain('- \t\t\t\t\techo two\n+ \t\t\t\t\techo 2\n');
  });

  it('shows a text alone in its list as it was and as it is', () => {
    const words = goDiff('core.PodSpec', script('echo two'), script('echo 2'));
    expect(words).toContain('- \t\t\t\t(\n- \t\t\t\t\t"""\n- \t\t\t\t\t#!/bin/sh\n');
  });
});
