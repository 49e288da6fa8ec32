// A menu at a point of the window, for buttons and right clicks. Arrow keys, Home, End and Escape work; focus returns to where it was.

import { useEffect, useLayoutEffect, useRef, useSyncExternalStore, type KeyboardEvent, type ReactElement } from 'react';

export interface MenuItem {
  readonly label: string;
  readonly isDisabled?: boolean;
  readonly isDangerous?: boolean;
  /** A line above it. */
  readonly startsGroup?: boolean;
  choose(): void;
}

interface OpenMenu {
  readonly items: readonly MenuItem[];
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly opener: Element | null;
}

let open: OpenMenu | undefined;
const listeners = new Set<() => void>();

function setMenu(menu: OpenMenu | undefined): void {
  open = menu;
  for (const listener of listeners) listener();
}

export function openMenu(at: { readonly clientX: number; readonly clientY: number }, label: string, items: readonly MenuItem[]): void {
  setMenu({ items, label, x: at.clientX, y: at.clientY, opener: document.activeElement });
}

/** Below a button, also when it was pressed with the keyboard. */
export function openMenuBelow(button: Element, label: string, items: readonly MenuItem[]): void {
  const box = button.getBoundingClientRect();
  openMenu({ clientX: box.left, clientY: box.bottom + 2 }, label, items);
}

export function MenuHost(): ReactElement | null {
  const menu = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open,
  );
  return menu === undefined ? null : <MenuBox key={`${menu.x},${menu.y},${menu.label}`} menu={menu} />;
}

function MenuBox({ menu }: { readonly menu: OpenMenu }): ReactElement {
  const box = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(menu.x, window.innerWidth - width - 4))}px`;
    element.style.top = `${Math.max(4, Math.min(menu.y, window.innerHeight - height - 4))}px`;
    element.querySelector<HTMLElement>('button:not(:disabled)')?.focus();
  }, [menu]);

  useEffect(() => {
    const leave = (event: Event): void => {
      if (event.target instanceof Node && box.current?.contains(event.target)) return;
      setMenu(undefined);
    };
    window.addEventListener('pointerdown', leave, true);
    window.addEventListener('blur', leave);
    window.addEventListener('resize', leave);
    return () => {
      window.removeEventListener('pointerdown', leave, true);
      window.removeEventListener('blur', leave);
      window.removeEventListener('resize', leave);
    };
  }, []);

  const close = (): void => {
    setMenu(undefined);
    if (menu.opener instanceof HTMLElement) menu.opener.focus();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(box.current?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') close();
    else if (to !== undefined) buttons[(to + buttons.length) % buttons.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      className="menu"
      role="menu"
      aria-label={menu.label}
      ref={box}
      onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      {menu.items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          disabled={item.isDisabled}
          className={`menu-item${item.isDangerous ? ' is-dangerous' : ''}${item.startsGroup ? ' starts-group' : ''}`}
          onClick={() => {
            close();
            item.choose();
          }}
        >
          {item.label}
        </button>
      ))}
    </div>
  );
}
