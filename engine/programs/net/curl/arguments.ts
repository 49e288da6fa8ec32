// curl's command line.

export interface CurlOptions {
  readonly urls: string[];
  /** One for every URL in turn: a file name, `-`, or `#1` style is not expanded. */
  readonly outputs: string[];
  remoteName: boolean;
  silent: boolean;
  showError: boolean;
  progressBar: boolean;
  fail: boolean;
  head: boolean;
  include: boolean;
  verbose: boolean;
  insecure: boolean;
  location: boolean;
  maxRedirects: number;
  method: string | undefined;
  readonly headers: string[];
  readonly data: { readonly text: string; readonly kind: 'ascii' | 'binary' | 'urlencode' | 'raw' }[];
  readonly form: string[];
  get: boolean;
  user: string | undefined;
  userAgent: string | undefined;
  referer: string | undefined;
  cookie: string | undefined;
  cookieJar: string | undefined;
  upload: string | undefined;
  writeOut: string | undefined;
  maxTimeMs: number | undefined;
  connectTimeoutMs: number | undefined;
  retry: number;
  caFile: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
  readonly resolve: string[];
  unixSocket: string | undefined;
  interface: string | undefined;
  compressed: boolean;
  dumpHeader: string | undefined;
  version: boolean;
  help: boolean;
}

type Take = (options: CurlOptions, value: string) => void;

/** Options with a value. */
const VALUED: Readonly<Record<string, Take>> = {
  output: (o, v) => void o.outputs.push(v),
  request: (o, v) => (o.method = v),
  header: (o, v) => void o.headers.push(v),
  data: (o, v) => void o.data.push({ text: v, kind: 'ascii' }),
  'data-ascii': (o, v) => void o.data.push({ text: v, kind: 'ascii' }),
  'data-binary': (o, v) => void o.data.push({ text: v, kind: 'binary' }),
  'data-raw': (o, v) => void o.data.push({ text: v, kind: 'raw' }),
  'data-urlencode': (o, v) => void o.data.push({ text: v, kind: 'urlencode' }),
  form: (o, v) => void o.form.push(v),
  user: (o, v) => (o.user = v),
  'user-agent': (o, v) => (o.userAgent = v),
  referer: (o, v) => (o.referer = v),
  cookie: (o, v) => (o.cookie = v),
  'cookie-jar': (o, v) => (o.cookieJar = v),
  'upload-file': (o, v) => (o.upload = v),
  'write-out': (o, v) => (o.writeOut = v),
  'max-time': (o, v) => (o.maxTimeMs = Number(v) * 1000),
  'connect-timeout': (o, v) => (o.connectTimeoutMs = Number(v) * 1000),
  'max-redirs': (o, v) => (o.maxRedirects = Number(v)),
  retry: (o, v) => (o.retry = Number(v)),
  'retry-delay': () => undefined,
  cacert: (o, v) => (o.caFile = v),
  cert: (o, v) => (o.certificate = v),
  key: (o, v) => (o.key = v),
  resolve: (o, v) => void o.resolve.push(v),
  'unix-socket': (o, v) => (o.unixSocket = v),
  interface: (o, v) => (o.interface = v),
  'dump-header': (o, v) => (o.dumpHeader = v),
  url: (o, v) => void o.urls.push(v),
};

const FLAGS: Readonly<Record<string, (options: CurlOptions) => void>> = {
  'remote-name': (o) => (o.remoteName = true),
  silent: (o) => (o.silent = true),
  'show-error': (o) => (o.showError = true),
  'progress-bar': (o) => (o.progressBar = true),
  fail: (o) => (o.fail = true),
  head: (o) => (o.head = true),
  include: (o) => (o.include = true),
  verbose: (o) => (o.verbose = true),
  insecure: (o) => (o.insecure = true),
  location: (o) => (o.location = true),
  get: (o) => (o.get = true),
  compressed: (o) => (o.compressed = true),
  version: (o) => (o.version = true),
  help: (o) => (o.help = true),
  globoff: () => undefined,
  'no-buffer': () => undefined,
  'no-keepalive': () => undefined,
  ipv4: () => undefined,
  'http1.1': () => undefined,
  'http1.0': () => undefined,
  tlsv1: () => undefined,
  'tlsv1.2': () => undefined,
};

