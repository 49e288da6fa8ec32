// The desktop app itself, driven through Electron. Needs Electron's binary (npx install-electron) and a display.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { typeLine, untilShown } from './browser.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const hasBinary = existsSync(path.join(ROOT, 'node_modules/electron/path.txt'));
const hasDisplay = process.platform !== 'linux' || process.env['DISPLAY'] !== undefined;
const reason = !hasBinary ? "Electron's binary is not installed" : !hasDisplay ? 'there is no display' : undefined;

test.runIf(process.env['REQUIRE_ELECTRON'] === '1')('Electron is there, as was required', () => {
  expect(reason).toBeUndefined();
});

describe.skipIf(reason !== undefined)(`the desktop app${reason === undefined ? '' : ` (SKIPPED: ${reason})`}`, () => {
  let app: ElectronApplication;
  let page: Page;
  let profile: string;

  beforeAll(async () => {
    profile = mkdtempSync(path.join(tmpdir(), 'nobox-profile-'));
    const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    app = await _electron.launch({ args: [...flags, `--user-data-dir=${profile}`, ROOT] });
    page = await app.firstWindow();
    await page.getByRole('tab').first().waitFor();
  });
  afterAll(async () => {
    await app.close();
    rmSync(profile, { recursive: true, force: true });
  });

  test('opens its window on the lab, with a tab for each machine', async () => {
    expect(await page.getByRole('tab').count()).toBe(4);
    await untilShown(page, '[root@m-k8s ~]#');
    await typeLine(page, 'hostname');
    await untilShown(page, /^m-k8s/m);
  });

  test('gives the page neither Node nor Electron', async () => {
    expect(await page.evaluate(() => [typeof Reflect.get(globalThis, 'require'), typeof Reflect.get(globalThis, 'process')])).toEqual([
      'undefined',
      'undefined',
    ]);
  });

  test('a reload finds the same lab', async () => {
    await page.reload();
    await untilShown(page, /hostname\s+m-k8s/);
  });
});
