// The files of the starter kit's lecture that its experiments apply: our own writing, with the names the learner knows.

import { deploymentOfThree, lines } from './yaml.ts';

const delPod = lines(
  'apiVersion: v1',
  'kind: Pod',
  'metadata:',
  '  name: del-pod',
  'spec:',
  '  containers:',
  '  - name: nginx',
  '    image: nginx',
);
const delDeploy = deploymentOfThree({ name: 'del-deploy', app: 'del-deploy', container: 'nginx', image: 'nginx' });

export const STARTER_KIT_FILES: ReadonlyMap<string, string> = new Map([
  ['ch3/3.2/del-pod.yaml', delPod],
  ['ch3/3.2/del-deploy.yaml', delDeploy],
  ['ch3/3.4/del-pod.yaml', delPod],
  ['ch3/3.4/del-deploy.yaml', delDeploy],
  ['ch4/4.2/del-deploy.yaml', delDeploy],
]);
