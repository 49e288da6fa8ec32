// Exposes one object and passes a MessagePort on. No logic.

import { contextBridge, ipcRenderer } from 'electron';

contextBridge.exposeInMainWorld('nobox', {
  platform: process.platform,
  requestPort: () => ipcRenderer.send('nobox:request-port'),
  onCommand: (listener: (command: string) => void) => {
    ipcRenderer.on('nobox:command', (_, command: string) => listener(command));
  },
});

ipcRenderer.on('nobox:port', (event) => {
  window.postMessage('nobox:port', '*', [...event.ports]);
});
