// The real lab in a real browser, from end to end: two tabs, a pod in the live list, save, break, restore, reload.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { composeHangul, hasBrowser, launchBrowser, openPage, typeLine, untilShown } from './browser.ts';
import { labFolder, serveLab, type LabFolder, type ServedLab } from './served-lab.ts';

const RUNNING = '[data-pod^="web-"][data-status="Running"]';

describe.skipIf(!hasBrowser)(`the lab in a browser${hasBrowser ? '' : ' (skipped: no Chromium here)'}`, () => {
  let browser: Browser;
  let folder: LabFolder;
  let lab: ServedLab;
  let page: Page;

  beforeAll(async () => {
    folder = labFolder();
    [browser, lab] = await Promise.all([launchBrowser(), serveLab(folder.state)]);
    page = await openPage(browser, lab.url);
  });
  afterAll(async () => {
    await browser.close();
    await lab.stop();
    folder.remove();
  });

  test('opens with four nodes Ready and the pods of kube-system Running', async () => {
    await page.locator('.count', { hasText: '4/4 Ready' }).waitFor();
    await expect.poll(() => page.locator('[data-pod][data-status="Running"]').count()).toBe(15);
    await untilShown(page, '[root@m-k8s ~]#');
  });

  test('what is typed in one tab is seen in the other and in the live list', async () => {
    await typeLine(page, 'kubectl create deployment web --image=nginx --replicas=3');
    await untilShown(page, 'deployment.apps/web created');
    await page.getByRole('button', { name: '10× speed' }).click();
    await expect.poll(() => page.locator(RUNNING).count(), { timeout: 30_000 }).toBe(3);
    await page.getByRole('button', { name: '1× speed' }).click();
    const address = await page.locator(RUNNING).first().locator('.pod-ip').innerText();
    await page.keyboard.press('Alt+2');
    await untilShown(page, '[root@w1-k8s ~]#');
    await page.locator('.pane .xterm').first().click();
    await typeLine(page, `curl -s ${address} | grep title`);
    await untilShown(page, '<title>Welcome to nginx!</title>');
  });

  test('Hangul arrives at the shell', async () => {
    await page.keyboard.type('echo ');
    await composeHangul(page, ['ㅍ', '파'], '파');
    await composeHangul(page, ['ㄷ', '드'], '드');
    await page.keyboard.press('Enter');
    await untilShown(page, /\n파드\s*\n/);
  });

  test('a snapshot brings back what was broken', async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('three pods');
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').filter({ hasText: 'three pods' }).waitFor();
    await page.keyboard.press('Alt+1');
    await page.locator('.pane .xterm').first().click();
    await typeLine(page, 'kubectl delete deployment web');
    await untilShown(page, 'deployment.apps "web" deleted');
    await expect.poll(() => page.locator('[data-pod^="web-"]').count(), { timeout: 60_000 }).toBe(0);
    await page.getByRole('button', { name: 'Restore: three pods' }).click();
    await expect.poll(() => page.locator(RUNNING).count(), { timeout: 30_000 }).toBe(3);
    await page.locator('.count', { hasText: '4/4 Ready' }).waitFor();
    await untilShown(page, /closed by remote host\.[\s\S]*\[root@m-k8s ~\]#/);
    await page.getByText('Restore points').click();
    await page.locator('.point', { hasText: 'kubectl' }).first().waitFor();
  });

  test('a reload keeps the scrollback and the state', async () => {
    await page.reload();
    await untilShown(page, 'deployment.apps "web" deleted');
    expect(await page.locator(RUNNING).count()).toBe(3);
    await typeLine(page, 'hostname');
    await untilShown(page, /\nm-k8s\s*\n/);
  });

  test.runIf(process.env['NOBOX_PICTURE'] === '1')('has its picture taken for the README', async () => {
    await page.setViewportSize({ width: 1600, height: 900 });
    await page.keyboard.press('Control+l');
    for (const line of [
      'kubectl get nodes',
      'kubectl get pods -o wide',
      'lsmod | grep br_netfilter',
      'systemctl status kubelet | head -5',
    ]) {
      await typeLine(page, line);
      await page.waitForTimeout(600);
    }
    await page.getByText('Restore points').click();
    await page.waitForTimeout(1500);
    const picture = path.resolve(import.meta.dirname, '../../docs/images/lab.png');
    mkdirSync(path.dirname(picture), { recursive: true });
    await page.screenshot({ path: picture });
  });

  test('ends cleanly, and goes on where it was', async () => {
    expect(await lab.stop()).toBe(0);
    lab = await serveLab(folder.state);
    await page.context().close();
    page = await openPage(browser, lab.url);
    await expect.poll(() => page.locator(RUNNING).count(), { timeout: 30_000 }).toBe(3);
    await page.locator('.count', { hasText: '4/4 Ready' }).waitFor();
    expect(lab.complaints()).toBe('');
  });
});
