import { describe, expect, it } from 'vitest';
import { apiserverFlags } from './kube-apiserver-flags.ts';

const NEEDED = [
  '--etcd-servers=https://127.0.0.1:2379',
  '--service-account-issuer=https://x',
  '--service-account-signing-key-file=/sa.key',
];

describe('the command line of kube-apiserver', () => {
  const refusals: readonly (readonly [args: readonly string[], error: string])[] = [
    [['--nosuch=1'], 'unknown flag: --nosuch'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [
      ['--anonymous-auth=maybe'],
      'invalid argument "maybe" for "--anonymous-auth" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [['--enable-admission-plugins=NodeRestriction,Foo'], 'enable-admission-plugins plugin "Foo" is unknown'],
    [
      ['--enable-admission-plugins=Priority', '--disable-admission-plugins=Priority'],
      '[Priority] in enable-admission-plugins and disable-admission-plugins overlapped',
    ],
    [['--authorization-mode=Node,Foo'], 'authorization-mode "Foo" is not a valid mode'],
    [['--insecure-port=8080'], 'invalid port value 8080: only zero is allowed'],
    [['--feature-gates=Foo=true'], 'invalid argument "Foo=true" for "--feature-gates" flag: unrecognized feature gate: Foo'],
    [['--feature-gates=EphemeralContainers=true'], 'not emulated: feature gate EphemeralContainers=true'],
    [['--audit-policy-file=/a.yaml'], 'not emulated: --audit-policy-file=/a.yaml'],
    [['--runtime-config=foo/v1=true'], 'unknown api groups foo'],
    [['--runtime-config=batch/v2alpha1=true'], 'not emulated: --runtime-config=batch/v2alpha1=true'],
  ];
  for (const [args, error] of refusals) {
    it(`refuses ${args.join(' ')}`, () => {
      expect(() => apiserverFlags([...NEEDED, ...args])).toThrow(error);
    });
  }
  it('tells everything that is missing at once', () => {
    expect(() => apiserverFlags([])).toThrow(
      '[--etcd-servers must be specified, service-account-issuer is a required flag, --service-account-signing-key-file and --service-account-issuer are required flags]',
    );
  });
  it('takes defaults, short forms and what is served', () => {
    const flags = apiserverFlags([
      ...NEEDED,
      '-v=4',
      '--watch-cache=true',
      '--request-timeout=1m0s',
      '--runtime-config=api/all=true,apps/v1',
      '--feature-gates=ServerSideApply=true',
    ]);
    expect(flags.get('v')).toBe('4');
  });
});
