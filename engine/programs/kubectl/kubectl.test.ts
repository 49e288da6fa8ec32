import { describe, expect, it } from 'vitest';
import { KubectlLab } from '../../../tests/support/kubectl-lab.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: nginx-pod\nspec:\n  containers:\n  - name: c\n    image: nginx\n';

describe('kubectl before an API server', () => {
  it('creates, lists, scales and deletes a deployment', async () => {
    const lab = await KubectlLab.open();
    const say = async (line: string): Promise<string> => {
      const { stdout, stderr } = await lab.run(line.split(' '));
      return stdout + stderr;
    };
    expect(await say('create deployment web --image=nginx')).toBe('deployment.apps/web created\n');
    expect(await say('create deployment web --image=nginx')).toBe(
      'error: failed to create deployment: deployments.apps "web" already exists\n',
    );
    expect(await say('get deploy -o name')).toBe('deployment.apps/web\n');
    expect(await say('get pods')).toBe('No resources found in default namespace.\n');
    expect(await say('scale deploy web --replicas=3')).toBe('deployment.apps/web scaled\n');
    expect(await say('get deploy web -o jsonpath={.spec.replicas}')).toBe('3');
    expect(await say('set image deployment web nginx=nginx:1.19')).toBe('deployment.apps/web image updated\n');
    expect(await say('get deploy web -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image')).toBe(
      'NAME   IMAGE\nweb    nginx:1.19\n',
    );
    expect(await say('expose deployment web --type=NodePort --port=80')).toBe('service/web exposed\n');
    expect(await say('delete deployment web')).toBe('deployment.apps "web" deleted\n');
    expect(await say('delete deployment web')).toBe('Error from server (NotFound): deployments.apps "web" not found\n');
  });

  it('applies a file: created, unchanged, configured, and warns of a missing annotation', async () => {
    const lab = await KubectlLab.open({ files: { '/root/work/pod.yaml': POD } });
    const apply = async (stdin?: string): Promise<string> => {
      const { stdout, stderr } = await lab.run(
        ['apply', '-f', stdin === undefined ? 'pod.yaml' : '-'],
        stdin === undefined ? {} : { stdin },
      );
      return stdout + stderr;
    };
    expect(await apply()).toBe('pod/nginx-pod created\n');
    expect(await apply()).toBe('pod/nginx-pod unchanged\n');
    expect(await apply(POD.replace('image: nginx', 'image: httpd'))).toBe('pod/nginx-pod configured\n');
    await lab.run(['create', 'cm', 'imp', '--from-literal=a=1']);
    const made = await lab.run(['create', 'cm', 'imp', '--from-literal=a=2', '--dry-run=client', '-o', 'yaml']);
    expect(await apply(made.stdout)).toBe(
      'configmap/imp configured\nWarning: resource configmaps/imp is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n',
    );
  });

  it.each([
    ['nosuchcommand', 'Error: unknown command "nosuchcommand" for "kubectl"\nRun \'kubectl --help\' for usage.\n'],
    ['gett pods', 'Error: unknown command "gett" for "kubectl"\n\nDid you mean this?\n\tset\n\tget\n\nRun \'kubectl --help\' for usage.\n'],
    ['get pods -all-namespaces', "Error: unknown shorthand flag: 'a' in -all-namespaces\nSee 'kubectl get --help' for usage.\n"],
    ['get pods -n', "Error: flag needs an argument: 'n' in -n\nSee 'kubectl get --help' for usage.\n"],
    ['create nginx --image=nginx', "Error: unknown flag: --image\nSee 'kubectl create --help' for usage.\n"],
    ['create deploy nginx', 'Error: required flag(s) "image" not set\n'],
    [
      'create deploy --image=nginx',
      "error: exactly one NAME is required, got 0\nSee 'kubectl create deployment -h' for help and examples\n",
    ],
    ['create secret nosuch x', 'error: unknown command "nosuch x"\nSee \'kubectl create secret -h\' for help and examples\n'],
    ['get nosuch', 'error: the server doesn\'t have a resource type "nosuch"\n'],
    ['get pods web -A', 'error: a resource cannot be retrieved by name across all namespaces\n'],
    [
      'get pods -o nosuch',
      'error: unable to match a printer suitable for the output format "nosuch", allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml\n',
    ],
    [
      'delete',
      "error: You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'\n",
    ],
    ['apply -f nosuch.yaml', 'error: the path "nosuch.yaml" does not exist\n'],
    [
      'logs one --since=abc',
      'Error: invalid argument "abc" for "--since" flag: time: invalid duration "abc"\nSee \'kubectl logs --help\' for usage.\n',
    ],
    ['drain', "error: USAGE: drain NODE [flags]\nSee 'kubectl drain -h' for help and examples\n"],
    ['get pods --context=nosuch', 'Error in configuration: context was not found for specified context: nosuch\n'],
    ['get pods --kubeconfig=/nosuch', 'error: stat /nosuch: no such file or directory\n'],
    [
      '--server=http://127.0.0.1:9999 get nodes',
      'The connection to the server 127.0.0.1:9999 was refused - did you specify the right host or port?\n',
    ],
  ])('says of `kubectl %s` what the real one says', async (line, stderr) => {
    const lab = await KubectlLab.open();
    expect(await lab.run(line.split(' '))).toEqual({ stdout: '', stderr, exit: 1 });
  });

  it('talks to localhost:8080 without a kubeconfig', async () => {
    const lab = await KubectlLab.open({ kubeconfig: false });
    expect((await lab.run(['get', 'nodes'])).stderr).toBe(
      'The connection to the server localhost:8080 was refused - did you specify the right host or port?\n',
    );
  });
});
