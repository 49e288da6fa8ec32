// Everything that is a stream or a proxy, as the real kubectl v1.20.2 finds it at the HTTPS door: SPDY through the API server to the
// kubelet, forwarded ports, logs that are followed, proxies.

import { connect as connectHttp2 } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KUBECTL, RealKubectl, rest } from '../api/real-kubectl.ts';

const isThere = KUBECTL !== undefined;
if (!isThere) process.stderr.write('skipped: kubectl v1.20.2 is not installed (Debian: kubernetes-client)\n');

const PODS = `apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  nodeName: w1-k8s
  containers: [{name: c, image: busybox, command: [sh, -c, "echo line1; echo line2; sleep 100000"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  nodeName: w1-k8s
  containers:
  - {name: a, image: busybox, command: [sh, -c, "echo from a; sleep 100000"]}
  - {name: b, image: busybox, command: [sh, -c, "echo from b; sleep 100000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeName: w2-k8s
  containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: cat}
spec:
  nodeName: w1-k8s
  restartPolicy: Never
  containers: [{name: cat, image: busybox, stdin: true, stdinOnce: true, command: [cat]}]
`;

interface Case {
  readonly name: string;
  readonly run: string;
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
  readonly exit?: number;
}

const CASES: readonly Case[] = [
  { name: 'exec', run: 'kubectl exec one -- echo hi', stdout: 'hi\n' },
  { name: 'exec keeps stdout and stderr apart', run: "kubectl exec one -- sh -c 'echo out; echo err >&2'", stdout: 'out\n', stderr: 'err\n' },
  { name: 'exec tells the exit code', run: "kubectl exec one -- sh -c 'exit 7'", stderr: 'command terminated with exit code 7\n', exit: 7 },
  {
    name: 'exec of a command that is not there',
    run: 'kubectl exec one -- nosuch',
    stdout: /^OCI runtime exec failed: exec failed: .* exec: "nosuch": executable file not found in \$PATH: unknown\r?\n$/,
    stderr: 'command terminated with exit code 126\n',
    exit: 126,
  },
  { name: 'exec with stdin', run: 'echo given | kubectl exec -i one -- cat', stdout: 'given\n' },
  { name: 'a large stdin arrives whole', run: 'head -c 2000000 /dev/zero | kubectl exec -i one -- wc -c', stdout: '2000000\n' },
  { name: 'a large stdout arrives whole', run: 'kubectl exec one -- head -c 2000000 /dev/zero | wc -c', stdout: '2000000\n' },
  { name: 'exec -t without -i', run: 'kubectl exec -t one -- echo hi', stdout: /^hi\r?\n$/, stderr: /^$|Unable to use a TTY/ },
  {
    name: 'a terminal',
    run: `script -qefc "stty cols 91 rows 17; kubectl exec -it one -- sh -c 'sleep 1; stty size; exit 5'" /dev/null < /dev/null`,
    stdout: /17 91\r\n/,
    exit: 5,
  },
  {
    name: 'exec into one of several containers needs its name or takes the first',
    run: 'kubectl exec two -- hostname',
    stdout: 'two\n',
    stderr: "Defaulting container name to a.\nUse 'kubectl describe pod/two -n default' to see all of the containers in this pod.\n",
  },
  {
    name: 'exec into a container that is not there',
    run: 'kubectl exec two -c x -- ls',
    stderr: 'Error from server (BadRequest): container x is not valid for pod two\n',
    exit: 1,
  },
  { name: 'exec into a pod that is not there', run: 'kubectl exec zero -- ls', stderr: 'Error from server (NotFound): pods "zero" not found\n', exit: 1 },
  { name: 'attach carries stdin, and its end ends a container that reads it once', run: 'echo through | kubectl attach -i cat', stdout: 'through\n', stderr: /If you don't see/ },
  {
    name: 'cp of a folder there and back',
    run: 'mkdir -p d/e && echo 1 > d/a && echo 2 > d/e/b && kubectl cp d one:/tmp/d && kubectl cp one:/tmp/d back && cat back/a back/e/b',
    stdout: /1\n2\n$/,
  },
  { name: 'cp of a file', run: 'echo x > f && kubectl cp f two:/tmp/f -c b && kubectl exec two -c b -- cat /tmp/f', stdout: 'x\n' },
  { name: 'cp of what is not there', run: 'kubectl cp one:/nosuch there; true', stdout: /No such file or directory/ },
  {
    name: 'port-forward, several ports and connections, and one nobody listens on',
    run:
      '(kubectl port-forward pod/web 28080:80 28081:81 & echo $! > pid; wait) > out 2>&1 & sleep 1; ' +
      'for i in 1 2 3; do curl -s -o /dev/null -w "%{http_code} " http://127.0.0.1:28080/ & done; sleep 1; ' +
      'curl -s http://127.0.0.1:28081/; echo "curl $?"; sleep 1; kill $(cat pid); cat out',
    stdout:
      /^200 200 200 curl (?:52|56)\nForwarding from 127.0.0.1:28080 -> 80\nForwarding from \[::1\]:28080 -> 80\n[^]*an error occurred forwarding 28081 -> 81: error forwarding port 81 to pod [0-9a-f]{64}, uid : exit status 1: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d socat\[\d+\] E connect\(5, AF=2 127\.0\.0\.1:81, 16\): Connection refused/,
  },
  { name: 'logs', run: 'kubectl logs one', stdout: 'line1\nline2\n' },
  { name: 'logs --tail', run: 'kubectl logs one --tail=1', stdout: 'line2\n' },
  { name: 'logs --limit-bytes ends even when followed', run: 'kubectl logs -f one --limit-bytes=7', stdout: 'line1\nl' },
  { name: 'logs --timestamps', run: 'kubectl logs one --timestamps --tail=1', stdout: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line2\n$/ },
  { name: 'logs -f', run: 'timeout 2 kubectl logs -f one; echo $?', stdout: 'line1\nline2\n124\n' },
  {
    name: 'logs --previous of a container that never ended',
    run: 'kubectl logs one --previous',
    stderr: 'Error from server (BadRequest): previous terminated container "c" in pod "one" not found\n',
    exit: 1,
  },
  {
    name: 'logs of one of several containers',
    run: 'kubectl logs two',
    stderr: 'error: a container name must be specified for pod two, choose one of: [a b]\n',
    exit: 1,
  },
  {
    name: 'options of a log that make no sense',
    run: "kubectl get --raw '/api/v1/namespaces/default/pods/one/log?tailLines=-1'",
    stderr: 'The PodLogOptions "one" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0\n',
    exit: 1,
  },
  {
    name: 'proxy to a pod, a service, a node',
    run:
      'kubectl expose pod web --port=80 > /dev/null; kubectl proxy --port=28001 > /dev/null & pid=$!; sleep 1; base=http://127.0.0.1:28001/api/v1; ' +
      'for path in namespaces/default/pods/web/proxy/ namespaces/default/services/web/proxy/ namespaces/default/pods/web:81/proxy/ ' +
      'namespaces/default/services/web:81/proxy/ namespaces/default/services/web/proxy nodes/w1-k8s/proxy/healthz; do ' +
      `curl -s -o body -w "%{http_code} " $base/$path; grep -o '<title>.*</title>\\|"message": .*\\|^ok' body; done; kill $pid`,
    stdout: new RegExp(
      '^200 <title>Welcome to nginx!</title>\n200 <title>Welcome to nginx!</title>\n' +
        '500 "message": "error trying to reach service: dial tcp [\\d.]+:81: connect: connection refused",\n' +
        '503 "message": "no service port 81 found for service \\\\"web\\\\"",\n301 200 ok\n$',
    ),
  },
  {
    name: 'ephemeral containers are behind a gate that is shut',
    run: 'kubectl debug one --image=busybox',
    stderr: 'error: ephemeral containers are disabled for this cluster (error from server: "the server could not find the requested resource").\n',
    exit: 1,
  },
];

function meets(given: string, want: string | RegExp | undefined): void {
  if (want === undefined) return;
  if (typeof want === 'string') expect(given).toBe(want);
  else expect(given).toMatch(want);
}

describe.skipIf(!isThere)('streams and proxies with kubectl v1.20.2', () => {
  let kubectl: RealKubectl;

  beforeAll(async () => {
    kubectl = await RealKubectl.open({ seed: 3 });
    kubectl.write('pods.yaml', PODS);
    await kubectl.run('kubectl apply -f pods.yaml');
    const waited = await kubectl.run('kubectl wait --for=condition=Ready pod/one pod/two pod/web pod/cat --timeout=120s');
    expect(waited.exit).toBe(0);
  }, 120_000);

  afterAll(() => kubectl.close());

  test.each(CASES)(
    '$name',
    async ({ run, stdout, stderr, exit }) => {
      const printed = await kubectl.run(run);
      meets(printed.stderr, stderr);
      meets(printed.stdout, stdout);
      expect(printed.exit).toBe(exit ?? 0);
      expect(kubectl.faults).toEqual([]);
    },
    60_000,
  );

  test('many watches share one HTTP/2 connection, and end with the API server', async () => {
    const { url, identity } = kubectl.door;
    const session = connectHttp2(url, identity);
    session.on('error', () => undefined);
    let ended = 0;
    const seen = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const stream = session.request({ ':path': '/api/v1/namespaces/default/pods?watch=1&resourceVersion=0' });
        stream.on('error', () => undefined);
        stream.on('close', () => ended++);
        return new Promise<string>((resolve) => stream.setEncoding('utf8').once('data', resolve));
      }),
    );
    expect(seen.every((text) => text.startsWith('{"type":"ADDED"'))).toBe(true);
    kubectl.lab.powerOff('m-k8s', 'hard');
    for (let turn = 0; turn < 200 && ended < 30; turn++) await rest(25);
    kubectl.lab.powerOn('m-k8s');
    expect(ended).toBe(30);
    session.destroy();
  }, 60_000);
});

