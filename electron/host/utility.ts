// The lab's process in the desktop app: Electron's main process forks it and hands every window a port to it.

import './heap.ts';
import './signatures.ts';
import { onUnhandledRejection } from './rejections.ts';
import { LabDoors } from './doors.ts';
import { openLab } from './lab-host.ts';
import { loginToGuest } from './gateways/guest-login.ts';
import { hostShells } from './pty/host-shell.ts';
import { LabService } from './serve.ts';

/** What Electron's utility process adds to Node, as far as it is used here. */
interface ParentPort {
  on(event: 'message', listener: (message: { readonly data: unknown; readonly ports: readonly WindowPort[] }) => void): void;
  postMessage(message: unknown): void;
}
interface WindowPort {
  on(event: 'message', listener: (message: { readonly data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
}

const parent = (process as unknown as { readonly parentPort?: ParentPort }).parentPort;
if (parent === undefined) throw new Error('this file is run by the desktop app; use `nobox serve` without it');
void main(parent, process.argv[2]);

async function main(parent: ParentPort, file: string | undefined): Promise<void> {
  const report = (error: unknown): void => console.error(error);
  const lab = await openLab({ path: file });
  let doors: LabDoors | undefined;
  const shells = hostShells({
    nobox: [process.execPath, 'nobox'],
    environment: () => ({ ...(doors?.view().api.kubeconfig === undefined ? {} : { KUBECONFIG: doors.view().api.kubeconfig! }) }),
  });
  const service = new LabService({
    lab,
    doors: (own) => (doors = new LabDoors({ service: own, login: loginToGuest, onError: report })),
    ...(shells === undefined ? {} : { openHostShell: (size) => shells.open(size) }),
    onError: report,
    onFault: report,
  });
  onUnhandledRejection((error) => service.fault(error));
  process.on('uncaughtException', (error) => service.fault(error));
  parent.on('message', ({ data, ports }) => {
    const port = ports[0];
    if (data === 'beat') parent.postMessage('beat');
    else if (data === 'connect' && port !== undefined) serveWindow(service, port, report);
    else if (data === 'stop') void stop();
  });

  const stop = async (): Promise<void> => {
    await doors?.close();
    shells?.dispose();
    await service.close();
    process.exit(0);
  };
}

function serveWindow(service: LabService, port: WindowPort, report: (error: unknown) => void): void {
  const session = service.connect({ send: (frame) => port.postMessage(frame) });
  port.on('message', ({ data }) => {
    try {
      session.receive(data);
    } catch (error) {
      // What is not of the protocol did not come from our page.
      report(error);
      port.close();
    }
  });
  port.on('close', () => session.disconnected());
  port.start();
}
