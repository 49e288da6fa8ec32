// The application's menu. Keys that shells need (Ctrl-C, Ctrl-W, Ctrl-R) stay with the terminals.

import { app, Menu, type MenuItemConstructorOptions } from 'electron';
import type { LabWindow } from './window.ts';

export function buildMenu(window: LabWindow): void {
  const isKorean = app.getLocale().startsWith('ko');
  const say = (ko: string, en: string): string => (isKorean ? ko : en);
  const isMac = process.platform === 'darwin';
  const command = (label: string, name: string): MenuItemConstructorOptions => ({ label, click: () => window.command(name) });

  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' as const }] : []),
    {
      label: say('터미널', 'Terminal'),
      submenu: [
        command(say('새 탭', 'New tab'), 'new-tab'),
        command(say('탭 닫기', 'Close tab'), 'close-tab'),
        command(say('나란히 보기', 'Split'), 'split'),
        { type: 'separator' },
        { role: isMac ? 'close' : 'quit' },
      ],
    },
    // Without accelerators elsewhere: the page has its own, which leave Ctrl-C to the shell.
    ...(isMac ? [{ role: 'editMenu' as const }] : []),
    {
      label: say('보기', 'View'),
      submenu: [
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools' },
        { label: say('화면 새로 고침', 'Reload screen'), role: 'reload', accelerator: 'F5' },
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
