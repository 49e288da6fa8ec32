// Kustomizations that the real kubectl and ours both build: a name that says what is tried, and the files below one directory.

export interface Fixture {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The directory to build; `.` when left out. */
  readonly target?: string;
}

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      serviceAccountName: runner
      initContainers:
      - name: init
        image: busybox:1.28
        envFrom:
        - secretRef: {name: keys}
      containers:
      - name: nginx
        image: nginx:1.14.2
        env:
        - name: MODE
          valueFrom:
            configMapKeyRef: {name: settings, key: mode}
        ports:
        - containerPort: 80
        volumeMounts:
        - {name: data, mountPath: /data}
      volumes:
      - name: data
        persistentVolumeClaim: {claimName: data}
      - name: settings
        configMap: {name: settings}
      - name: keys
        secret: {secretName: keys}
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - port: 80
    targetPort: 8080
`;
const ACCOUNT = `apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [keys]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: runner, namespace: default}
- {kind: User, name: jane}
`;
const REST = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: web, annotations: {ingress.kubernetes.io/auth-secret: keys}}
spec:
  tls: [{hosts: [a.example], secretName: keys}]
  rules:
  - host: a.example
    http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: c, image: "registry:5000/tool@sha256:00", envFrom: [{configMapRef: {name: settings}}]}
`;
const CUSTOM = `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 1, parts: [a, b], old: true}
`;
const GENERATORS = `configMapGenerator:
- name: settings
  literals: [mode=dark, "quoted='x'", empty=, 'eq=a=b']
secretGenerator:
- name: keys
  literals: [password=s3cret]
`;
const BASE = { 'base/kustomization.yaml': `resources: [web.yaml, service.yaml]\n${GENERATORS}`, 'base/web.yaml': WEB, 'base/service.yaml': SERVICE };
const kustomization = (text: string, files: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  'kustomization.yaml': text,
  ...files,
});
const ALL = { 'web.yaml': WEB, 'service.yaml': SERVICE, 'account.yaml': ACCOUNT, 'rest.yaml': REST };
const ALL_RESOURCES = 'resources: [rest.yaml, web.yaml, account.yaml, service.yaml]\n';
const patched = (patch: string, more = ''): Readonly<Record<string, string>> =>
  kustomization(`resources: [web.yaml]\npatchesStrategicMerge: [patch.yaml]\n${more}`, { 'web.yaml': WEB, 'patch.yaml': patch });
const deploymentPatch = (spec: string): string => `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: ${spec}\n`;
const jsonPatched = (operations: string, target = '{group: apps, version: v1, kind: Deployment, name: web}'): Readonly<Record<string, string>> =>
  kustomization(`resources: [web.yaml]\npatchesJson6902:\n- target: ${target}\n  path: p\n`, { 'web.yaml': WEB, p: operations });

