// The tabs and the one or two panes below them.

import { useEffect, useState, type DragEvent, type KeyboardEvent, type ReactElement } from 'react';
import type { TerminalView } from '#shared/views/views.ts';
import { useTranslate } from '../../i18n/language.ts';
import { useSingle, useTable } from '../../store/lab-store.ts';
import { changeSettings, useSettings } from '../../store/settings.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { IconButton } from '../../ui/IconButton.tsx';
import { openMenu, openMenuBelow } from '../../ui/Menu.tsx';
import { lineCount } from './paste.ts';
import { TerminalPane } from './TerminalPane.tsx';
import {
  activate,
  activeId,
  closeTab,
  handleMenuCommand,
  handleTabKey,
  inOrder,
  moveTab,
  openTab,
  pruneScreens,
  toggleSplit,
  typeIntoTerminal,
} from './tabs.ts';
import { pasteGuard } from './terminal-screen.ts';

export function TerminalArea(): ReactElement {
  const translate = useTranslate();
  const terminals = useTable('terminal');
  const { order, active: wanted, beside: wantedBeside } = useSettings();
  const tabs = inOrder(terminals, order);
  const active = activeId(tabs, wanted);
  const beside = wantedBeside !== active && tabs.some((tab) => tab.id === wantedBeside) ? wantedBeside : undefined;

  useEffect(pruneScreens, [terminals]);
  useEffect(() => {
    window.addEventListener('keydown', handleTabKey, true);
    window.addEventListener('keydown', typeIntoTerminal, true);
    window.nobox?.onCommand(handleMenuCommand);
    return () => {
      window.removeEventListener('keydown', handleTabKey, true);
      window.removeEventListener('keydown', typeIntoTerminal, true);
    };
  }, []);

  return (
    <main className="terminals" aria-label={translate('terminals.title')}>
      <TabBar tabs={tabs} active={active} beside={beside} />
      <div className={`panes${beside === undefined ? '' : ' is-split'}`}>
        {active === undefined ? <NoTerminal /> : <TerminalPane key={active} id={active} isFocused />}
        {beside === undefined ? null : <TerminalPane key={beside} id={beside} isFocused={false} />}
      </div>
      <PasteDialog />
    </main>
  );
}

interface TabBarProps {
  readonly tabs: readonly TerminalView[];
  readonly active: string | undefined;
  readonly beside: string | undefined;
}

function TabBar({ tabs, active, beside }: TabBarProps): ReactElement {
  const translate = useTranslate();
  const newTab = useNewTabItems();

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex((tab) => tab.id === active);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (next === undefined) return;
    event.preventDefault();
    changeSettings({ active: next.id });
    document.getElementById(`tab-${next.id}`)?.focus();
  };

  return (
    <div className="tab-bar">
      <div className="tabs" role="tablist" aria-label={translate('terminals.title')} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <Tab key={tab.id} tab={tab} isActive={tab.id === active} isBeside={tab.id === beside} />
        ))}
      </div>
      <IconButton
        icon="plus"
        label={`${translate('terminals.new')} (Alt+Shift+N)`}
        onClick={(event) => openMenuBelow(event.currentTarget, translate('terminals.new'), newTab)}
      />
      <span className="stretch" />
      <IconButton
        icon="split"
        label={`${translate(beside === undefined ? 'terminals.split' : 'terminals.unsplit')} (Alt+Shift+S)`}
        aria-pressed={beside !== undefined}
        disabled={tabs.length < 2}
        onClick={toggleSplit}
      />
    </div>
  );
}

function Tab({
  tab,
  isActive,
  isBeside,
}: {
  readonly tab: TerminalView;
  readonly isActive: boolean;
  readonly isBeside: boolean;
}): ReactElement {
  const translate = useTranslate();
  const onDrop = (event: DragEvent): void => {
    const moved = event.dataTransfer.getData('application/x-nobox-tab');
    if (moved !== '' && moved !== tab.id) moveTab(moved, tab.id);
  };
  return (
    <div
      className={`tab${isActive ? ' is-active' : ''}${isBeside ? ' is-beside' : ''}`}
      draggable
      onDragStart={(event) => event.dataTransfer.setData('application/x-nobox-tab', tab.id)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={onDrop}
      onAuxClick={(event) => event.button === 1 && closeTab(tab.id)}
      onContextMenu={(event) => {
        event.preventDefault();
        openMenu(event, tab.title, [
          { label: translate('terminals.new'), choose: () => openTab(tab.target) },
          { label: translate('terminals.split'), choose: () => changeSettings({ beside: tab.id }), isDisabled: isActive },
          { label: translate('dialog.close'), choose: () => closeTab(tab.id), startsGroup: true },
        ]);
      }}
    >
      <button
        type="button"
        role="tab"
        id={`tab-${tab.id}`}
        className="tab-name"
        aria-selected={isActive}
        aria-controls={`pane-${tab.id}`}
        tabIndex={isActive ? 0 : -1}
        onClick={() => activate(tab.id)}
      >
        <span className={`dot is-${tab.state}`} aria-hidden="true" />
        {tab.title}
      </button>
      <IconButton
        icon="close"
        className="tab-close"
        tabIndex={-1}
        label={translate('terminals.close', { title: tab.title })}
        onClick={() => closeTab(tab.id)}
      />
    </div>
  );
}

function NoTerminal(): ReactElement {
  const translate = useTranslate();
  const machines = useTable('machine');
  return (
    <div className="no-terminal">
      <p>{translate('terminals.empty')}</p>
      <div className="row">
        {[...machines.keys()].map((machine) => (
          <button key={machine} type="button" className="button" onClick={() => openTab({ machine })}>
            {machine}
          </button>
        ))}
      </div>
    </div>
  );
}

function useNewTabItems(): { label: string; choose(): void; startsGroup?: boolean }[] {
  const translate = useTranslate();
  const machines = useTable('machine');
  const lab = useSingle('lab');
  const items: { label: string; choose(): void; startsGroup?: boolean }[] = [...machines.keys()].map((machine) => ({
    label: machine,
    choose: () => openTab({ machine }),
  }));
  if (lab?.hasHostShell === true) {
    items.push({ label: translate('terminals.hostShell'), choose: () => openTab({ kind: 'host-shell' }), startsGroup: true });
  }
  return items;
}

/** Asks before several lines run by themselves. */
function PasteDialog(): ReactElement | null {
  const translate = useTranslate();
  const [asked, setAsked] = useState<{ readonly text: string; readonly paste: () => void }>();

  useEffect(() => {
    pasteGuard.ask = (text, paste) => setAsked({ text, paste });
    return () => {
      pasteGuard.ask = (_, paste) => paste();
    };
  }, []);

  if (asked === undefined) return null;
  return (
    <Dialog
      title={translate('terminals.pasteTitle')}
      confirm={translate('terminals.paste')}
      cancel={translate('dialog.cancel')}
      onClose={() => setAsked(undefined)}
      onConfirm={(fields) => {
        if (fields.get('always') === 'on') changeSettings({ warnsOfLines: false });
        asked.paste();
      }}
    >
      <p>{translate('terminals.pasteAsk', { count: lineCount(asked.text) })}</p>
      <pre className="preview">{asked.text}</pre>
      <label className="check">
        <input type="checkbox" name="always" /> {translate('terminals.pasteAlways')}
      </label>
    </Dialog>
  );
}
