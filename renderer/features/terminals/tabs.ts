// Which terminals are shown where: the order of the tabs, the active one, and the one beside it. Terminals themselves belong to the host.

import type { TerminalTarget, TerminalView } from '#shared/views/views.ts';
import { host } from '../../lab.ts';
import { labStore } from '../../store/lab-store.ts';
import { changeSettings, getSettings } from '../../store/settings.ts';
import { attempt } from '../../ui/toast.tsx';
import { TerminalScreen } from './terminal-screen.ts';

const screens = new Map<string, TerminalScreen>();
/** A size to begin with; the pane that shows the terminal corrects it. */
const FIRST_SIZE = { columns: 80, rows: 24 };

/** The host's terminals in the order the learner gave them. */
export function inOrder(terminals: ReadonlyMap<string, TerminalView>, order: readonly string[]): readonly TerminalView[] {
  const known = order.flatMap((id) => terminals.get(id) ?? []);
  const others = [...terminals.values()].filter((terminal) => !order.includes(terminal.id));
  return [...known, ...others];
}

export function shownTabs(): readonly TerminalView[] {
  return inOrder(labStore.table('terminal'), getSettings().order);
}

/** The active one, or the first when that is gone. */
export function activeId(tabs: readonly TerminalView[], wanted: string | undefined): string | undefined {
  return tabs.find((tab) => tab.id === wanted)?.id ?? tabs[0]?.id;
}

export function screenOf(id: string): TerminalScreen {
  const known = screens.get(id);
  if (known !== undefined) return known;
  const screen = new TerminalScreen(id, (event) => !isTabKey(event) && !reconnectsOnEnter(id, event));
  screens.set(id, screen);
  return screen;
}

/** Gives up the screens of terminals that the host no longer has. */
export function pruneScreens(): void {
  const terminals = labStore.table('terminal');
  for (const [id, screen] of screens) {
    if (terminals.has(id)) continue;
    screen.dispose();
    screens.delete(id);
  }
}

export function activate(id: string): void {
  const { beside } = getSettings();
  changeSettings(beside === id ? { active: id, beside: activeId(shownTabs(), getSettings().active) } : { active: id });
  screens.get(id)?.focus();
}

export function openTab(target: TerminalTarget): void {
  attempt(
    host.call('openTerminal', target, FIRST_SIZE).then((id) => {
      changeSettings({ active: id });
    }),
  );
}

/** Another one like the active tab. */
export function duplicateTab(): void {
  const tabs = shownTabs();
  const active = tabs.find((tab) => tab.id === activeId(tabs, getSettings().active));
  const machine = [...labStore.table('machine').keys()][0];
  if (active !== undefined) openTab(active.target);
  else if (machine !== undefined) openTab({ machine });
}

export function closeTab(id: string): void {
  const tabs = shownTabs();
  const { active, beside } = getSettings();
  if (beside === id) changeSettings({ beside: undefined });
  if (activeId(tabs, active) === id) {
    const at = tabs.findIndex((tab) => tab.id === id);
    changeSettings({ active: (tabs[at + 1] ?? tabs[at - 1])?.id });
  }
  attempt(host.call('closeTerminal', id));
}

export function moveTab(id: string, before: string): void {
  const order = shownTabs().map((tab) => tab.id);
  const without = order.filter((other) => other !== id);
  without.splice(without.indexOf(before), 0, id);
  changeSettings({ order: without });
}

export function toggleSplit(): void {
  const { beside, active } = getSettings();
  const tabs = shownTabs();
  if (beside !== undefined && tabs.some((tab) => tab.id === beside)) changeSettings({ beside: undefined });
  else changeSettings({ beside: tabs.find((tab) => tab.id !== activeId(tabs, active))?.id });
}

/** Whoever types while a button has the focus means the terminal: after a click on Restore one goes on typing. */
export function typeIntoTerminal(event: KeyboardEvent): void {
  const isText = (event.key.length === 1 && event.key !== ' ') || event.key === 'Process';
  if (!isText || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const focused = document.activeElement;
  const isFree = focused === null || focused === document.body || focused instanceof HTMLButtonElement;
  if (!isFree || focused?.closest('dialog, .menu') || document.querySelector('dialog[open], .cover')) return;
  const current = activeId(shownTabs(), getSettings().active);
  if (current !== undefined) screens.get(current)?.focus();
}

/** Alt+1..9, Ctrl+Tab, Ctrl+Shift+Tab, Alt+Shift+N, Alt+Shift+W, Alt+Shift+S. */
export function handleTabKey(event: KeyboardEvent): void {
  if (event.type !== 'keydown' || !isTabKey(event)) return;
  event.preventDefault();
  event.stopPropagation();
  const tabs = shownTabs();
  const current = activeId(tabs, getSettings().active);
  const at = tabs.findIndex((tab) => tab.id === current);
  if (event.key === 'Tab') {
    const next = tabs[(at + (event.shiftKey ? -1 : 1) + tabs.length) % tabs.length];
    if (next !== undefined) activate(next.id);
  } else if (event.code.startsWith('Digit')) {
    const chosen = tabs[Number(event.code.slice('Digit'.length)) - 1];
    if (chosen !== undefined) activate(chosen.id);
  } else if (event.code === 'KeyN') duplicateTab();
  else if (event.code === 'KeyS') toggleSplit();
  else if (current !== undefined) closeTab(current);
}

/** What the desktop app's menu says. */
export function handleMenuCommand(command: string): void {
  const current = activeId(shownTabs(), getSettings().active);
  if (command === 'new-tab') duplicateTab();
  else if (command === 'split') toggleSplit();
  else if (command === 'close-tab' && current !== undefined) closeTab(current);
}

function isTabKey(event: KeyboardEvent): boolean {
  if (event.key === 'Tab') return event.ctrlKey && !event.altKey && !event.metaKey;
  if (!event.altKey || event.ctrlKey || event.metaKey) return false;
  return event.shiftKey ? ['KeyN', 'KeyW', 'KeyS'].includes(event.code) : /^Digit[1-9]$/.test(event.code);
}

function reconnectsOnEnter(id: string, event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || labStore.table('terminal').get(id)?.state !== 'closed') return false;
  if (event.type === 'keydown') attempt(host.call('reconnectTerminal', id));
  return true;
}