export const FIXTURES: readonly Fixture[] = [
  { name: 'resources of every kind in their order', files: kustomization(ALL_RESOURCES, ALL) },
  { name: 'prefix and suffix, followed by references', files: kustomization(`namePrefix: a-\nnameSuffix: -z\n${ALL_RESOURCES}${GENERATORS}`, ALL) },
  { name: 'a namespace', files: kustomization(`namespace: shop\n${ALL_RESOURCES}${GENERATORS}`, ALL) },
  { name: 'labels and annotations', files: kustomization(`commonLabels: {team: red}\ncommonAnnotations: {note: "1"}\n${ALL_RESOURCES}`, ALL) },
  { name: 'images', files: kustomization(`images:\n- {name: nginx, newTag: "1.17"}\n- {name: busybox, newName: mirror/busybox, digest: "sha256:12"}\n- {name: registry:5000/tool, newTag: v2}\n${ALL_RESOURCES}`, ALL) },
  { name: 'images of a pod without init containers', files: kustomization('images: [{name: nginx, newName: a, newTag: b}]\nresources: [p.yaml]\n', { 'p.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: n, image: nginx}]}\n' }) },
  { name: 'generators', files: kustomization('configMapGenerator:\n- name: a\n  namespace: n\n  files: [x.txt, other=x.txt, bin]\n- name: b\n  env: b.env\nsecretGenerator:\n- name: tls\n  type: kubernetes.io/tls\n  files: [tls.crt=x.txt, tls.key=x.txt]\n', { 'x.txt': 'one\n<two> & "three"\n', 'b.env': '# remark\nA=1\n\n B=two words\nC=\n', bin: '\u0000é' }) },
  { name: 'generator options', files: kustomization(`generatorOptions: {disableNameSuffixHash: true, labels: {l: v}, annotations: {a: b}}\n${GENERATORS}`) },
  { name: 'an empty generated map', files: kustomization('configMapGenerator: [{name: e}]\nsecretGenerator: [{name: s}]\n') },
  { name: 'an overlay of a base', files: { ...BASE, ...kustomization('bases: [base]\nnamePrefix: dev-\ncommonLabels: {env: dev}\nnamespace: dev\n') } },
  { name: 'a target beside its base', target: 'dev', files: { ...BASE, 'dev/kustomization.yaml': 'bases: [../base]\nnamePrefix: dev-\n' } },
  { name: 'merged and replaced generated maps', files: { ...BASE, ...kustomization('bases: [base]\nnamePrefix: p-\nconfigMapGenerator:\n- {name: settings, behavior: merge, literals: [mode=light, more=1]}\nsecretGenerator:\n- {name: keys, behavior: replace, literals: [token=t]}\n') } },
  { name: 'two bases with prefixes of their own', files: { ...BASE, 'one/kustomization.yaml': 'bases: [../base]\nnamePrefix: one-\n', 'two/kustomization.yaml': 'bases: [../base]\nnamePrefix: two-\n', ...kustomization('bases: [one, two]\nnameSuffix: -x\n') } },
  { name: 'a strategic patch', files: patched(deploymentPatch('{replicas: 3, template: {spec: {containers: [{name: nginx, resources: {limits: {cpu: 100m}}}, {name: side, image: side}], volumes: [{name: data, $patch: delete}]}}}')) },
  { name: 'a patch of a base that has a prefix', files: { ...BASE, 'mid/kustomization.yaml': 'bases: [../base]\nnamePrefix: m-\n', ...kustomization('bases: [mid]\npatches: [p.yaml]\n', { 'p.yaml': deploymentPatch('{replicas: 7}') }) } },
  { name: 'a patch of a custom resource', files: kustomization('namePrefix: x-\nresources: [w.yaml]\npatchesStrategicMerge: [p.yaml]\n', { 'w.yaml': CUSTOM, 'p.yaml': 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {parts: [c], old: null}\n' }) },
  { name: 'two patches of one object', files: kustomization('resources: [web.yaml]\npatchesStrategicMerge: [a.yaml, b.yaml]\n', { 'web.yaml': WEB, 'a.yaml': deploymentPatch('{replicas: 2}'), 'b.yaml': deploymentPatch('{minReadySeconds: 5}') }) },
  { name: 'patches that conflict', files: kustomization('resources: [web.yaml]\npatchesStrategicMerge: [a.yaml, b.yaml]\n', { 'web.yaml': WEB, 'a.yaml': deploymentPatch('{replicas: 2}'), 'b.yaml': deploymentPatch('{replicas: 4}') }) },
  { name: 'a patch without an object', files: patched('apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\n') },
  { name: 'a JSON patch as YAML', files: jsonPatched('- {op: replace, path: /spec/replicas, value: 9}\n- {op: add, path: /spec/template/spec/containers/0/args, value: [a]}\n- {op: remove, path: /metadata/labels}\n') },
  { name: 'a JSON patch as JSON', files: jsonPatched('[{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}]') },
  { name: 'a JSON patch without an object', files: jsonPatched('[{"op": "remove", "path": "/a"}]', '{version: v1, kind: Pod, name: web}') },
  { name: 'a JSON patch of a path that is not there', files: jsonPatched('[{"op": "remove", "path": "/spec/nosuch"}]') },
  { name: 'a JSON patch without a target', files: kustomization('patchesJson6902: [{path: p}]\n', { p: '[]' }) },
  { name: 'variables', files: kustomization('namePrefix: v-\nresources: [service.yaml, pod.yaml]\nvars:\n- {name: SERVICE, objref: {kind: Service, name: web, apiVersion: v1}}\n- {name: PORT, objref: {kind: Service, name: web, apiVersion: v1}, fieldref: {fieldPath: metadata.name}}\n', { 'service.yaml': SERVICE, 'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, command: [echo, "$(SERVICE) $(PORT) $(OTHER) $$x $y"]}]}\n' }) },
  { name: 'a variable of nothing', files: kustomization('vars: [{name: X, objref: {kind: Service, name: web, apiVersion: v1}}]\n') },
  { name: 'lists', files: kustomization('resources: [l.yaml]\n', { 'l.yaml': 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {k: v}}\n' }) },
  { name: 'affinity, claims and policies take labels', files: kustomization('commonLabels: {x: y}\nresources: [s.yaml]\n', { 's.yaml': 'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\nspec:\n  serviceName: web\n  volumeClaimTemplates: [{metadata: {name: d}}]\n  template:\n    spec:\n      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: h, labelSelector: {matchLabels: {a: b}}}]}}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n}\nspec: {podSelector: {matchLabels: {a: b}}, ingress: [{from: [{podSelector: {matchLabels: {c: d}}}]}]}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {serviceAccountName: runner}}}\n' }) },
  { name: 'a configuration file', files: kustomization('namePrefix: q-\nresources: [w.yaml, m.yaml]\nconfigurations: [c.yaml]\n', { 'w.yaml': `${CUSTOM}  ref: {name: m}\n`.replace('spec: {size: 1, parts: [a, b], old: true}\n', 'spec:\n'), 'm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n', 'c.yaml': 'nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {kind: Widget, path: spec/ref/name}\n' }) },
  { name: 'an empty file', files: kustomization('') },
  { name: 'no file', files: { 'x.yaml': WEB } },
  { name: 'two files', files: { 'kustomization.yaml': '', Kustomization: '' } },
  { name: 'another name of the file', files: { 'kustomization.yml': 'resources: [service.yaml]\n', 'service.yaml': SERVICE } },
  { name: 'a resource that is not there', files: kustomization('resources: [a.yaml, b.yaml]\n') },
  { name: 'a resource that is a directory', files: { ...BASE, ...kustomization('resources: [base]\n') } },
  { name: 'a resource above the directory', target: 'in', files: { 'in/kustomization.yaml': 'resources: [../service.yaml]\n', 'service.yaml': SERVICE } },
  { name: 'a base that is not there', files: kustomization('bases: [nosuch, neither]\n') },
  { name: 'a base that is the directory', files: kustomization('bases: [.]\n') },
  { name: 'a base that is a file', files: kustomization('bases: [x.yaml]\n', { 'x.yaml': '' }) },
  { name: 'a base without a kustomization', files: kustomization('bases: [empty]\n', { 'empty/x.yaml': '' }) },
  { name: 'an absolute resource', files: kustomization('resources: [/etc/hostname]\n') },
  { name: 'one object twice', files: kustomization('resources: [a.yaml, b.yaml]\n', { 'a.yaml': SERVICE, 'b.yaml': SERVICE }) },
  { name: 'one object twice in a file', files: kustomization('resources: [a.yaml]\n', { 'a.yaml': `${SERVICE}---\n${SERVICE}` }) },
  { name: 'one generated map twice', files: kustomization('configMapGenerator: [{name: a}, {name: a}]\n') },
  { name: 'a merge with nothing', files: kustomization('configMapGenerator: [{name: a, behavior: merge}]\n') },
  { name: 'an object that is generated, too', files: kustomization('resources: [m.yaml]\nconfigMapGenerator: [{name: m}]\n', { 'm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n' }) },
  { name: 'a bad literal', files: kustomization('configMapGenerator: [{name: a, literals: [x]}]\n') },
  { name: 'a bad key', files: kustomization('secretGenerator: [{name: a, literals: ["x y=1"]}]\n') },
  { name: 'a key twice', files: kustomization('configMapGenerator: [{name: a, literals: [x=1, x=2]}]\n') },
  { name: 'a file that is not there', files: kustomization('configMapGenerator: [{name: a, files: [k=nosuch]}]\n') },
  { name: 'a bad file source', files: kustomization('configMapGenerator: [{name: a, files: [a=b=c]}]\n') },
  { name: 'an object without a kind', files: kustomization('resources: [a.yaml]\n', { 'a.yaml': 'a: 1\n' }) },
  { name: 'an object without a name', files: kustomization('resources: [a.yaml]\n', { 'a.yaml': 'apiVersion: v1\nkind: Pod\n' }) },
  { name: 'bad YAML in a resource', files: kustomization('resources: [a.yaml]\n', { 'a.yaml': 'a: b: c\n' }) },
  { name: 'bad YAML in the kustomization', files: kustomization('resources:\n- a\n b: c\n') },
  { name: 'an unknown field', files: kustomization('replicas: [{name: web, count: 3}]\n') },
  { name: 'an unknown field further in', files: kustomization('images: [{name: a, tag: b}]\n') },
  { name: 'a number for a label', files: kustomization('commonLabels: {a: 1}\n') },
  { name: 'a text for a list', files: kustomization('resources: web.yaml\n') },
  { name: 'an object for a patch', files: kustomization('patches: [{path: p.yaml, target: {kind: Deployment}}]\n') },
  { name: 'a list for a map', files: kustomization('commonAnnotations: [a]\n') },
  { name: 'a wrong type further in', files: kustomization('configMapGenerator: [{name: a, literals: {a: b}}]\n') },
  { name: 'a wrong apiVersion and kind', files: kustomization('apiVersion: v1\nkind: Pod\n') },
];
