// What is shown over everything while there is no lab to show.

import type { ReactElement } from 'react';
import { useTranslate } from '../../i18n/language.ts';
import { host } from '../../lab.ts';
import { useConnection, useFault, useTable } from '../../store/lab-store.ts';

export function ConnectionScreen(): ReactElement | null {
  const translate = useTranslate();
  const connection = useConnection();
  const fault = useFault();
  const isEmpty = useTable('lab').size === 0;

  if (fault !== undefined) {
    return (
      <div className="cover" role="alertdialog" aria-labelledby="cover-title">
        <div className="cover-box">
          <h1 id="cover-title">{translate('fault.title')}</h1>
          <p>{translate('fault.hint')}</p>
          <pre className="preview">{fault.report}</pre>
          <button type="button" className="button is-main" onClick={() => void navigator.clipboard.writeText(fault.report)}>
            {translate('fault.copy')}
          </button>
        </div>
      </div>
    );
  }
  if (connection === 'open' || (connection === 'connecting' && !isEmpty)) return null;
  if (connection === 'connecting') {
    return (
      <div className="cover is-quiet" role="status">
        <p>{translate('connection.connecting')}</p>
      </div>
    );
  }
  return (
    <div className="cover" role="alertdialog" aria-labelledby="cover-title">
      <div className="cover-box">
        <h1 id="cover-title">{translate(`connection.${connection}`)}</h1>
        <p>{translate(connection === 'lost' ? 'connection.lostHint' : 'connection.refusedHint')}</p>
        <button type="button" className="button is-main" onClick={() => host.retryNow()}>
          {translate('connection.retry')}
        </button>
      </div>
    </div>
  );
}
