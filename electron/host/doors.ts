// The doors for real clients of this computer, opened and closed from the screen or by `nobox serve`.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DoorsView } from '#shared/views/views.ts';
import { openApiDoor, type ApiDoor } from './gateways/api.ts';
import type { GuestLoginOpener } from './gateways/guest-ssh.ts';
import { openSshDoor, type SshDoor } from './gateways/ssh.ts';
import type { Doors, LabService } from './serve.ts';

export class LabDoors implements Doors {
  readonly #service: LabService;
  readonly #login: GuestLoginOpener;
  readonly #onError: (error: unknown) => void;
  #ssh: SshDoor | undefined;
  #api: ApiDoor | undefined;
  #folder: string | undefined;

  constructor(options: { readonly service: LabService; readonly login: GuestLoginOpener; readonly onError: (error: unknown) => void }) {
    this.#service = options.service;
    this.#login = options.login;
    this.#onError = options.onError;
  }

  view(): DoorsView {
    return {
      ssh: { isOpen: this.#ssh !== undefined, ports: this.#ssh?.ports ?? {} },
      api: { isOpen: this.#api !== undefined, url: this.#api?.url, kubeconfig: this.#api === undefined ? undefined : this.#kubeconfigFile },
    };
  }

  async set(door: 'ssh' | 'api', isOpen: boolean): Promise<void> {
    if (door === 'ssh') await this.#setSsh(isOpen);
    else await this.#setApi(isOpen);
  }

  async kubeconfig(): Promise<string> {
    await this.#setApi(true);
    return this.#api!.kubeconfig;
  }

  async close(): Promise<void> {
    await this.#setSsh(false);
    await this.#setApi(false);
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #setSsh(isOpen: boolean): Promise<void> {
    const open = this.#ssh;
    if (isOpen === (open !== undefined)) return;
    this.#ssh = undefined;
    if (open !== undefined) await open.close();
    else {
      const { lab, driver } = this.#service;
      this.#ssh = await openSshDoor({ lab, driver, login: this.#login, onError: this.#onError });
    }
  }

  async #setApi(isOpen: boolean): Promise<void> {
    const open = this.#api;
    if (isOpen === (open !== undefined)) return;
    this.#api = undefined;
    if (open !== undefined) {
      await open.close();
      return;
    }
    const { lab, driver } = this.#service;
    const pki = lab.clusterPki();
    if (pki === undefined) throw new Error('there is no cluster yet: kubeadm init has not been run');
    this.#api = await openApiDoor({ lab, driver, pki, onError: this.#onError });
    writeFileSync(this.#kubeconfigFile, this.#api.kubeconfig, { mode: 0o600 });
    chmodSync(this.#kubeconfigFile, 0o600);
  }

  /** It holds an administrator's key: in a folder only its user may enter, gone with the host. */
  get #kubeconfigFile(): string {
    this.#folder ??= mkdtempSync(path.join(tmpdir(), 'nobox-'));
    return path.join(this.#folder, 'kubeconfig');
  }
}
