// What `vagrant up` does on a new lab: switch the machines on and run the provisioning scripts on each, m-k8s first.

import { text } from '../sim/bytes.ts';
import type { Machine } from '../machine/machine.ts';
import type { Lab } from './lab.ts';
import { CLONED } from './repositories.ts';

/** The raw address of Calico's manifest on the emulated internet; the lecture kit keeps it in its repository. */
export const CALICO_URL = 'https://raw.githubusercontent.com/sysnet4admin/IaC/master/manifests/172.16_net_calico_v1.yaml';

/** A provisioning step that failed. */
export class ProvisionError extends Error {
  override readonly name = 'ProvisionError';
}

/** Says what happens, a line at a time, as `vagrant up` prints it. */
export type Progress = (machine: string, line: string) => void;

/** Brings a new lab up: four Ready nodes and every pod of kube-system Running. Somebody must move the clock meanwhile. */
export async function provision(lab: Lab, progress: Progress): Promise<void> {
  for (const machine of lab.machines) {
    progress(machine.name, 'Booting VM...');
    machine.powerOn();
  }
  for (const machine of lab.machines) {
    await poweredOn(machine);
    progress(machine.name, 'Machine booted and ready!');
    await script(
      lab,
      machine.name,
      'systemctl is-active docker >/dev/null || systemctl start docker; systemctl enable docker kubelet 2>/dev/null',
      progress,
    );
  }
  const master = lab.profile.controlPlane;
  const address = lab.machine(master).spec.address;
  const init = `kubeadm init --token ${lab.profile.token} --token-ttl 0 --pod-network-cidr=${lab.profile.podNetwork} --apiserver-advertise-address=${address}`;
  await script(lab, master, init, progress);
  await script(
    lab,
    master,
    'mkdir -p /root/.kube && cp -i /etc/kubernetes/admin.conf /root/.kube/config && chown 0:0 /root/.kube/config',
    progress,
  );
  await script(lab, master, `kubectl apply -f ${CALICO_URL}`, progress);
  await cloneRepositories(lab, master);
  // CoreDNS and Calico's controllers land on the control plane, as on the real lab: it is the only node by then.
  await until(lab, master, "kubectl get pods -n kube-system --no-headers | grep -c '1/1 .*Running'", /^9$/m);
  for (const machine of lab.machines) {
    if (machine.name === master) continue;
    const join = `kubeadm join --token ${lab.profile.token} --discovery-token-unsafe-skip-ca-verification ${address}:6443`;
    await script(lab, machine.name, join, progress);
  }
  await until(lab, master, "kubectl get nodes --no-headers | grep -c ' Ready '", new RegExp(`^${lab.machines.length}$`, 'm'));
  await until(
    lab,
    master,
    'kubectl get pods -n kube-system --no-headers | awk \'{split($2, n, "/")} $3 != "Running" || n[1] != n[2]\' | wc -l',
    /^0$/m,
  );
}

/** The repositories in root's home on the control plane, as the last provisioning script clones them. */
async function cloneRepositories(lab: Lab, machine: string): Promise<void> {
  for (const [repository, files] of Object.entries(CLONED)) {
    for (const [path, contents] of files) {
      const target = `/root/${repository}/${path}`;
      await capture(lab, machine, `mkdir -p ${target.slice(0, target.lastIndexOf('/'))} && cat > ${target}`, contents);
    }
  }
}

async function poweredOn(machine: Machine): Promise<void> {
  if (machine.power === 'on') return;
  await new Promise<void>((resolve) => {
    const listening = machine.onPower((power) => {
      if (power !== 'on') return;
      listening.dispose();
      resolve();
    });
  });
}

async function script(lab: Lab, machine: string, command: string, progress: Progress): Promise<void> {
  const { status, output } = await capture(lab, machine, command);
  for (const line of output.split('\n')) if (line !== '') progress(machine, line);
  if (status === 0) return;
  const journal = await capture(lab, machine, 'journalctl -n 60 --no-pager -o cat');
  throw new ProvisionError(`${machine}: ${command}: exit status ${status}\n${output}\n${journal.output}`);
}

/** Asks every five seconds, for ten minutes of lab time at most. */
async function until(lab: Lab, machine: string, command: string, pattern: RegExp): Promise<void> {
  let last = '';
  for (let i = 0; i < 120; i++) {
    last = (await capture(lab, machine, command)).output;
    if (pattern.test(last)) return;
    await lab.clock.sleep(5000);
  }
  const state = await capture(lab, machine, 'kubectl get nodes; kubectl get pods -A -o wide; journalctl -u kubelet -n 20 --no-pager');
  throw new ProvisionError(`${machine}: ${command}: still "${last.trim()}" after ten minutes\n${state.output}`);
}

async function capture(
  lab: Lab,
  machine: string,
  command: string,
  stdin?: string,
): Promise<{ readonly status: number; readonly output: string }> {
  let output = '';
  const take = (bytes: Uint8Array): void => {
    output += text(bytes);
  };
  const status = await lab.agent(machine).run(command, { onStdout: take, onStderr: take, ...(stdin === undefined ? {} : { stdin }) });
  return { status, output };
}
