// Who may come in through the browser's door, and what is served there.

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { FakeLab } from '../../../tests/support/fake-lab.ts';
import { LabService } from '../serve.ts';
import { openBrowserDoor, type BrowserDoor } from './websocket.ts';

let door: BrowserDoor;
let service: LabService;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'nobox-screen-'));
  mkdirSync(path.join(folder, 'screen'));
  writeFileSync(path.join(folder, 'screen/index.html'), '<!doctype html>');
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  service = new LabService({
    lab: new FakeLab(),
    doors: () => ({
      view: () => ({ ssh: { isOpen: false, ports: {} }, api: { isOpen: false, url: undefined, kubeconfig: undefined } }),
      set: () => Promise.resolve(),
      kubeconfig: () => Promise.resolve(''),
    }),
    onError: () => undefined,
    onFault: (error) => {
      throw error;
    },
  });
  door = await openBrowserDoor({ service, files: path.join(folder, 'screen'), port: 0, host: '127.0.0.1', onError: () => undefined });
});
afterEach(async () => {
  await door.close();
  await service.close();
  rmSync(folder, { recursive: true });
});

function connect(options: { readonly token?: string; readonly headers?: Record<string, string>; readonly path?: string }): Promise<string> {
  const { token = door.url.split('#')[1]!, headers = {}, path: name = '/lab' } = options;
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${door.port}${name}`, ['nobox', `token.${token}`], { headers });
    socket.on('open', () => {
      resolve('open');
      socket.close();
    });
    socket.on('error', (error) => resolve(error.message));
  });
}

function get(target: string, headers: Record<string, string> = {}): Promise<{ readonly status: number; readonly policy: unknown }> {
  return new Promise((resolve, reject) => {
    request({ port: door.port, path: target, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, policy: response.headers['content-security-policy'] });
    })
      .on('error', reject)
      .end();
  });
}

describe('the browser door', () => {
  test.each([
    ['our page with the token', {}, 'open'],
    ['a wrong token', { token: 'guess' }, 'Unexpected server response: 401'],
    ['a page of another origin', { headers: { origin: 'http://evil.example' } }, 'Unexpected server response: 403'],
    ['a name that was rebound to this address', { headers: { host: 'evil.example' } }, 'Unexpected server response: 403'],
    ['another path', { path: '/other' }, 'Unexpected server response: 404'],
  ] as const)('%s: %s', async (_, options, want) => {
    expect(await connect(options)).toBe(want);
  });

  test.each([
    ['the page', '/', 200],
    ['a file outside the folder', '/../secret.txt', 404],
    ['one that is escaped', '/%2e%2e/secret.txt', 404],
    ['a path that is none', '/%', 404],
    ['what is not there', '/nothing', 404],
  ])('serves %s: %s', async (_, target, want) => {
    expect((await get(target)).status).toBe(want);
  });

  test('serves nothing to a rebound name, and a policy with everything', async () => {
    expect((await get('/', { host: 'evil.example' })).status).toBe(403);
    expect((await get('/')).policy).toContain("default-src 'none'");
  });

  test('ends a connection that sends what is not of the protocol', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${door.port}/lab`, ['nobox', `token.${door.url.split('#')[1]!}`]);
    const code = await new Promise((resolve) => {
      socket.on('open', () => socket.send('{"type":"shutdown"}'));
      socket.on('close', resolve);
    });
    expect(code).toBe(1002);
  });
});
