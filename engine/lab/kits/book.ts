// The files of the book's repository that its Kubernetes chapters apply: our own writing, with the names, objects, labels,
// ports and images the learner knows.

import { deploymentOfThree, lines } from './yaml.ts';

const echoHname = deploymentOfThree({ name: 'echo-hname', app: 'nginx', container: 'echo-hname', image: 'sysnet4admin/echo-hname' });

const audit = (name: string, volume: string, extra = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  replicas: 4
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
      - name: audit-trail
        image: sysnet4admin/audit-trail
        volumeMounts:
        - name: nfs-vol
          mountPath: /audit
      volumes:
      - name: nfs-vol
${volume}${extra}`;

export const BOOK_FILES: ReadonlyMap<string, string> = new Map([
  [
    'ch3/3.1.6/nginx-pod.yaml',
    lines(
      'apiVersion: v1',
      'kind: Pod',
      'metadata:',
      '  name: nginx-pod',
      'spec:',
      '  containers:',
      '  - name: container-name',
      '    image: nginx',
    ),
  ],
  ['ch3/3.2.4/echo-hname.yaml', echoHname],
  ['ch3/3.2.8/echo-hname.yaml', echoHname],
  ['ch3/3.2.10/rollout-nginx.yaml', deploymentOfThree({ name: 'rollout-nginx', app: 'nginx', container: 'nginx', image: 'nginx:1.15.12' })],
  [
    'ch3/3.3.1/nodeport.yaml',
    `apiVersion: v1
kind: Service
metadata:
  name: np-svc
spec:
  selector:
    app: np-pods
  ports:
  - name: http
    protocol: TCP
    port: 80
    targetPort: 80
    nodePort: 30000
  type: NodePort
`,
  ],
  [
    'ch3/3.4.3/nfs-pv.yaml',
    `apiVersion: v1
kind: PersistentVolume
metadata:
  name: nfs-pv
spec:
  capacity:
    storage: 100Mi
  accessModes:
  - ReadWriteMany
  persistentVolumeReclaimPolicy: Retain
  nfs:
    server: 192.168.1.10
    path: /nfs_shared
`,
  ],
  [
    'ch3/3.4.3/nfs-pvc.yaml',
    `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: nfs-pvc
spec:
  accessModes:
  - ReadWriteMany
  resources:
    requests:
      storage: 10Mi
`,
  ],
  ['ch3/3.4.3/nfs-pvc-deploy.yaml', audit('nfs-pvc-deploy', '        persistentVolumeClaim:\n          claimName: nfs-pvc\n')],
  ['ch3/3.4.3/nfs-ip.yaml', audit('nfs-ip', '        nfs:\n          server: 192.168.1.10\n          path: /nfs_shared\n')],
  [
    'ch3/3.4.3/limits-pvc.yaml',
    `apiVersion: v1
kind: LimitRange
metadata:
  name: storagelimits
spec:
  limits:
  - type: PersistentVolumeClaim
    max:
      storage: 5Mi
    min:
      storage: 1Mi
`,
  ],
  [
    'ch3/3.4.3/quota-pvc.yaml',
    `apiVersion: v1
kind: ResourceQuota
metadata:
  name: storagequota
spec:
  hard:
    persistentvolumeclaims: "5"
    requests.storage: "25Mi"
`,
  ],
]);
