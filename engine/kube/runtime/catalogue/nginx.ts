// nginx and the lecture's images that are built on it. Contents are ours; names, ports and what they answer are the images'.

import {
  alpine,
  alpineLayer,
  BULLSEYE,
  BUSTER,
  debian,
  DEBIAN_LAYERS,
  directory,
  entries,
  file,
  program,
  STRETCH,
  symlink,
  type Entries,
} from './bases.ts';
import { layer, step, type ImageSpec } from './image.ts';

const WELCOME = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
    body { width: 35em; margin: 0 auto; font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page means that the web server is installed and answers requests.
What it serves comes next: that is up to its configuration.</p>

<p>Documentation lives at <a href="http://nginx.org/">nginx.org</a>,
commercial support at <a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`;

const ERROR_PAGE = `<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
<p>The page you are looking for is not available right now.</p>
</body>
</html>
`;

const nginxConf = (errorLevel: string, processes: string): string => `
user  nginx;
worker_processes  ${processes};

error_log  /var/log/nginx/error.log ${errorLevel};
pid        /var/run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    keepalive_timeout  65;

    include /etc/nginx/conf.d/*.conf;
}
`;

const DEFAULT_CONF = `server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
`;

const MIME_TYPES = `
types {
    text/html                             html htm shtml;
    text/css                              css;
    text/xml                              xml;
    image/gif                             gif;
    image/jpeg                            jpeg jpg;
    application/javascript                js;
    text/plain                            txt;
    image/png                             png;
    image/svg+xml                         svg svgz;
    image/x-icon                          ico;
    application/json                      json;
    application/pdf                       pdf;
    application/zip                       zip;
}
`;

const ENTRYPOINT = `#!/bin/sh
# Runs what lies in /docker-entrypoint.d before the server starts.
set -e

me=/docker-entrypoint.sh
if [ "$1" = "nginx" ] || [ "$1" = "nginx-debug" ]; then
    echo "$me: /docker-entrypoint.d/ is not empty, will attempt to perform configuration"
    echo "$me: Looking for shell scripts in /docker-entrypoint.d/"
    for f in /docker-entrypoint.d/*.sh; do
        echo "$me: Launching $f"
        "$f"
    done
    echo "$me: Configuration complete; ready for start up"
fi

exec "$@"
`;

const LISTEN_ON_IPV6 = `#!/bin/sh
ME=$(basename $0)
echo "$ME: info: Getting the checksum of /etc/nginx/conf.d/default.conf"
if ! grep -q "listen  *80;" /etc/nginx/conf.d/default.conf; then
    echo "$ME: info: /etc/nginx/conf.d/default.conf differs from the packaged version"
    exit 0
fi
echo "$ME: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf"
`;
const QUIET = '#!/bin/sh\nexit 0\n';

interface NginxVersion {
  readonly version: string;
  readonly tags: readonly string[];
  readonly created: string;
  readonly megabytes: number;
  readonly base: 'bullseye' | 'buster' | 'stretch';
  readonly hasEntrypoint: boolean;
}

const RELEASES = { bullseye: BULLSEYE, buster: BUSTER, stretch: STRETCH } as const;

function etcNginx(options: { readonly errorLevel: string; readonly processes: string; readonly conf?: string }): Entries {
  return [
    file('/etc/nginx/nginx.conf', nginxConf(options.errorLevel, options.processes)),
    file('/etc/nginx/mime.types', MIME_TYPES),
    file('/etc/nginx/conf.d/default.conf', options.conf ?? DEFAULT_CONF),
    file('/usr/share/nginx/html/index.html', WELCOME),
    file('/usr/share/nginx/html/50x.html', ERROR_PAGE),
    directory('/var/cache/nginx'),
    symlink('/var/log/nginx/access.log', '/dev/stdout'),
    symlink('/var/log/nginx/error.log', '/dev/stderr'),
  ];
}

const NGINX_USER: Entries = [
  file(
    '/etc/passwd',
    'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nnginx:x:101:101:nginx user,,,:/nonexistent:/bin/false\n',
  ),
  file('/etc/group', 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\nnginx:x:101:\n'),
];
const ALPINE_NGINX_USER: Entries = [
  file(
    '/etc/passwd',
    'root:x:0:0:root:/root:/bin/ash\nbin:x:1:1:bin:/bin:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nnginx:x:101:101:Linux User,,,:/var/cache/nginx:/sbin/nologin\n',
  ),
  file('/etc/group', 'root:x:0:root\nbin:x:1:root,bin,daemon\ntty:x:5:\nnobody:x:65534:\nnginx:x:101:nginx\n'),
];

const PATH_ENV = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function official(release: NginxVersion): ImageSpec {
  const major = Number(release.version.split('.')[1]);
  const isNew = release.hasEntrypoint;
  return {
    repository: 'docker.io/library/nginx',
    tags: release.tags,
    created: release.created,
    config: {
      ...(isNew ? { entrypoint: ['/docker-entrypoint.sh'] } : {}),
      cmd: ['nginx', '-g', 'daemon off;'],
      env: [PATH_ENV, `NGINX_VERSION=${release.version}`, 'NJS_VERSION=0.7.2', `PKG_RELEASE=1~${release.base}`],
      exposedPorts: ['80/tcp'],
      stopSignal: isNew ? 'SIGQUIT' : 'SIGTERM',
      labels: { maintainer: 'NGINX Docker Maintainers <docker-maint@nginx.com>' },
    },
    layers: [
      DEBIAN_LAYERS[release.base],
      step('/bin/sh -c #(nop)  CMD ["bash"]'),
      step(`/bin/sh -c #(nop)  ENV NGINX_VERSION=${release.version}`),
      layer(
        `nginx:${release.version}`,
        release.megabytes - DEBIAN_LAYERS[release.base].sizeBytes / 1e6,
        '/bin/sh -c set -x     && addgroup --system --gid 101 nginx     && adduser --system nginx',
      ),
      ...(isNew ? [layer(`nginx-entrypoint:${release.base}`, 0.0012, '/bin/sh -c #(nop) COPY file:65504f71f5855ca0 in / ')] : []),
      ...(isNew ? [step('/bin/sh -c #(nop)  ENTRYPOINT ["/docker-entrypoint.sh"]')] : []),
      step('/bin/sh -c #(nop)  EXPOSE 80'),
      step(`/bin/sh -c #(nop)  STOPSIGNAL ${isNew ? 'SIGQUIT' : 'SIGTERM'}`),
      step('/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]'),
    ],
    entries: entries(
      debian(RELEASES[release.base]),
      NGINX_USER,
      etcNginx({ errorLevel: major >= 21 ? 'notice' : 'warn', processes: major >= 19 ? 'auto' : '1' }),
      [program('/usr/sbin/nginx', 'nginx')],
      major >= 17 ? [program('/usr/bin/curl', 'curl')] : [],
      isNew
        ? [
            file('/docker-entrypoint.sh', ENTRYPOINT, 0o755),
            file('/docker-entrypoint.d/10-listen-on-ipv6-by-default.sh', LISTEN_ON_IPV6, 0o755),
            file('/docker-entrypoint.d/20-envsubst-on-templates.sh', QUIET, 0o755),
            ...(major >= 21 ? [file('/docker-entrypoint.d/30-tune-worker-processes.sh', QUIET, 0o755)] : []),
          ]
        : [],
    ),
  };
}

const OFFICIAL: readonly NginxVersion[] = [
  {
    version: '1.21.6',
    tags: ['latest', '1.21.6', '1.21', '1', 'mainline'],
    created: '2022-01-26T08:58:27.000000000Z',
    megabytes: 142,
    base: 'bullseye',
    hasEntrypoint: true,
  },
  {
    version: '1.20.2',
    tags: ['stable', '1.20', '1.20.2'],
    created: '2021-11-17T10:39:38.000000000Z',
    megabytes: 141,
    base: 'bullseye',
    hasEntrypoint: true,
  },
  { version: '1.21.0', tags: ['1.21.0'], created: '2021-05-25T15:32:12.000000000Z', megabytes: 133, base: 'buster', hasEntrypoint: true },
  { version: '1.20.1', tags: ['1.20.1'], created: '2021-05-25T15:34:45.000000000Z', megabytes: 133, base: 'buster', hasEntrypoint: true },
  {
    version: '1.19.6',
    tags: ['1.19', '1.19.6'],
    created: '2021-01-12T10:17:42.000000000Z',
    megabytes: 133,
    base: 'buster',
    hasEntrypoint: true,
  },
  {
    version: '1.18.0',
    tags: ['1.18', '1.18.0'],
    created: '2021-01-12T10:19:50.000000000Z',
    megabytes: 133,
    base: 'buster',
    hasEntrypoint: true,
  },
  {
    version: '1.17.10',
    tags: ['1.17', '1.17.10'],
    created: '2020-04-23T13:02:44.000000000Z',
    megabytes: 127,
    base: 'buster',
    hasEntrypoint: false,
  },
  {
    version: '1.16.1',
    tags: ['1.16', '1.16.1'],
    created: '2020-04-23T13:04:10.000000000Z',
    megabytes: 127,
    base: 'buster',
    hasEntrypoint: false,
  },
  { version: '1.16.0', tags: ['1.16.0'], created: '2019-07-17T23:30:51.000000000Z', megabytes: 109, base: 'stretch', hasEntrypoint: false },
  {
    version: '1.15.12',
    tags: ['1.15', '1.15.12'],
    created: '2019-05-08T03:01:31.000000000Z',
    megabytes: 109,
    base: 'stretch',
    hasEntrypoint: false,
  },
  {
    version: '1.14.2',
    tags: ['1.14', '1.14.2'],
    created: '2019-03-26T23:14:52.000000000Z',
    megabytes: 109,
    base: 'stretch',
    hasEntrypoint: false,
  },
];

/** An image of the lecture: nginx on Alpine with a configuration of its own. */
function onAlpine(spec: {
  readonly repository: string;
  readonly tags?: readonly string[];
  readonly version?: string;
  readonly megabytes: number;
  readonly conf?: string;
  readonly created?: string;
  readonly ports?: readonly string[];
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly extra?: Entries;
  readonly withBash?: boolean;
}): ImageSpec {
  const version = spec.version ?? '1.26.0';
  return {
    repository: spec.repository,
    tags: spec.tags ?? ['latest', 'v1'],
    created: spec.created ?? '2024-05-21T07:12:40.000000000Z',
    config: {
      ...(spec.entrypoint === undefined ? {} : { entrypoint: spec.entrypoint }),
      cmd: spec.cmd ?? ['nginx', '-g', 'daemon off;'],
      env: [PATH_ENV, `NGINX_VERSION=${version}`, 'PKG_RELEASE=1'],
      exposedPorts: spec.ports ?? ['80/tcp'],
      stopSignal: 'SIGQUIT',
    },
    layers: [
      alpineLayer('3.19.1'),
      step(`/bin/sh -c #(nop)  ENV NGINX_VERSION=${version}`),
      layer(`nginx:${version}-alpine-slim`, 6.2, '/bin/sh -c set -x     && addgroup -g 101 -S nginx'),
      layer(`${spec.repository}:files`, Math.max(0.01, spec.megabytes - 11.8), 'COPY . /etc/nginx/ # buildkit'),
      step('CMD ["nginx" "-g" "daemon off;"]'),
    ],
    entries: entries(
      alpine('3.19.1'),
      ALPINE_NGINX_USER,
      etcNginx({ errorLevel: 'notice', processes: 'auto', ...(spec.conf === undefined ? {} : { conf: spec.conf }) }),
      [program('/usr/sbin/nginx', 'nginx')],
      spec.withBash === false ? [] : [program('/bin/bash', 'bash'), program('/usr/bin/curl', 'curl')],
      spec.extra ?? [],
    ),
  };
}

const both = (name: string, other: string): readonly string[] => [`docker.io/sysnet4admin/${name}`, `docker.io/sysnet4admin/${other}`];

const textServer = (body: string, more = ''): string => `server {
    listen       80;
    server_name  localhost;
    default_type text/plain;

    location / {
        return 200 "${body}\\n";
    }
${more}}
`;

const TARDY_START = `#!/bin/sh
echo "deep sleep for 60 seconds"
sleep 60
touch /tmp/healthy-on
exec nginx -g 'daemon off;'
`;
const TARDY_PAGE = '<!DOCTYPE html>\n<html>\n<head><title>Tardy again</title></head>\n<body><h1>tardy again</h1></body>\n</html>\n';
const HEALTHZ_PAGE =
  '<!DOCTYPE html>\n<html>\n<head><title>System Status</title></head>\n<body><h1>System Status</h1><p>Everything is looking good.</p></body>\n</html>\n';
const HTTP_ECHO_START = `#!/bin/sh
cat > /etc/nginx/conf.d/default.conf <<END
server {
    listen \${ECHO_PORT:-80};
    default_type text/plain;
    location / {
        return 200 "\${ECHO_TEXT:-hello}\\\\n";
    }
}
END
exec nginx -g 'daemon off;'
`;
const CHK_INFO_PAGE = `<!DOCTYPE html>
<html>
<head>
<title>Check NGINX Information</title>
<style>body { background: #0077b6; color: white; font-family: sans-serif; }</style>
</head>
<body>
<h1>NGINX Information</h1>
<p>Hostname: <!--# echo var="hostname" --></p>
<p>Server address: <!--# echo var="server_addr" -->:<!--# echo var="server_port" --></p>
<p>Request URL: <!--# echo var="request_uri" --></p>
<p>Date: <!--# echo var="date_local" --></p>
<p>Client: <!--# echo var="remote_addr" -->:<!--# echo var="remote_port" --></p>
</body>
</html>
`;

const ECHO_HNAME_CONF = `server {
    listen       80;
    listen       443 ssl;
    server_name  localhost;
    default_type text/plain;
    ssl_certificate      /etc/nginx/ssl/tls.crt;
    ssl_certificate_key  /etc/nginx/ssl/tls.key;

    location / {
        return 200 "$hostname\\n";
    }
}
`;

const AUDIT_CONF = `log_format audit '$time_local  $server_addr  $request_method';
server {
    listen       80;
    server_name  localhost;
    default_type text/plain;
    access_log   /audit/audit_$hostname.log audit;

    location / {
        return 200 "pod_n: $hostname | ip_dest: $server_addr\\n";
    }
}
`;

/** nginx:alpine, and everything of the lecture that is nginx inside. */
export function nginxImages(): readonly ImageSpec[] {
  const audit = both('audit-trail', 'chk-log').map((repository) => onAlpine({ repository, megabytes: 23.4, conf: AUDIT_CONF }));
  const hostname = both('echo-hname', 'chk-hn').map((repository) =>
    onAlpine({ repository, megabytes: 19.5, conf: ECHO_HNAME_CONF, ports: ['80/tcp', '443/tcp'] }),
  );
  const address = both('echo-ip', 'chk-ip').map((repository) =>
    onAlpine({ repository, megabytes: 19.4, conf: textServer('request_method : $request_method | ip_dest: $server_addr') }),
  );
  const hello = ['v1', 'v2'].map((tag) =>
    onAlpine({
      repository: 'docker.io/sysnet4admin/hello',
      tags: tag === 'v1' ? ['v1', 'latest'] : ['v2'],
      megabytes: 17.1,
      conf: textServer(`hello-${tag}`),
    }),
  );
  const dashboards = (
    [
      ['dashboard', 'Dashboard', '#f4f4f4'],
      ['dashboard-bluegreen', 'Dashboard blue', '#0077b6'],
      ['dashboard-canary', 'Dashboard canary', '#ffd60a'],
    ] as const
  ).map(([name, title, colour]) =>
    onAlpine({
      repository: `docker.io/sysnet4admin/${name}`,
      megabytes: 25.6,
      extra: [
        file(
          '/usr/share/nginx/html/index.html',
          `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body style="background:${colour}"><h1>${title}</h1></body>\n</html>\n`,
        ),
      ],
    }),
  );
  return [
    ...OFFICIAL.map(official),
    {
      ...onAlpine({
        repository: 'docker.io/library/nginx',
        tags: ['alpine', '1.21-alpine', '1.21.6-alpine'],
        version: '1.21.6',
        megabytes: 23.4,
        created: '2022-01-27T00:38:11.000000000Z',
        withBash: false,
      }),
    },
    ...hostname,
    ...address,
    ...audit,
    ...hello,
    ...dashboards,
    onAlpine({
      repository: 'docker.io/sysnet4admin/chk-info',
      megabytes: 23.9,
      conf: DEFAULT_CONF.replace('index  index.html', 'ssi    on;\n        index  index.html'),
      extra: [file('/usr/share/nginx/html/index.html', CHK_INFO_PAGE)],
    }),
    onAlpine({
      repository: 'docker.io/sysnet4admin/tardy-nginx',
      megabytes: 23.8,
      cmd: ['/start.sh'],
      extra: [file('/start.sh', TARDY_START, 0o755), file('/usr/share/nginx/html/index.html', TARDY_PAGE)],
    }),
    onAlpine({
      repository: 'docker.io/sysnet4admin/healthz-nginx',
      megabytes: 23.8,
      conf: DEFAULT_CONF.replace(
        '    error_page',
        '    location /healthz {\n        root   /usr/share/nginx/html;\n        add_header purpose health-check;\n        try_files /index.html =404;\n    }\n\n    error_page',
      ),
      extra: [file('/usr/share/nginx/html/index.html', HEALTHZ_PAGE)],
    }),
    onAlpine({
      repository: 'docker.io/sysnet4admin/http-echo',
      megabytes: 17.2,
      cmd: ['/start.sh'],
      extra: [file('/start.sh', HTTP_ECHO_START, 0o755)],
    }),
    onAlpine({
      repository: 'docker.io/sysnet4admin/hpa-cpu-memory',
      megabytes: 92.4,
      conf: DEFAULT_CONF.replace(
        '    error_page',
        '    location /hpa/cpu {\n        default_type text/plain;\n        return 200 "$hostname\\n";\n    }\n\n    error_page',
      ),
    }),
  ];
}
