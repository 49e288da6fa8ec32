// Sessions of kubectl that go on while others happen: kubectl proxy as a server on m-k8s.

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openLab } from '../../../electron/host/lab-host.ts';
import { TEMPLATE } from '../api/real-kubectl.ts';

const SCRIPT = `
mkdir -p /tmp/www/sub; echo hello > /tmp/www/a.txt
kubectl proxy --port=8011 --www=/tmp/www > /tmp/proxy.log 2>&1 &
kubectl proxy --port=8012 --api-prefix=/custom/ > /tmp/proxy2.log 2>&1 &
sleep 1
curl -s localhost:8011/api/v1/namespaces/default | grep '"name"'
curl -s -o /dev/null -w '%{http_code}\\n' localhost:8011/api/v1/namespaces/nosuch
curl -s localhost:8011/api/v1/namespaces/default/pods/x/exec
curl -s -H 'Host: evil.example' localhost:8011/version
curl -s localhost:8011/static/a.txt
curl -s localhost:8011/static/
curl -s localhost:8012/custom/version | grep gitVersion
curl -s localhost:8012/version
kubectl proxy --port=8011
kill %1 %2
cat /tmp/proxy.log /tmp/proxy2.log
`;

const WANTED = `    "name": "default",
404
Forbidden
Forbidden
hello
<pre>
<a href="a.txt">a.txt</a>
<a href="sub/">sub/</a>
</pre>
  "gitVersion": "v1.20.2",
404 page not found
Starting to serve on 127.0.0.1:8011
Starting to serve on 127.0.0.1:8012
`;

test.skipIf(!existsSync(TEMPLATE))('kubectl proxy lets other programs speak to the API server, within its filter', async () => {
  const lab = await openLab({ seed: 20, template: TEMPLATE });
  try {
    await lab.advance(15_000);
    const { stdout, stderr } = await lab.run('m-k8s', SCRIPT, { timeoutMs: 60_000 });
    expect(stdout).toBe(WANTED);
    expect(stderr).toBe('error: listen tcp 127.0.0.1:8011: bind: address already in use\n');
  } finally {
    await lab.close();
  }
}, 120_000);
