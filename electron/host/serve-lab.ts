// A lab with its doors, without a window: what `nobox serve` runs.

import path from 'node:path';
import type { HostedLab } from './hosted-lab.ts';
import { LabDoors } from './doors.ts';
import type { GuestLoginOpener } from './gateways/guest-ssh.ts';
import { openBrowserDoor } from './gateways/websocket.ts';
import { hostShells } from './pty/host-shell.ts';
import { LabService } from './serve.ts';

/** Folder of the built screen, seen from the bundled host. */
export const SCREEN_FILES = path.join(import.meta.dirname, '../renderer');

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly files: string;
  /** Argv of the nobox command, for the helpers of the host-shell tab; no tab when left out. */
  readonly nobox?: readonly string[];
  readonly login: GuestLoginOpener;
  readonly onError: (error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

export interface ServedLab {
  readonly url: string;
  readonly ssh: Readonly<Record<string, number>>;
  readonly kubeconfig: string | undefined;
  /** A bug of ours came up outside of any call: every screen is told. */
  fault(error: unknown): void;
  close(): Promise<void>;
}

/** Opens all doors. A door that cannot be opened is told to `onError`; without the browser's there is no service. */
export async function serveLab(lab: HostedLab, options: ServeOptions): Promise<ServedLab> {
  let doors: LabDoors | undefined;
  const shells =
    options.nobox === undefined
      ? undefined
      : hostShells({ nobox: options.nobox, environment: () => environmentFor(doors?.view().api.kubeconfig) });
  const service = new LabService({
    lab,
    doors: (own) => (doors = new LabDoors({ service: own, login: options.login, onError: options.onError })),
    onError: options.onError,
    onFault: options.onFault,
    ...(shells === undefined ? {} : { openHostShell: (size) => shells.open(size) }),
  });
  const closeService = async (): Promise<void> => {
    await doors?.close();
    shells?.dispose();
    await service.close();
  };
  try {
    for (const door of ['ssh', 'api'] as const) await doors!.set(door, true).catch(options.onError);
    const browser = await openBrowserDoor({
      service,
      files: options.files,
      port: options.port,
      host: options.host,
      onError: options.onError,
    });
    service.touch();
    const { ssh, api } = doors!.view();
    return {
      url: browser.url,
      ssh: ssh.ports,
      kubeconfig: api.kubeconfig,
      fault: (error) => service.fault(error),
      close: async () => {
        await browser.close();
        await closeService();
      },
    };
  } catch (error) {
    await closeService();
    throw error;
  }
}

function environmentFor(kubeconfig: string | undefined): Record<string, string> {
  return kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig };
}
