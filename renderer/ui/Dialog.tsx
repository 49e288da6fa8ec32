// A modal question. The browser's own dialog element keeps the focus inside and closes on Escape.

import { useEffect, useId, useRef, type FormEvent, type ReactElement, type ReactNode } from 'react';

interface DialogProps {
  readonly title: string;
  readonly confirm: string;
  readonly cancel: string;
  readonly isDangerous?: boolean;
  readonly children: ReactNode;
  onConfirm(fields: FormData): void;
  onClose(): void;
}

export function Dialog({ title, confirm, cancel, isDangerous, children, onConfirm, onClose }: DialogProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
  }, []);

  const onSubmit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    onConfirm(new FormData(event.currentTarget));
    onClose();
  };

  return (
    <dialog className="dialog" ref={dialog} aria-labelledby={titleId} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <h2 id={titleId}>{title}</h2>
        {children}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            {cancel}
          </button>
          <button type="submit" className={`button is-main${isDangerous ? ' is-dangerous' : ''}`}>
            {confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}
