// The doors through which real clients of this computer reach the lab.

import { useEffect, useRef, useState, type ReactElement } from 'react';
import { useTranslate } from '../../i18n/language.ts';
import { host } from '../../lab.ts';
import { useSingle } from '../../store/lab-store.ts';
import { Icon } from '../../ui/Icon.tsx';
import { attempt, note } from '../../ui/toast.tsx';

export function DoorsButton(): ReactElement | null {
  const translate = useTranslate();
  const doors = useSingle('doors');
  const [isShown, setShown] = useState(false);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!isShown) return;
    const leave = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !box.current?.contains(event.target as Node)) setShown(false);
    };
    window.addEventListener('pointerdown', leave, true);
    window.addEventListener('keydown', leave, true);
    return () => {
      window.removeEventListener('pointerdown', leave, true);
      window.removeEventListener('keydown', leave, true);
    };
  }, [isShown]);

  if (doors === undefined) return null;
  const copyKubeconfig = (): void =>
    attempt(
      host
        .call('kubeconfig')
        .then((text) => navigator.clipboard.writeText(text))
        .then(() => note(translate('doors.copied'))),
    );
  const isOpen = doors.ssh.isOpen || doors.api.isOpen;

  return (
    <div className="popover-place" ref={box}>
      <button
        type="button"
        className={`button is-quiet${isOpen ? ' is-lit' : ''}`}
        aria-expanded={isShown}
        onClick={() => setShown(!isShown)}
      >
        <Icon name="door" /> <span className="wide-only">{translate('doors.title')}</span>
      </button>
      {isShown ? (
        <div className="popover" role="dialog" aria-label={translate('doors.title')}>
          <DoorSwitch door="ssh" label={translate('doors.ssh')} isOpen={doors.ssh.isOpen} />
          {doors.ssh.isOpen ? (
            <>
              <ul className="door-list">
                {Object.entries(doors.ssh.ports).map(([machine, port]) => (
                  <li key={machine}>
                    <code>ssh -p {port} root@127.0.0.1</code> <span className="muted">{machine}</span>
                  </li>
                ))}
              </ul>
              <p className="hint">{translate('doors.sshHint')}</p>
            </>
          ) : null}
          <DoorSwitch door="api" label={translate('doors.api')} isOpen={doors.api.isOpen} />
          {doors.api.isOpen ? (
            <>
              <p className="hint">
                <code>{doors.api.url}</code>
              </p>
              {doors.api.kubeconfig === undefined ? null : (
                <p className="hint">
                  <code>{doors.api.kubeconfig}</code>
                </p>
              )}
              <button type="button" className="button is-small" onClick={copyKubeconfig}>
                {translate('doors.copyKubeconfig')}
              </button>
            </>
          ) : null}
        </div>
      ) : null}
    </div>
  );
}

function DoorSwitch({
  door,
  label,
  isOpen,
}: {
  readonly door: 'ssh' | 'api';
  readonly label: string;
  readonly isOpen: boolean;
}): ReactElement {
  const translate = useTranslate();
  return (
    <label className="switch">
      <span>{label}</span>
      <span className="muted">{translate(isOpen ? 'doors.open' : 'doors.closed')}</span>
      <input type="checkbox" role="switch" checked={isOpen} onChange={() => attempt(host.call('setDoor', door, !isOpen))} />
    </label>
  );
}
