// The flags of kube-apiserver v1.20: those that have an effect here, and those that may only be what they are by default.

import { pluginNames } from '../../kube/apiserver/admission/chain.ts';
import { checkFeatureGates } from '../../kube/apiserver/feature-gates.ts';
import { FlagError, Flags } from '../../kube/apiserver/flags.ts';
import { BUILT_IN } from '../../kube/registry/index.ts';

const EFFECTIVE = {
  'advertise-address': 'value',
  'allow-privileged': 'boolean',
  'anonymous-auth': 'boolean',
  'api-audiences': 'value',
  'authorization-mode': 'value',
  'bind-address': 'value',
  'client-ca-file': 'value',
  'disable-admission-plugins': 'value',
  'enable-admission-plugins': 'value',
  'enable-bootstrap-token-auth': 'boolean',
  'enable-logs-handler': 'boolean',
  'etcd-cafile': 'value',
  'etcd-certfile': 'value',
  'etcd-keyfile': 'value',
  'etcd-servers': 'value',
  'event-ttl': 'value',
  'feature-gates': 'value',
  'insecure-port': 'value',
  'kubelet-client-certificate': 'value',
  'kubelet-client-key': 'value',
  'kubelet-preferred-address-types': 'value',
  'max-mutating-requests-inflight': 'value',
  'max-requests-inflight': 'value',
  profiling: 'boolean',
  'proxy-client-cert-file': 'value',
  'proxy-client-key-file': 'value',
  'requestheader-allowed-names': 'value',
  'requestheader-client-ca-file': 'value',
  'requestheader-extra-headers-prefix': 'value',
  'requestheader-group-headers': 'value',
  'requestheader-username-headers': 'value',
  'runtime-config': 'value',
  'secure-port': 'value',
  'service-account-issuer': 'value',
  'service-account-key-file': 'value',
  'service-account-signing-key-file': 'value',
  'service-cluster-ip-range': 'value',
  'service-node-port-range': 'value',
  'tls-cert-file': 'value',
  'tls-private-key-file': 'value',
  'token-auth-file': 'value',
  v: 'value',
} as const;

/** Booleans that only their default is emulated of. */
const DEFAULT_SWITCHES: Readonly<Record<string, string>> = {
  alsologtostderr: 'false',
  'audit-log-compress': 'false',
  'audit-log-truncate-enabled': 'false',
  'audit-webhook-truncate-enabled': 'false',
  'contention-profiling': 'false',
  'enable-aggregator-routing': 'false',
  'enable-garbage-collector': 'true',
  'enable-priority-and-fairness': 'true',
  'kubelet-https': 'true',
  logtostderr: 'true',
  'permit-port-sharing': 'false',
  'service-account-extend-token-expiration': 'false',
  'service-account-lookup': 'true',
  'watch-cache': 'true',
};

/** Values that only their default is emulated of. */
const DEFAULT_VALUES: Readonly<Record<string, string>> = {
  address: '127.0.0.1',
  'admission-control': '',
  'admission-control-config-file': '',
  'apiserver-count': '1',
  'audit-log-format': 'json',
  'audit-log-maxage': '0',
  'audit-log-maxbackup': '0',
  'audit-log-maxsize': '0',
  'audit-log-mode': 'blocking',
  'audit-log-path': '',
  'audit-policy-file': '',
  'audit-webhook-config-file': '',
  'authentication-token-webhook-cache-ttl': '2m0s',
  'authentication-token-webhook-config-file': '',
  'authorization-policy-file': '',
  'authorization-webhook-cache-authorized-ttl': '5m0s',
  'authorization-webhook-cache-unauthorized-ttl': '30s',
  'authorization-webhook-config-file': '',
  'cert-dir': '/var/run/kubernetes',
  'cloud-config': '',
  'cloud-provider': '',
  'cors-allowed-origins': '',
  'default-not-ready-toleration-seconds': '300',
  'default-unreachable-toleration-seconds': '300',
  'default-watch-cache-size': '100',
  'delete-collection-workers': '1',
  'egress-selector-config-file': '',
  'encryption-provider-config': '',
  'endpoint-reconciler-type': 'lease',
  'etcd-compaction-interval': '5m0s',
  'etcd-count-metric-poll-period': '1m0s',
  'etcd-db-metric-poll-interval': '30s',
  'etcd-healthcheck-timeout': '2s',
  'etcd-prefix': '/registry',
  'etcd-servers-overrides': '',
  'external-hostname': '',
  'goaway-chance': '0',
  'http2-max-streams-per-connection': '0',
  'insecure-bind-address': '127.0.0.1',
  'kubelet-certificate-authority': '',
  'kubelet-port': '10250',
  'kubelet-read-only-port': '10255',
  'kubelet-timeout': '5s',
  'kubernetes-service-node-port': '0',
  'livez-grace-period': '0s',
  'logging-format': 'text',
  'master-service-namespace': 'default',
  'max-connection-bytes-per-sec': '0',
  'min-request-timeout': '1800',
  'oidc-ca-file': '',
  'oidc-client-id': '',
  'oidc-groups-claim': '',
  'oidc-groups-prefix': '',
  'oidc-issuer-url': '',
  'oidc-required-claim': '',
  'oidc-signing-algs': 'RS256',
  'oidc-username-claim': 'sub',
  'oidc-username-prefix': '',
  port: '0',
  'request-timeout': '1m0s',
  'service-account-jwks-uri': '',
  'service-account-max-token-expiration': '0s',
  'show-hidden-metrics-for-version': '',
  'shutdown-delay-duration': '0s',
  stderrthreshold: '2',
  'storage-backend': 'etcd3',
  'storage-media-type': 'application/vnd.kubernetes.protobuf',
  'target-ram-mb': '0',
  'tls-cipher-suites': '',
  'tls-min-version': '',
  'tls-sni-cert-key': '',
  vmodule: '',
  'watch-cache-sizes': '',
};

