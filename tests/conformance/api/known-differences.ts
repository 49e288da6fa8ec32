// Command lines whose output differs from the recording, by file, and why that is right.

const LAB = 'what the lab has: its kernel, docker, network add-on, images, nodes, pods and their times';
const NODES = 'the scheduler chose other nodes';
const MOMENT = 'what was to be seen just then; the recording had containers without processes behind them';
const RANDOM = 'names are random, and rows are in order of names';
const CRASH = "Debian's kubectl crashes here, the recorded one did not";
const AFTER_CRASH = 'follows from the crash before';
const GO_MAP = "Go's order of a map, which changes from run to run";
const POINTERS = 'addresses of pointers in memory';
const NO_CONTROLLER = 'controllers that we do not have yet have no account';

export const KNOWN_DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '01-version-config.txt': {
    'kubectl config set-credentials bob --username=bob --password=secret': CRASH,
    'kubectl config set-credentials bob --token=abc': CRASH,
    'kubectl config view': AFTER_CRASH,
    'kubectl config delete-user bob': AFTER_CRASH,
  },
  '02-get.txt': {
    'kubectl get nodes -o wide': LAB,
    'kubectl get node w1-k8s -o yaml': LAB,
    'kubectl get node m-k8s -o json': LAB,
    'kubectl get pods --all-namespaces -o wide': NODES,
    'kubectl get pods -n kube-system -o wide': NODES,
    'kubectl get pods -n kube-system --field-selector spec.nodeName=m-k8s': NODES,
    'kubectl get endpointslices -A': GO_MAP,
    'kubectl get ds -n kube-system -o wide': LAB,
    'kubectl get rs -n kube-system -o wide': LAB,
    'kubectl get deploy -n kube-system -o wide': LAB,
    'kubectl get sa -A --no-headers': NO_CONTROLLER,
    'kubectl get rolebindings -A': LAB,
    'kubectl get clusterroles': LAB,
    'kubectl get clusterrolebindings': LAB,
    'kubectl get cs': GO_MAP,
    'kubectl get componentstatuses': GO_MAP,
    'kubectl get leases -A': RANDOM,
    'kubectl get crd': LAB,
    'kubectl get csr': LAB,
    'kubectl get events': LAB,
    'kubectl get pods -n kube-system --sort-by=.status.startTime': LAB,
    "kubectl get pods -n kube-system --sort-by='{.spec.nodeName}'": NODES,
  },
  '06-rollout.txt': {
    'kubectl get pods -o=custom-columns=NAME:.metadata.name,IP:.status.podIP,STATUS:.status.phase,NODE:.spec.nodeName': NODES,
    'kubectl rollout status deployment rollout-nginx': MOMENT,
    'kubectl get pods': MOMENT,
    'kubectl get deploy rollout-nginx -o yaml': MOMENT,
    'kubectl rollout status deploy/once': MOMENT,
    'kubectl rollout status ds/agent': MOMENT,
    'kubectl get pods -l app=agent -o wide': NODES,
    'kubectl describe ds agent': MOMENT,
    'kubectl rollout status sts/sts': MOMENT,
    'kubectl get pods -l app=sts -o wide': NODES,
    'kubectl describe sts sts': MOMENT,
    'kubectl get controllerrevisions': RANDOM,
    'kubectl get sts,pods': MOMENT,
  },
  '07-apply-edit.txt': {
    'kubectl get deploy echo-hname -o yaml': MOMENT,
    'kubectl get deploy': MOMENT,
    'kubectl apply -f echo-hname.yaml --dry-run=client -o yaml': MOMENT,
    'kubectl replace -f nginx-pod.yaml': NODES,
    "sed 's/container-name/other-name/' nginx-pod.yaml | kubectl apply -f -": NODES,
    "sed 's/container-name/other-name/' nginx-pod.yaml | kubectl replace -f -": NODES,
    'kubectl patch deploy echo-hname -p \'{"spec":{"nosuch":1}}\'': MOMENT,
    'kubectl kustomize nosuch': 'another working directory',
  },
  '11-validation.txt': {
    'kubectl apply -f label.yaml': GO_MAP,
    "sed 's/image: busybox/image: alpine/' jobok.yaml | kubectl apply -f -": POINTERS,
  },
  '18-logs-exec.txt': {
    'kubectl logs -l app=x --all-containers --prefix': GO_MAP,
    'kubectl logs deploy/dep': LAB,
    'kubectl cp one:/nosuch ./x': 'the words of the tar in the image',
  },
  '24-static-pods.txt': {
    'kubectl get pods -n kube-system -o wide': RANDOM,
    'kubectl get pods -n kube-system': MOMENT,
    'kubectl get pod kube-scheduler-m-k8s -n kube-system -o yaml': LAB,
  },
};
