// A lab with its HTTPS door open, and the computer's own kubectl v1.20.2 in front of it.

import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ClockDriver } from '../../../electron/host/clock-driver.ts';
import { openApiDoor, type ApiDoor } from '../../../electron/host/gateways/api.ts';
import { QuietRelay } from './quiet-relay.ts';
import { findKubectl } from '../../../scripts/lib/real-kubectl.mjs';
import { openLab, type LabHost } from '../../../electron/host/lab-host.ts';

export const TEMPLATE = path.resolve(import.meta.dirname, '../../../out/host/lecture-1.20.lab');

export const KUBECTL = findKubectl();

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** How many times faster than the wall the lab lives while it has time: what kubectl waits for comes soon. */
const SPEED = 20;
/** kubectl costs no lab time: the clock stands until it has said nothing for so long, so it must be waiting. */
const QUIET_MS = 250;
const LOOK_MS = 20;

export interface RunOptions {
  readonly interruptAfterMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A command that takes longer hangs. */
const LIMIT_MS = 60_000;

export class RealKubectl {
  readonly lab: LabHost;
  readonly #driver: ClockDriver;
  readonly #door: ApiDoor;
  readonly #relay: QuietRelay;
  readonly #url: string;
  readonly #folder: string;
  readonly #faults: unknown[] = [];

  private constructor(lab: LabHost, driver: ClockDriver, door: ApiDoor, relay: QuietRelay, port: number, faults: unknown[]) {
    this.lab = lab;
    this.#driver = driver;
    this.#door = door;
    this.#relay = relay;
    this.#url = `https://127.0.0.1:${port}`;
    this.#faults = faults;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'nobox-kubectl-'));
    mkdirSync(path.join(this.#folder, 'bin'));
    mkdirSync(path.join(this.#folder, '.kube'));
    mkdirSync(path.join(this.#folder, 'work'));
    if (KUBECTL === undefined) throw new Error('kubectl v1.20.2 is not installed');
    symlinkSync(KUBECTL, path.join(this.#folder, 'bin/kubectl'));
    writeFileSync(path.join(this.#folder, '.kube/config'), door.kubeconfig.replaceAll(door.url, this.#url), { mode: 0o600 });
  }

  static async open(options: { readonly seed: number }): Promise<RealKubectl> {
    const faults: unknown[] = [];
    const lab = await openLab({ seed: options.seed, template: TEMPLATE });
    const pki = lab.clusterPki();
    if (pki === undefined) throw new Error('the lab has no cluster');
    const driver = new ClockDriver({ clock: lab.clock, onFault: (error) => faults.push(error) });
    driver.setSpeed(SPEED);
    driver.start();
    const door = await openApiDoor({ lab, driver, pki, onError: (error) => faults.push(error) });
    const relay = new QuietRelay();
    const port = await relay.listen(Number(new URL(door.url).port));
    const opened = new RealKubectl(lab, driver, door, relay, port, faults);
    const untilMs = Date.now() + 20_000;
    while ((await opened.run('kubectl get --raw /readyz')).exit !== 0 && Date.now() < untilMs) await rest(100);
    return opened;
  }

  /** What went wrong in the lab itself, not in answers of it. */
  get faults(): readonly unknown[] {
    return this.#faults;
  }

  /** The door itself, for clients of another kind, and the administrator's identity. */
  get door(): { readonly url: string; readonly identity: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } } {
    const field = (name: string): Buffer => Buffer.from(new RegExp(`${name}: (\\S+)`).exec(this.#door.kubeconfig)?.[1] ?? '', 'base64');
    const identity = { ca: field('certificate-authority-data'), cert: field('client-certificate-data'), key: field('client-key-data') };
    return { url: this.#door.url, identity };
  }

  write(name: string, text: string): void {
    const file = path.join(this.#folder, 'work', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** A line of bash; addresses of the door read like the lab's own. */
  async run(command: string, options: RunOptions = {}): Promise<Printed> {
    this.#relay.touch();
    this.#driver.hold('kubectl');
    const look = setInterval(() => {
      if (this.#relay.quietMs > QUIET_MS) this.#driver.release('kubectl');
      else this.#driver.hold('kubectl');
    }, LOOK_MS);
    try {
      return await this.#bash(command, options);
    } finally {
      clearInterval(look);
      this.#driver.release('kubectl');
    }
  }

  /** Lets lab time pass. */
  async pass(labSeconds: number): Promise<void> {
    const untilMs = this.lab.clock.now() + labSeconds * 1000;
    while (this.lab.clock.now() < untilMs) await rest(20);
  }

  async close(): Promise<void> {
    await this.#relay.close();
    await this.#door.close();
    await this.#driver.stop();
    await this.lab.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #bash(command: string, options: RunOptions): Promise<Printed> {
    return new Promise((resolve, reject) => {
      const child = spawn('bash', ['-c', command], {
        cwd: path.join(this.#folder, 'work'),
        env: {
          PATH: `${path.join(this.#folder, 'bin')}:/usr/bin:/bin`,
          HOME: this.#folder,
          KUBECONFIG: path.join(this.#folder, '.kube/config'),
          ...options.environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const kill = (signal: NodeJS.Signals): void => {
        try {
          process.kill(-child.pid!, signal);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      };
      const { interruptAfterMs } = options;
      const interrupt = interruptAfterMs === undefined ? undefined : setTimeout(() => kill('SIGINT'), interruptAfterMs);
      const limit = setTimeout(() => kill('SIGKILL'), LIMIT_MS);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(interrupt);
        clearTimeout(limit);
        resolve({ stdout: this.#asInTheLab(stdout), stderr: this.#asInTheLab(stderr), exit: code ?? (signal === 'SIGINT' ? 130 : 137) });
      });
    });
  }

  /** The door's address and the folder it works in read like the lab's. */
  #asInTheLab(text: string): string {
    return text
      .replaceAll(this.#url, 'https://192.168.1.10:6443')
      .replaceAll(this.#url.slice('https://'.length), '192.168.1.10:6443')
      .replaceAll(`${this.#folder}/work`, '/root/work')
      .replaceAll(this.#folder, '/root');
  }
}

export function rest(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