const KNOWN: Readonly<Record<string, 'boolean' | 'value'>> = {
  ...EFFECTIVE,
  ...Object.fromEntries(Object.keys(DEFAULT_SWITCHES).map((name) => [name, 'boolean' as const])),
  ...Object.fromEntries(Object.keys(DEFAULT_VALUES).map((name) => [name, 'value' as const])),
};

const MODES = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'];

/** Parses and checks a command line. Throws FlagError in the words of the real server, or with what is not emulated. */
export function apiserverFlags(args: readonly string[]): Flags {
  const flags = new Flags(args, KNOWN, { v: 'v' });
  for (const [name, byDefault] of [...Object.entries(DEFAULT_SWITCHES), ...Object.entries(DEFAULT_VALUES)]) {
    const given = flags.get(name);
    if (given !== undefined && given !== byDefault) throw new FlagError(`not emulated: --${name}=${given}`);
  }
  if (flags.has('feature-gates')) checkFeatureGates(flags.get('feature-gates')!);
  const problems = [...problemsOf(flags)];
  if (problems.length > 0) throw new FlagError(problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`);
  return flags;
}

function* problemsOf(flags: Flags): Iterable<string> {
  if (flags.list('etcd-servers').length === 0) yield '--etcd-servers must be specified';
  const securePort = Number(flags.or('secure-port', '6443'));
  if (!(securePort >= 1 && securePort <= 65_535))
    yield `--secure-port ${flags.or('secure-port', '6443')} must be between 1 and 65535, inclusive. It cannot be turned off with 0`;
  if (flags.or('insecure-port', '0') !== '0') yield `invalid port value ${flags.get('insecure-port')!}: only zero is allowed`;
  if (!flags.has('service-account-issuer')) yield 'service-account-issuer is a required flag';
  const modes = flags.has('authorization-mode') ? flags.list('authorization-mode') : ['AlwaysAllow'];
  if (modes.length === 0) yield 'at least one authorization-mode must be passed';
  for (const mode of new Set(modes)) {
    if (!MODES.includes(mode)) yield `authorization-mode ${JSON.stringify(mode)} is not a valid mode`;
    if (mode === 'ABAC') yield "authorization-mode ABAC's authorization policy file not passed";
    if (mode === 'Webhook') yield "authorization-mode Webhook's authorization config file not passed";
  }
  if (new Set(modes).size !== modes.length) yield `authorization-mode ${JSON.stringify(modes)} has mode specified more than once`;
  try {
    pluginNames(flags.list('enable-admission-plugins'), flags.list('disable-admission-plugins'));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    yield error.message;
  }
  yield* runtimeConfigProblems(flags.list('runtime-config'));
  if (!flags.has('service-account-issuer') || !flags.has('service-account-signing-key-file'))
    yield '--service-account-signing-key-file and --service-account-issuer are required flags';
}

function* runtimeConfigProblems(entries: readonly string[]): Iterable<string> {
  const served = new Set(
    BUILT_IN.flatMap((each) => [each, ...each.alsoServedAs]).map(({ group, version }) => (group === '' ? version : `${group}/${version}`)),
  );
  const groups = new Set(BUILT_IN.flatMap((each) => [each, ...each.alsoServedAs]).map(({ group }) => group));
  for (const entry of entries) {
    const [name = '', value = 'true'] = entry.split('=');
    if (!/^(true|false|)$/.test(value)) yield `runtime-config invalid key ${name}`;
    const isOn = value !== 'false';
    if (['api/all', 'api/ga', 'api/beta', 'api/legacy'].includes(name) ? isOn : name === 'api/alpha' ? !isOn : served.has(name) && isOn)
      continue;
    const [group = ''] = name.split('/');
    if (name.startsWith('api/') || groups.has(group) || served.has(name)) throw new FlagError(`not emulated: --runtime-config=${entry}`);
    yield `unknown api groups ${group}`;
  }
}

/** A duration as Go writes them: `1h0m0s`, `90s`. Throws FlagError for anything else. */
export function durationSeconds(flags: Flags, name: string, byDefault: number): number {
  const text = flags.get(name);
  if (text === undefined) return byDefault;
  if (!/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text))
    throw new FlagError(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: time: invalid duration ${JSON.stringify(text)}`);
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit!]!, 0);
}

export function integerFlag(flags: Flags, name: string, byDefault: number): number {
  const text = flags.get(name);
  if (text === undefined) return byDefault;
  if (!/^[+-]?\d+$/.test(text))
    throw new FlagError(
      `invalid argument ${JSON.stringify(text)} for "--${name}" flag: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}