const SHORT: Readonly<Record<string, string>> = {
  o: 'output',
  X: 'request',
  H: 'header',
  d: 'data',
  F: 'form',
  u: 'user',
  A: 'user-agent',
  e: 'referer',
  b: 'cookie',
  c: 'cookie-jar',
  T: 'upload-file',
  w: 'write-out',
  m: 'max-time',
  E: 'cert',
  D: 'dump-header',
  O: 'remote-name',
  s: 'silent',
  S: 'show-error',
  '#': 'progress-bar',
  f: 'fail',
  I: 'head',
  i: 'include',
  v: 'verbose',
  k: 'insecure',
  L: 'location',
  G: 'get',
  V: 'version',
  h: 'help',
  g: 'globoff',
  N: 'no-buffer',
  4: 'ipv4',
  1: 'tlsv1',
  0: 'http1.0',
};

export function parseArguments(
  argv: readonly string[],
): { readonly options: CurlOptions } | { readonly error: string; readonly hint: boolean } {
  const options: CurlOptions = {
    urls: [],
    outputs: [],
    remoteName: false,
    silent: false,
    showError: false,
    progressBar: false,
    fail: false,
    head: false,
    include: false,
    verbose: false,
    insecure: false,
    location: false,
    maxRedirects: 50,
    method: undefined,
    headers: [],
    data: [],
    form: [],
    get: false,
    user: undefined,
    userAgent: undefined,
    referer: undefined,
    cookie: undefined,
    cookieJar: undefined,
    upload: undefined,
    writeOut: undefined,
    maxTimeMs: undefined,
    connectTimeoutMs: undefined,
    retry: 0,
    caFile: undefined,
    certificate: undefined,
    key: undefined,
    resolve: [],
    unixSocket: undefined,
    interface: undefined,
    compressed: false,
    dumpHeader: undefined,
    version: false,
    help: false,
  };
  const args = argv.slice(1);
  let onlyUrls = false;
  while (args.length > 0) {
    const arg = args.shift()!;
    if (onlyUrls || !arg.startsWith('-') || arg === '-') {
      options.urls.push(arg);
      continue;
    }
    if (arg === '--') {
      onlyUrls = true;
      continue;
    }
    if (arg.startsWith('--')) {
      const name = arg.slice(2);
      const known = [...Object.keys(VALUED), ...Object.keys(FLAGS)];
      const matches = known.includes(name) ? [name] : known.filter((one) => one.startsWith(name));
      if (matches.length === 0) return { error: `curl: option ${arg}: is unknown`, hint: true };
      if (matches.length > 1) return { error: `curl: option ${arg}: is ambiguous`, hint: true };
      const error = apply(options, matches[0]!, arg, args);
      if (error !== undefined) return { error, hint: true };
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const name = SHORT[arg[at]!];
      if (name === undefined) return { error: `curl: option ${arg}: is unknown`, hint: true };
      if (FLAGS[name] !== undefined) {
        FLAGS[name](options);
        continue;
      }
      const attached = arg.slice(at + 1);
      const error = attached === '' ? apply(options, name, arg, args) : void VALUED[name]!(options, attached);
      if (error !== undefined) return { error, hint: true };
      break;
    }
  }
  if (Number.isNaN(options.maxTimeMs) || Number.isNaN(options.connectTimeoutMs))
    return { error: 'curl: option -m: expected a proper numerical parameter', hint: true };
  return { options };
}

function apply(options: CurlOptions, name: string, spelled: string, args: string[]): string | undefined {
  const flag = FLAGS[name];
  if (flag !== undefined) {
    flag(options);
    return undefined;
  }
  const value = args.shift();
  if (value === undefined) return `curl: option ${spelled}: requires parameter`;
  VALUED[name]!(options, value);
  return undefined;
}
