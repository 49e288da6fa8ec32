// The place of one terminal on the page.

import { useEffect, useRef, type MouseEvent, type ReactElement } from 'react';
import { useTranslate } from '../../i18n/language.ts';
import { host } from '../../lab.ts';
import { useTable } from '../../store/lab-store.ts';
import { attempt, note } from '../../ui/toast.tsx';
import { openMenu } from '../../ui/Menu.tsx';
import { screenOf } from './tabs.ts';

export function TerminalPane({ id, isFocused }: { readonly id: string; readonly isFocused: boolean }): ReactElement {
  const translate = useTranslate();
  const terminal = useTable('terminal').get(id);
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const screen = screenOf(id);
    screen.mount(element);
    if (isFocused) screen.focus();
    const observer = new ResizeObserver(() => screen.fit());
    observer.observe(element);
    return () => {
      observer.disconnect();
      screen.unmount();
    };
  }, [id, isFocused]);

  const onContextMenu = (event: MouseEvent): void => {
    event.preventDefault();
    const screen = screenOf(id);
    const paste = (): void => {
      navigator.clipboard.readText().then(
        (text) => screen.paste(text),
        // The browser asks the user, who may say no.
        (error: unknown) => note(translate('failed', { message: String(error) }), true),
      );
    };
    const copy = screen.selection;
    openMenu(event, terminal?.title ?? '', [
      { label: translate('terminals.copy'), isDisabled: copy === '', choose: () => void navigator.clipboard.writeText(copy) },
      { label: translate('terminals.paste'), choose: paste },
      { label: translate('terminals.selectAll'), choose: () => screen.selectAll(), startsGroup: true },
      { label: translate('terminals.clear'), choose: () => screen.clear() },
    ]);
  };

  return (
    <section className="pane" role="tabpanel" id={`pane-${id}`} aria-labelledby={`tab-${id}`}>
      <div className="pane-place" ref={place} onContextMenu={onContextMenu} />
      {terminal === undefined || terminal.state === 'open' ? null : (
        <div className="pane-note" role="status">
          {terminal.state === 'connecting' ? (
            translate('terminals.connecting')
          ) : (
            <>
              <span>{translate('terminals.closed')}</span>
              <button type="button" className="button is-small" onClick={() => attempt(host.call('reconnectTerminal', id))}>
                {translate('terminals.reconnect')} <kbd>Enter</kbd>
              </button>
            </>
          )}
        </div>
      )}
    </section>
  );
}
