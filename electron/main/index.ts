// The desktop shell: a window, a menu and the process the lab lives in. No lab in here.

import { app } from 'electron';
import { serveScreen, registerScheme } from './scheme.ts';
import { HostProcess } from './host-process.ts';
import { buildMenu } from './menu.ts';
import { hardenContents, LabWindow } from './window.ts';

registerScheme();
hardenContents();

if (!app.requestSingleInstanceLock()) app.quit();
else void start();

async function start(): Promise<void> {
  await app.whenReady();
  serveScreen();
  const host = new HostProcess();
  const window = new LabWindow(host);
  buildMenu(window);
  host.start();
  window.open();
  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  app.on('window-all-closed', () => app.quit());
  app.on('before-quit', (event) => {
    // The host commits and closes its file before the app goes.
    if (host.isStopped) return;
    event.preventDefault();
    void host.stop().then(() => app.quit());
  });
}
