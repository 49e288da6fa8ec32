// Models the programs of Calico's other images: the CNI plugins, their installer, the flex volume installer, the controllers.

import { utf8 } from '../../sim/bytes.ts';
import { executable } from '../../fs/image-tree.ts';
import { calicoAdd, calicoCheck, calicoDel, ipamAdd, ipamDel } from '../../kube/cni/calico-plugin.ts';
import { portMapAdd, portMapDel } from '../../kube/cni/portmap.ts';
import { PluginError, runPlugin } from '../../kube/cni/plugin.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { untilEnd } from './component.ts';

const HOST_BIN = '/host/opt/cni/bin';
const HOST_NET = '/host/etc/cni/net.d';
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What the image brings along besides Calico's own. */
const BINARIES = ['bandwidth', 'calico', 'calico-ipam', 'flannel', 'host-local', 'loopback', 'portmap', 'tuning'];

export const calicoPlugin: Program = {
  name: 'calico',
  paths: [],
  main: (process) => runPlugin(process, { add: calicoAdd, del: calicoDel, check: calicoCheck }),
};

export const calicoIpam: Program = {
  name: 'calico-ipam',
  paths: [],
  main: async (process) => {
    // The manifest's first init container moves addresses over from host-local; there are none.
    if (process.argv[1] === '-upgrade') {
      await process.stdout.write(
        utf8('migrate from host-local to calico-ipam complete node="' + (process.env.get('KUBERNETES_NODE_NAME') ?? '') + '"\n'),
      );
      return 0;
    }
    return runPlugin(process, { add: ipamAdd, del: ipamDel });
  },
};

export const portMap: Program = {
  name: 'portmap',
  paths: [],
  main: (process) => runPlugin(process, { add: portMapAdd, del: portMapDel }),
};

export const loopback: Program = {
  name: 'loopback',
  paths: [],
  main: (process) =>
    runPlugin(process, {
      add: (call) => {
        call.netns?.setLink('lo', { isUp: true });
        return Promise.resolve({
          interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00' }],
          ips: [{ version: '4', address: '127.0.0.1/8', interface: 0 }],
        });
      },
      del: () => Promise.resolve(),
    }),
};

/** Shapes traffic only where a pod asks for it by annotation, which nobody here does. */
export const bandwidth: Program = {
  name: 'bandwidth',
  paths: [],
  main: (process) =>
    runPlugin(process, {
      add: (call) => {
        const previous = call.input.prevResult;
        return previous === undefined ? Promise.reject(new PluginError('must be called as chained plugin')) : Promise.resolve(previous);
      },
      del: () => Promise.resolve(),
    }),
};

export const calicoInstallCni: Program = {
  name: 'calico-install-cni',
  paths: [],
  main: async (process) => {
    const { sys, env } = process;
    const say = (line: string): Promise<void> => process.stdout.write(utf8(`${line}\n`));
    sys.mkdir(HOST_BIN, { recursive: true });
    sys.mkdir(HOST_NET, { recursive: true });
    for (const name of BINARIES) {
      // An executable that runs is not rewritten: replacing it under its feet is ETXTBSY's business.
      const isOurs = name === 'calico' || name === 'calico-ipam';
      if (isOurs || !sys.exists(`${HOST_BIN}/${name}`)) sys.writeFile(`${HOST_BIN}/${name}`, executable(name), { mode: 0o755 });
    }
    await say('Wrote Calico CNI binaries to /host/opt/cni/bin');
    await say('CNI plugin version: v3.17.1');
    sys.writeFile(`${HOST_NET}/calico-kubeconfig`, kubeconfig(process), { mode: 0o600 });
    const fileName = env.get('CNI_CONF_NAME') ?? '10-calico.conflist';
    const template = env.get('CNI_NETWORK_CONFIG') ?? '';
    const contents = template
      .replaceAll('__KUBERNETES_NODE_NAME__', env.get('KUBERNETES_NODE_NAME') ?? sys.hostname())
      .replaceAll('__CNI_MTU__', env.get('CNI_MTU') ?? '0')
      .replaceAll('__KUBECONFIG_FILEPATH__', '/etc/cni/net.d/calico-kubeconfig')
      .replaceAll('__LOG_LEVEL__', 'info');
    sys.writeFile(`${HOST_NET}/${fileName}`, contents, { mode: 0o644 });
    await say(`Created /host/etc/cni/net.d/${fileName}`);
    await say('Done configuring CNI.  Sleep= false');
    return 0;
  },
};

function kubeconfig({ sys, env }: Process): string {
  const host = env.get('KUBERNETES_SERVICE_HOST') ?? '';
  const port = env.get('KUBERNETES_SERVICE_PORT') ?? '443';
  const ca = btoa(sys.readTextFile(`${ACCOUNT}/ca.crt`));
  return [
    '# Kubeconfig file for Calico CNI plugin.',
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    '- name: local',
    '  cluster:',
    `    server: https://[${host}]:${port}`,
    `    certificate-authority-data: ${ca}`,
    'users:',
    '- name: calico',
    '  user:',
    `    token: "${sys.readTextFile(`${ACCOUNT}/token`).trim()}"`,
    'contexts:',
    '- name: calico-context',
    '  context:',
    '    cluster: local',
    '    user: calico',
    'current-context: calico-context',
    '',
  ].join('\n');
}

/** Copies its one driver to the host and ends. */
export const flexVolInstaller: Program = {
  name: 'flexvol-installer',
  paths: [],
  main: (process) => {
    process.sys.mkdir('/host/driver', { recursive: true });
    process.sys.writeFile('/host/driver/uds', executable('flexvol-uds'), { mode: 0o550 });
    return Promise.resolve(0);
  },
};

/** Its controllers look after policies and stale objects of the datastore, of which this lab has none to look after. */
export const calicoKubeControllers: Program = {
  name: 'calico-kube-controllers',
  paths: [],
  main: async (process) => {
    const { sys } = process;
    const now = new Date(sys.now()).toISOString().replace('T', ' ').replace('Z', '');
    if (!process.resumed) await process.stderr.write(utf8(`${now} [INFO][1] main.go 88: Loaded configuration from environment\n`));
    return untilEnd(process, () => sys.block<number>(() => undefined));
  },
};

/** `check-status -r`: the readiness probe of calico-kube-controllers. */
export const checkStatus: Program = {
  name: 'check-status',
  paths: [],
  main: async (process) => {
    if (process.argv[1] !== '-r') return 1;
    await process.stdout.write(utf8('Ready\n'));
    return 0;
  },
};
