// Command lines at which our kubectl prints something else than kubectl v1.20.2, and why.

const OWN_WORDS = 'help is written in our own words';
const NOT_YET = 'not built yet';
const WRAPPING = 'Go prints a percent sign of the text as a format, or wraps at another place';

export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'kubectl create secret': OWN_WORDS,
  'kubectl create service': OWN_WORDS,
  'kubectl create': OWN_WORDS,
  'kubectl create --raw /api/v1/namespaces': OWN_WORDS,
  'kubectl set': OWN_WORDS,
  'kubectl auth': OWN_WORDS,
  'kubectl top': OWN_WORDS,
  'kubectl plugin': OWN_WORDS,
  'kubectl certificate': OWN_WORDS,
  'kubectl config set': OWN_WORDS,
  'kubectl config use-context': OWN_WORDS,
  'kubectl alpha': OWN_WORDS,
  'kubectl alpha nosuch': OWN_WORDS,
  'kubectl explain deploy.spec.strategy.rollingUpdate.maxSurge': WRAPPING,
  'kubectl create quota q2 --hard=pods=x': NOT_YET,
  'kubectl create job j3 --from=deploy/nginx': NOT_YET,
  'kubectl apply -f two.yaml --prune -l app=nothing --dry-run=client': NOT_YET,
  'kubectl rollout status deployment': NOT_YET,
  'kubectl set image -f web.yaml nginx=nginx:1.17 --local -o yaml': NOT_YET,
  'kubectl config view -o json': NOT_YET,
  'kubectl config set-cluster c1 --embed-certs --certificate-authority=nosuch': NOT_YET,
  'kubectl config set-credentials u2 --client-certificate=nosuch --embed-certs': NOT_YET,
  'kubectl config view --kubeconfig=nosuch': NOT_YET,
  'kubectl explain svc.spec': NOT_YET,
  'kubectl explain ing.spec.rules.http --api-version=networking.k8s.io/v1beta1': NOT_YET,
  'kubectl explain crd.spec.versions': NOT_YET,
  'kubectl explain ippools': NOT_YET,
  'kubectl explain ippools.spec': NOT_YET,
  'kubectl get ns --certificate-authority=nosuch': NOT_YET,
  'kubectl get ns --client-certificate=nosuch': NOT_YET,
  'kubectl wait pod nosuch --for=delete': NOT_YET,
};
