// The lab's clock and how fast it runs.

import type { ReactElement } from 'react';
import { SPEEDS } from '#shared/protocol/protocol.ts';
import { useTranslate } from '../../i18n/language.ts';
import { host } from '../../lab.ts';
import { useSingle } from '../../store/lab-store.ts';
import { Icon } from '../../ui/Icon.tsx';
import { attempt } from '../../ui/toast.tsx';
import { clockText } from './clock-text.ts';

export function TimeControl(): ReactElement | null {
  const translate = useTranslate();
  const clock = useSingle('clock');
  if (clock === undefined) return null;
  const state = clock.isHeld ? translate('time.held') : clock.speed === 0 ? translate('time.paused') : '';
  return (
    <div className="time" role="group" aria-label={translate('time.label')}>
      <div className="speeds">
        {SPEEDS.map((speed) => (
          <button
            key={speed}
            type="button"
            className="speed"
            aria-pressed={clock.speed === speed}
            aria-label={speed === 0 ? translate('time.pause') : translate('time.speed', { speed })}
            title={speed === 0 ? translate('time.pause') : translate('time.speed', { speed })}
            onClick={() => attempt(host.call('setSpeed', speed))}
          >
            {speed === 0 ? <Icon name="pause" /> : `${speed}×`}
          </button>
        ))}
      </div>
      <time className="clock" dateTime={new Date(clock.labMs).toISOString()} title={translate('time.label')}>
        {clockText(clock.labMs)}
      </time>
      {state === '' ? null : <span className="time-state">{state}</span>}
    </div>
  );
}
