// Images everybody uses: busybox, alpine, httpd, and the tool images of the lecture.

import { alpine, alpineLayer, BULLSEYE, busybox, debian, DEBIAN_LAYERS, directory, entries, file, program, type Entries } from './bases.ts';
import { layer, step, type ImageSpec } from './image.ts';

const PATH_ENV = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const HTTPD_CONF = `ServerRoot "/usr/local/apache2"
Listen 80
ServerAdmin you@example.com
DocumentRoot "/usr/local/apache2/htdocs"
DirectoryIndex index.html
ErrorLog /proc/self/fd/2
CustomLog /proc/self/fd/1 common
`;
const HTTPD_FILES: Entries = [
  file('/usr/local/apache2/conf/httpd.conf', HTTPD_CONF),
  file('/usr/local/apache2/htdocs/index.html', '<html><body><h1>It works!</h1></body></html>\n'),
  directory('/usr/local/apache2/logs'),
  file(
    '/usr/local/bin/httpd-foreground',
    '#!/bin/sh\nset -e\nrm -f /usr/local/apache2/logs/httpd.pid\nexec httpd -DFOREGROUND "$@"\n',
    0o755,
  ),
  program('/usr/local/apache2/bin/httpd', 'httpd'),
];
const HTTPD_ENV = [
  'PATH=/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HTTPD_PREFIX=/usr/local/apache2',
  'HTTPD_VERSION=2.4.52',
];

const BASHRC = "export PS1='\\[\\e[32;1m\\][\\u@\\h \\W]\\$ \\[\\e[0m\\]'\n";
const TOOLS: Entries = [
  program('/bin/bash', 'bash'),
  program('/usr/bin/curl', 'curl'),
  program('/usr/bin/jq', 'jq'),
  program('/usr/bin/nslookup', 'nslookup'),
  program('/usr/bin/dig', 'dig'),
  program('/usr/bin/host', 'host'),
  file('/root/.bashrc', BASHRC),
  file(
    '/usr/local/bin/curlchk',
    '#!/bin/bash\nif curl -s -o /dev/null --connect-timeout 3 "$1"; then echo "$1 is OK" > /proc/1/fd/1; else echo "$1 is not OK" > /proc/1/fd/1; fi\n',
    0o755,
  ),
];

function onAlpine(repository: string, megabytes: number, cmd: readonly string[], env: readonly string[] = []): ImageSpec {
  return {
    repository,
    tags: ['latest', 'v1'],
    created: '2021-04-20T09:31:02.000000000Z',
    config: { cmd, env: [PATH_ENV, ...env] },
    layers: [alpineLayer('3.13.5'), layer(`${repository}:tools`, megabytes - 5.6, '/bin/sh -c apk add --no-cache bash curl jq bind-tools')],
    entries: entries(alpine('3.13.5'), TOOLS),
  };
}

export function generalImages(): readonly ImageSpec[] {
  return [
    {
      repository: 'docker.io/library/busybox',
      tags: ['latest', '1.34', '1.34.1', '1', 'stable'],
      created: '2021-12-30T19:19:41.000000000Z',
      config: { cmd: ['sh'], env: [PATH_ENV] },
      layers: [
        layer('busybox:1.34.1', 1.24, '/bin/sh -c #(nop) ADD file:6db446a57cbd2b7f4cfde1f280177b458390ed5a6d1b54c6 in / '),
        step('/bin/sh -c #(nop)  CMD ["sh"]'),
      ],
      entries: entries(busybox()),
    },
    {
      repository: 'docker.io/library/busybox',
      tags: ['1.28.4', '1.28'],
      created: '2018-05-23T21:19:44.000000000Z',
      config: { cmd: ['sh'], env: [PATH_ENV] },
      layers: [layer('busybox:1.28.4', 1.15, '/bin/sh -c #(nop) ADD file:96fda64a6b725d4df in / '), step('/bin/sh -c #(nop)  CMD ["sh"]')],
      entries: entries(busybox()),
    },
    {
      repository: 'docker.io/library/alpine',
      tags: ['latest', '3.15', '3.15.0', '3'],
      created: '2021-11-24T20:19:40.000000000Z',
      config: { cmd: ['/bin/sh'], env: [PATH_ENV] },
      layers: [alpineLayer('3.15.0'), step('/bin/sh -c #(nop)  CMD ["/bin/sh"]')],
      entries: entries(alpine('3.15.0')),
    },
    {
      repository: 'docker.io/library/debian',
      tags: ['latest', 'bullseye', '11'],
      created: '2022-03-01T02:20:44.000000000Z',
      config: { cmd: ['bash'], env: [PATH_ENV] },
      layers: [
        layer('debian:bullseye', 124, '/bin/sh -c #(nop) ADD file:3a4ac31c8b9ef8b6d in / '),
        step('/bin/sh -c #(nop)  CMD ["bash"]'),
      ],
      entries: entries(debian(BULLSEYE)),
    },
    {
      repository: 'docker.io/library/httpd',
      tags: ['latest', '2.4', '2.4.52'],
      created: '2022-01-26T09:24:38.000000000Z',
      config: {
        cmd: ['httpd-foreground'],
        env: HTTPD_ENV,
        exposedPorts: ['80/tcp'],
        workingDirectory: '/usr/local/apache2',
        stopSignal: 'SIGWINCH',
      },
      layers: [
        DEBIAN_LAYERS.bullseye,
        layer('httpd:2.4.52', 63.2, '/bin/sh -c set -eux;   savedAptMark="$(apt-mark showmanual)"'),
        step('/bin/sh -c #(nop)  CMD ["httpd-foreground"]'),
      ],
      entries: entries(debian(BULLSEYE), HTTPD_FILES),
    },
    {
      repository: 'docker.io/library/httpd',
      tags: ['alpine', '2.4-alpine'],
      created: '2022-01-27T02:11:30.000000000Z',
      config: {
        cmd: ['httpd-foreground'],
        env: HTTPD_ENV,
        exposedPorts: ['80/tcp'],
        workingDirectory: '/usr/local/apache2',
        stopSignal: 'SIGWINCH',
      },
      layers: [
        alpineLayer('3.15.0'),
        layer('httpd:2.4.52-alpine', 49.3, '/bin/sh -c set -eux;   runDeps="apr-dev"'),
        step('/bin/sh -c #(nop)  CMD ["httpd-foreground"]'),
      ],
      entries: entries(alpine('3.15.0'), HTTPD_FILES),
    },
    {
      repository: 'docker.io/library/hello-world',
      tags: ['latest'],
      created: '2021-09-23T23:47:57.442225064Z',
      config: { cmd: ['/hello'], env: [PATH_ENV] },
      layers: [
        layer('hello-world', 0.0133, '/bin/sh -c #(nop) COPY file:50563a97010fd7ce1ceebd1fa4f4891ac3decdf428333fb2683696f4358af6c2 in / '),
      ],
      entries: new Map([program('/hello', 'docker-hello')]),
      idPrefix: 'feb5d9fea6a5',
    },
    onAlpine('docker.io/sysnet4admin/net-tools', 18.9, ['/bin/sh'], ['HOSTNAME=net-tools']),
    onAlpine('docker.io/sysnet4admin/net-tools-ifn', 18.9, ['sleep', 'infinity']),
    onAlpine('docker.io/sysnet4admin/sleepy', 9.9, ['sleep', 'infinity']),
  ];
}
