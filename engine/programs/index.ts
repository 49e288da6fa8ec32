import { programs as admin } from './admin/index.ts';
import { programs as coreutils } from './coreutils/index.ts';
import { programs as daemons } from './daemons/index.ts';
import { programs as docker } from './docker/index.ts';
import { programs as images } from './images/index.ts';
import { programs as kubeadm } from './kubeadm/index.ts';
import { programs as kubectl } from './kubectl/index.ts';
import { programs as net } from './net/index.ts';
import { ProgramRegistry } from './registry.ts';
import { programs as shell } from './shell/index.ts';
import { programs as systemd } from './systemd/index.ts';
import { programs as text } from './text/index.ts';

/** Every program of the lab. */
export function allPrograms(): ProgramRegistry {
  return new ProgramRegistry(shell, coreutils, text, net, admin, systemd, docker, kubectl, kubeadm, daemons, images);
}
