// The one window, and what its page may not do.

import path from 'node:path';
import { app, BrowserWindow, ipcMain, nativeTheme, session, shell } from 'electron';
import type { HostProcess } from './host-process.ts';
import { SCREEN_URL } from './scheme.ts';

const PRELOAD = path.join(import.meta.dirname, '../preload/index.cjs');

export class LabWindow {
  readonly #host: HostProcess;
  #window: BrowserWindow | undefined;

  constructor(host: HostProcess) {
    this.#host = host;
    ipcMain.on('nobox:request-port', (event) => {
      if (event.senderFrame?.url.startsWith('nobox://app/')) this.#host.connect(event.sender);
    });
  }

  open(): void {
    const window = new BrowserWindow({
      width: 1440,
      height: 900,
      minWidth: 760,
      minHeight: 480,
      show: false,
      title: 'NoBox',
      backgroundColor: nativeTheme.shouldUseDarkColors ? '#121a21' : '#f3f5f6',
      webPreferences: { preload: PRELOAD, sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false },
    });
    this.#window = window;
    window.once('ready-to-show', () => window.show());
    window.once('closed', () => (this.#window = undefined));
    void window.loadURL(SCREEN_URL);
  }

  show(): void {
    if (this.#window === undefined) this.open();
    else {
      if (this.#window.isMinimized()) this.#window.restore();
      this.#window.focus();
    }
  }

  /** Something chosen in the menu, for the page to do. */
  command(name: string): void {
    this.#window?.webContents.send('nobox:command', name);
  }
}

/** No other page, no other window, no permission but the clipboard. */
export function hardenContents(): void {
  app.on('web-contents-created', (_, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      if (url.startsWith('https://')) void shell.openExternal(url);
      return { action: 'deny' };
    });
  });
  void app.whenReady().then(() => {
    const allowed = new Set(['clipboard-read', 'clipboard-sanitized-write']);
    session.defaultSession.setPermissionRequestHandler((_, permission, answer) => answer(allowed.has(permission)));
    session.defaultSession.setPermissionCheckHandler((_, permission) => allowed.has(permission));
  });
}
