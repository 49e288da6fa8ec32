// The two roads to a host: a MessagePort in the desktop app, a WebSocket in a browser.

import type { HostFrame } from '#shared/protocol/protocol.ts';
import type { PortOpener } from './host-client.ts';

/** What the preload script puts on `window` in the desktop app. */
export interface DesktopBridge {
  readonly platform: string;
  /** Asks for a port to the host; it arrives as a window message. */
  requestPort(): void;
  /** Something chosen in the application's menu. */
  onCommand(listener: (command: string) => void): void;
}

declare global {
  interface Window {
    readonly nobox?: DesktopBridge;
  }
}

const TOKEN_KEY = 'nobox.token';
const OPEN_WITHIN_MS = 8000;

export function portOpener(): PortOpener {
  return window.nobox === undefined ? openWebSocket : openMessagePort;
}

const openMessagePort: PortOpener = ({ receive, lost }) =>
  new Promise((resolve, reject) => {
    const timeout = setTimeout(() => {
      window.removeEventListener('message', onMessage);
      reject(new Error('the host gave no port'));
    }, OPEN_WITHIN_MS);
    const onMessage = (event: MessageEvent): void => {
      const port = event.ports[0];
      if (event.source !== window || event.data !== 'nobox:port' || port === undefined) return;
      window.removeEventListener('message', onMessage);
      clearTimeout(timeout);
      port.onmessage = (message: MessageEvent<HostFrame>) => receive(message.data);
      port.addEventListener('close', lost);
      port.start();
      resolve({ send: (frame) => port.postMessage(frame), close: () => port.close() });
    };
    window.addEventListener('message', onMessage);
    window.nobox?.requestPort();
  });

const openWebSocket: PortOpener = ({ receive, lost }) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/lab`, ['nobox', `token.${token()}`]);
    let isOpen = false;
    const timeout = setTimeout(() => socket.close(), OPEN_WITHIN_MS);
    socket.onmessage = (message: MessageEvent<string>) => receive(JSON.parse(message.data) as HostFrame);
    socket.onopen = () => {
      isOpen = true;
      clearTimeout(timeout);
      resolve({
        send: (frame) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
        },
        close: () => socket.close(),
      });
    };
    socket.onclose = () => {
      clearTimeout(timeout);
      if (isOpen) lost();
      else reject(new Error('the host does not answer'));
    };
  });

/** The token comes behind the `#` of the address; it is kept for reloads and taken out of sight. */
function token(): string {
  const given = location.hash.slice(1);
  if (given !== '') {
    sessionStorage.setItem(TOKEN_KEY, given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? '';
}
