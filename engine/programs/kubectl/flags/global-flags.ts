// Models the flags every command of kubectl takes.

export const GLOBAL_FLAGS =
  "add-dir-header=false alsologtostderr=false as='' as-group=[*] cache-dir='' certificate-authority='' client-certificate='' client-key='' cluster='' context='' " +
  "insecure-skip-tls-verify=false kubeconfig='' log-backtrace-at='' log-dir='' log-file='' log-file-max-size=1800 log-flush-frequency=5s logtostderr=true " +
  "match-server-version=false n/namespace='' one-output=false password='' profile='none' profile-output='profile.pprof' request-timeout='0' s/server='' " +
  "skip-headers=false skip-log-headers=false stderrthreshold=2 tls-server-name='' token='' user='' username='' v/v=0 vmodule='' warnings-as-errors=false";

/** Flags of single commands that still work but tell their user to stop. */
export const DEPRECATED_FLAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: {
    generator: 'has no effect and will be removed in the future.',
    replicas: 'has no effect and will be removed in the future.',
    schedule: 'has no effect and will be removed in the future.',
  },
  drain: { 'delete-local-data': 'This option is deprecated and will be deleted. Use --delete-emptydir-data.' },
};

/** Flags without which cobra refuses to run a command. */
export const REQUIRED_FLAGS: Readonly<Record<string, readonly string[]>> = {
  run: ['image'],
  'create deployment': ['image'],
  'create cronjob': ['image', 'schedule'],
  'create clusterrolebinding': ['clusterrole'],
  'create service externalname': ['external-name'],
  autoscale: ['max'],
  scale: ['replicas'],
};
