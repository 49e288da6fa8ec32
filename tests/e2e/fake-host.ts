// Serves the built screen over a lab of cardboard: for tests of the screen alone, and to work on it.

import path from 'node:path';
import { FakeLab } from '../support/fake-lab.ts';
import { LabService } from '../../electron/host/serve.ts';
import { openBrowserDoor } from '../../electron/host/gateways/websocket.ts';

const service = new LabService({
  lab: new FakeLab(),
  doors: () => ({
    view: () => ({ ssh: { isOpen: false, ports: {} }, api: { isOpen: false, url: undefined, kubeconfig: undefined } }),
    set: () => Promise.resolve(),
    kubeconfig: () => Promise.resolve(''),
  }),
  onError: () => undefined,
  onFault: (error) => console.error(error),
});
const door = await openBrowserDoor({
  service,
  files: path.resolve(process.argv[2] ?? 'out/renderer'),
  port: Number(process.argv[3] ?? 0),
  host: '127.0.0.1',
  onError: (error) => console.error(error),
});
console.log(door.url);
