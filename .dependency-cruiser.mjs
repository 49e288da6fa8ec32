// Who may import whom (docs/architecture.md has the picture). `npm run lint` holds it.

/** Bottom to top; a layer sees those below it. What is listed here it may not see. */
const above = {
  sim: ['fs', 'net', 'kernel', 'systemd', 'shell', 'machine', 'store', 'etcd', 'kube', 'programs', 'lab'],
  fs: ['net', 'kernel', 'systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  net: ['fs', 'kernel', 'systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  store: ['fs', 'net', 'kernel', 'systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  kernel: ['systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  systemd: ['fs', 'net', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  shell: ['fs', 'net', 'systemd', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  machine: ['etcd', 'kube', 'programs', 'lab'],
  etcd: ['fs', 'systemd', 'shell', 'machine', 'kube', 'programs', 'lab'],
  kube: ['systemd', 'shell', 'machine', 'programs', 'lab'],
  programs: ['lab'],
};

const rule = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from, pathNot: '\\.test\\.tsx?$' },
  to: { path: to },
});
const layer = (part) => `^engine/${part}/`;

export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      // An interpreter's files call each other in circles: a function's body is a command again.
      comment: 'a circle has no bottom',
      from: { pathNot: '^engine/shell/(interp|line-editor)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...Object.entries(above).map(([part, upper]) =>
      rule(`engine-${part}`, layer(part), layer(`(${upper.join('|')})`), `engine/${part} lies below`),
    ),
    rule(
      'only-the-wire',
      layer('kube/(controllers|scheduler|client|kubelet|runtime|proxy|cni|dns)'),
      layer('(kube/(apiserver|registry)|etcd)'),
      'only the API between components',
    ),
    rule('api-only', layer('kube/(controllers|scheduler)'), layer('(kernel|fs|store)'), 'a controller knows the cluster through the API'),
    rule('pure-machinery', layer('kube/machinery'), '^engine/kube/(?!machinery/)', 'machinery is pure'),
    rule(
      'server-without-controllers',
      layer('kube/(apiserver|registry)'),
      layer('kube/(controllers|scheduler|kubelet|runtime)'),
      'the API server knows no controllers',
    ),
    rule('engine-alone', '^engine/', '^(electron|renderer|tests)/', 'the engine knows neither host nor screen'),
    rule('shared-alone', '^shared/', '^(engine|electron|renderer|tests)/', 'shared knows nothing'),
    rule('renderer-sees-shared', '^renderer/', '^(engine|electron|tests)/', 'the renderer sees only shared'),
    rule('thin-electron', '^electron/(main|preload)/', '^engine/', 'main and preload are thin'),
    rule(
      'host-without-electron',
      '^electron/host/',
      '^(electron/(main|preload)/|node_modules/electron/|renderer/)',
      'the host runs without Electron',
    ),
    rule('sqlite-in-one-place', '^(?!electron/host/sqlite/|tests/)', 'node_modules/better-sqlite3/', 'only electron/host/sqlite'),
    rule('pty-in-one-place', '^(?!electron/host/pty/|tests/)', 'node_modules/node-pty/', 'only electron/host/pty'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
};
