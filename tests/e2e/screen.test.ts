// The built screen in a real browser, with a lab of cardboard behind it: what the screen itself must do.

import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowserDoor, type BrowserDoor } from '../../electron/host/gateways/websocket.ts';
import { LabService } from '../../electron/host/serve.ts';
import { FakeLab } from '../support/fake-lab.ts';
import { composeHangul, hasBrowser, launchBrowser, openPage, typeLine, untilShown } from './browser.ts';

const FILES = path.resolve(import.meta.dirname, '../../out/renderer');

describe.skipIf(!hasBrowser)(`the screen${hasBrowser ? '' : ' (skipped: no Chromium here)'}`, () => {
  let browser: Browser;
  let lab: FakeLab;
  let service: LabService;
  let door: BrowserDoor;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  async function openDoor(port = 0): Promise<void> {
    lab = new FakeLab();
    service = new LabService({
      lab,
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
    door = await openBrowserDoor({ service, files: FILES, port, host: '127.0.0.1', onError: () => undefined });
  }

  beforeEach(async () => {
    await openDoor();
    page = await openPage(browser, door.url);
  });
  afterEach(async () => {
    await page.context().close();
    await door.close();
    await service.close();
  });

  test('opens one tab for each machine and switches by Alt and digit', async () => {
    expect(await page.getByRole('tab').allInnerTexts()).toEqual(['m-k8s', 'w1-k8s', 'w2-k8s', 'w3-k8s']);
    await untilShown(page, '[root@m-k8s ~]#');
    await typeLine(page, 'echo on the master');
    await untilShown(page, /^on the master/m);
    await page.keyboard.press('Alt+2');
    await untilShown(page, '[root@w1-k8s ~]#');
    await typeLine(page, 'echo on a worker');
    await untilShown(page, /^on a worker/m);
    await page.keyboard.press('Alt+1');
    await untilShown(page, /^on the master/m);
  });

  test('shows a pod as soon as it is there', async () => {
    await untilShown(page, '#');
    await typeLine(page, 'pod web-1');
    await page.locator('[data-pod="web-1"][data-status="Running"]').waitFor();
    await typeLine(page, 'pod web-2 ErrImagePull');
    await page.locator('[data-pod="web-2"][data-status="ErrImagePull"]').waitFor();
    await typeLine(page, 'delete');
    await page.locator('[data-pod="web-1"]').waitFor({ state: 'detached' });
  });

  test('a reload keeps the scrollback, the tabs and the settings', async () => {
    await untilShown(page, '#');
    await typeLine(page, 'flood 60');
    await untilShown(page, 'line 59');
    await page.keyboard.press('Alt+3');
    await untilShown(page, '[root@w2-k8s ~]#');
    await page.getByRole('button', { name: 'Switch theme' }).click();
    await page.reload();
    await untilShown(page, '[root@w2-k8s ~]#');
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('light');
    await page.keyboard.press('Alt+1');
    await untilShown(page, 'line 59');
    for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+PageUp');
    await untilShown(page, 'line 0 ');
  });

  test('saves a snapshot, restores it, and connects the terminals again', async () => {
    await untilShown(page, '#');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('before');
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').filter({ hasText: 'before' }).waitFor();
    // The focus is on a button now; typing means the terminal all the same.
    await typeLine(page, 'pod broken Error');
    await page.locator('[data-pod="broken"]').waitFor();
    await page.getByRole('button', { name: 'Restore: before' }).click();
    await page.locator('[data-pod="broken"]').waitFor({ state: 'detached' });
    await untilShown(page, /closed by remote host\.[\s\S]*\[root@m-k8s ~\]#/);
  });

  test('Hangul arrives syllable by syllable, and once', async () => {
    await untilShown(page, '#');
    await page.keyboard.type('echo ');
    await composeHangul(page, ['ㅎ', '하', '한'], '한');
    await composeHangul(page, ['ㄱ', '그', '글'], '글');
    await page.keyboard.press('Enter');
    await untilShown(page, /echo 한글\s*\n한글\s*\n/);
  });

  test('a paste of several lines asks first, and escape sequences are taken out', async () => {
    await untilShown(page, '#');
    await page.evaluate(() => navigator.clipboard.writeText('echo one\necho \u001b[201~two\n'));
    await page.keyboard.press('Control+Shift+V');
    const dialog = page.getByRole('dialog', { name: 'Paste several lines' });
    await dialog.waitFor();
    expect(await dialog.locator('pre').innerText()).toBe('echo one\necho [201~two\n');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('Control+Shift+V');
    await dialog.getByRole('button', { name: 'Paste' }).click();
    await untilShown(page, /^\[201~two/m);
  });

  test('a machine that is shut down ends its terminal; Enter connects again once it is on', async () => {
    await page.keyboard.press('Alt+4');
    await untilShown(page, '[root@w3-k8s ~]#');
    await page.getByRole('button', { name: '60× speed' }).click();
    await page.getByRole('button', { name: 'w3-k8s: Shut down (ACPI)' }).click();
    await page.locator('[data-machine="w3-k8s"][data-power="off"]').waitFor();
    await untilShown(page, 'Connection to 127.0.0.1 closed by remote host.');
    await page.getByText('The session has ended.').waitFor();
    await page.getByRole('button', { name: 'w3-k8s: Start' }).click();
    await page.locator('[data-machine="w3-k8s"][data-power="on"]').waitFor();
    await untilShown(page, /closed by remote host\.[\s\S]*\[root@w3-k8s ~\]#/);
  });

  test('more tabs, their numbers, closing and splitting', async () => {
    await untilShown(page, '#');
    await page.keyboard.press('Alt+Shift+N');
    await page.getByRole('tab', { name: 'm-k8s (2)' }).waitFor();
    await page.keyboard.press('Alt+Shift+S');
    expect(await page.locator('.pane').count()).toBe(2);
    await page.keyboard.press('Alt+Shift+W');
    await page.getByRole('tab', { name: 'm-k8s (2)' }).waitFor({ state: 'detached' });
  });

  test('time can be stopped and hurried', async () => {
    const clock = page.locator('time');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    const stopped = await clock.innerText();
    await page.waitForTimeout(1200);
    expect(await clock.innerText()).toBe(stopped);
    await page.getByRole('button', { name: '60× speed' }).click();
    await page.waitForTimeout(1500);
    const passedMs = Date.parse(`${await clock.innerText()}Z`) - Date.parse(`${stopped}Z`);
    expect(passedMs).toBeGreaterThan(45_000);
  });

  test('a flood of output is drawn whole while the host holds the clock when it must', async () => {
    await untilShown(page, '#');
    await typeLine(page, 'flood 20000');
    await untilShown(page, 'line 19999');
    await typeLine(page, 'echo still here');
    await untilShown(page, /^still here/m);
    expect(service.driver.isHeld).toBe(false);
  });

  test('says when the host is gone, and goes on when it is back', async () => {
    await untilShown(page, '#');
    const { port } = door;
    await door.close();
    await page.getByRole('alertdialog').getByText('The connection to the lab was lost').waitFor();
    await service.close();
    await openDoor(port);
    // Another host has another token: the page may not come in by itself.
    await page.goto(door.url);
    await page.reload();
    await untilShown(page, '[root@m-k8s ~]#');
    expect(await page.getByRole('alertdialog').count()).toBe(0);
  });

  test('speaks Korean when asked, and English again', async () => {
    await page.getByRole('button', { name: '한국어로 바꾸기' }).click();
    await page.getByRole('heading', { name: '머신' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ko');
    await page.getByRole('button', { name: 'Switch to English' }).click();
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
  });

  test('nothing is wider than the smallest window', async () => {
    await page.setViewportSize({ width: 800, height: 480 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await untilShown(page, '#');
  });
});
