// The real browser the end-to-end tests drive: Debian's Chromium, headless.

import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PATIENCE_MS = 20_000;

export const hasBrowser = existsSync(CHROMIUM);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** A fresh profile with the page opened; the test fails when the page reports an error. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'dark', ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(url).origin });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(url);
  await page.getByRole('tab').first().waitFor();
  return page;
}

/** What the active terminal shows. */
export function screenText(page: Page, pane = 0): Promise<string> {
  return page.locator('.pane').nth(pane).locator('.xterm-rows').innerText();
}

/** Waits until the terminal shows `wanted`. */
export async function untilShown(page: Page, wanted: string | RegExp, pane = 0): Promise<void> {
  const matches = (text: string): boolean => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
  const endMs = Date.now() + PATIENCE_MS;
  let text = '';
  while (Date.now() < endMs) {
    text = (await screenText(page, pane)).replaceAll('\u00a0', ' ');
    if (matches(text)) return;
    await page.waitForTimeout(50);
  }
  if (typeof wanted === 'string') expect(text).toContain(wanted);
  else expect(text).toMatch(wanted);
}

/** Types a line into the focused terminal as a person would. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

/** Composes Hangul through the input method's door of DevTools, syllable by syllable. */
export async function composeHangul(page: Page, steps: readonly string[], committed: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const text of steps) {
    await session.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  }
  await session.send('Input.insertText', { text: committed });
  await session.detach();
}
