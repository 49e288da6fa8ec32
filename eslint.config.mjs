import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** `target` may import nothing below `from` except what `except` lists (paths below `from`). */
const zone = (target, from, message, except) => ({ target, from, message, ...(except ? { except } : {}) });

const above = {
  sim: ['fs', 'net', 'kernel', 'systemd', 'shell', 'machine', 'store', 'etcd', 'kube', 'programs', 'lab'],
  fs: ['net', 'kernel', 'systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  net: ['fs', 'kernel', 'systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  store: ['fs', 'net', 'kernel', 'systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  kernel: ['systemd', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  systemd: ['fs', 'net', 'shell', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  shell: ['fs', 'net', 'systemd', 'machine', 'etcd', 'kube', 'programs', 'lab'],
  machine: ['etcd', 'kube', 'programs', 'lab'],
  etcd: ['fs', 'kernel', 'systemd', 'shell', 'machine', 'kube', 'programs', 'lab'],
  kube: ['systemd', 'shell', 'machine', 'programs', 'lab'],
  programs: ['lab'],
};
const layers = Object.entries(above).flatMap(([layer, list]) =>
  list.map((upper) => zone(`./engine/${layer}`, `./engine/${upper}`, `engine/${layer} lies below engine/${upper}`)),
);
const onlyTheWire = ['controllers', 'scheduler', 'client', 'kubelet', 'runtime', 'proxy', 'cni', 'dns'].flatMap((part) => [
  zone(`./engine/kube/${part}`, './engine/kube/apiserver', 'only the API between components'),
  zone(`./engine/kube/${part}`, './engine/kube/registry', 'only the API between components'),
  zone(`./engine/kube/${part}`, './engine/etcd', 'only the API server talks to etcd'),
]);
const knowsOnlyTheApi = ['controllers', 'scheduler'].flatMap((part) =>
  ['kernel', 'fs', 'store'].map((lower) =>
    zone(`./engine/kube/${part}`, `./engine/${lower}`, 'a controller knows the cluster through the API'),
  ),
);

export default tseslint.config(
  { ignores: ['node_modules', 'out', 'dist', 'resources', 'coverage'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommended],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-control-regex': 'off',
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'better-sqlite3', message: 'only electron/host/sqlite' },
            { name: 'node-pty', message: 'only electron/host/pty' },
          ],
        },
      ],
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...layers,
            ...onlyTheWire,
            ...knowsOnlyTheApi,
            zone('./engine/kube/machinery', './engine/kube', 'machinery is pure', ['./machinery']),
            zone('./engine/kube/apiserver', './engine/kube/controllers', 'the API server knows no controllers'),
            zone('./engine', './electron', 'the engine knows no host'),
            zone('./engine', './renderer', 'the engine knows no screen'),
            zone('./shared', './engine', 'shared knows nothing'),
            zone('./shared', './electron', 'shared knows nothing'),
            zone('./renderer', './engine', 'the renderer sees only shared'),
            zone('./renderer', './electron', 'the renderer sees only shared'),
            zone('./electron/main', './engine', 'main is thin'),
            zone('./electron/preload', './engine', 'preload is thin'),
            zone('./electron/host', './electron/main', 'the host runs without Electron'),
            ...['engine', 'electron', 'renderer', 'shared'].map((home) => zone(`./${home}`, './tests', 'nothing imports tests')),
          ],
        },
      ],
    },
  },
  {
    files: ['engine/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'console',
        'process',
        'performance',
        'fetch',
        'crypto',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'chance comes from Rng' },
        { object: 'Date', property: 'now', message: 'time comes from Clock' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'time comes from Clock' },
        {
          selector: 'CallExpression[callee.property.name="catch"] > ArrowFunctionExpression[body.name="undefined"]',
          message: 'a swallowed failure',
        },
      ],
    },
  },
  { files: ['electron/host/sqlite/**', 'electron/host/pty/**', '**/*.test.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['engine/ambient.d.ts'], rules: { 'no-var': 'off' } },
  { files: ['engine/**/*.test.ts'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['renderer/**/*.tsx', 'renderer/**/*.ts'], plugins: { 'react-hooks': reactHooks }, rules: reactHooks.configs.recommended.rules },
);
