// Saving and restoring everything at one moment: named snapshots as a tree, and the automatic restore points.

import { useEffect, useState, type MouseEvent, type ReactElement } from 'react';
import type { RestorePointView, SnapshotView } from '#shared/views/views.ts';
import { useLanguage, useTranslate } from '../../i18n/language.ts';
import { host } from '../../lab.ts';
import { useTable } from '../../store/lab-store.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { Icon } from '../../ui/Icon.tsx';
import { IconButton } from '../../ui/IconButton.tsx';
import { openMenu, openMenuBelow, type MenuItem } from '../../ui/Menu.tsx';
import { attempt, note } from '../../ui/toast.tsx';
import { clockText } from '../time/clock-text.ts';
import { treeOf } from './tree.ts';

type Asked = { readonly kind: 'save' } | { readonly kind: 'rename' | 'delete'; readonly snapshot: SnapshotView };

export function SnapshotPanel(): ReactElement {
  const translate = useTranslate();
  const snapshots = useTable('snapshot');
  const [asked, setAsked] = useState<Asked>();
  const branches = treeOf(snapshots.values());

  return (
    <section className="panel is-growing" aria-labelledby="snapshots-title">
      <header className="panel-title">
        <h2 id="snapshots-title">{translate('snapshots.title')}</h2>
        <button type="button" className="button is-small" onClick={() => setAsked({ kind: 'save' })}>
          <Icon name="camera" /> {translate('dialog.save')}
        </button>
      </header>
      {branches.length === 0 ? <p className="hint">{translate('snapshots.empty')}</p> : null}
      <ul className="snapshots" role="tree" aria-labelledby="snapshots-title">
        {branches.map(({ snapshot, depth }) => (
          <SnapshotRow key={snapshot.id} snapshot={snapshot} depth={depth} onAsk={setAsked} />
        ))}
      </ul>
      <RestorePoints />
      {asked === undefined ? null : <SnapshotDialog asked={asked} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

interface SnapshotRowProps {
  readonly snapshot: SnapshotView;
  readonly depth: number;
  onAsk(asked: Asked): void;
}

function SnapshotRow({ snapshot, depth, onAsk }: SnapshotRowProps): ReactElement {
  const translate = useTranslate();
  const { id, name } = snapshot;
  const restore = (): void => attempt(host.call('restoreSnapshot', id).then(() => note(translate('snapshots.restored', { name }))));
  const items: MenuItem[] = [
    { label: translate('snapshots.restore'), choose: restore },
    { label: translate('snapshots.rename'), choose: () => onAsk({ kind: 'rename', snapshot }) },
    { label: translate('snapshots.delete'), isDangerous: true, startsGroup: true, choose: () => onAsk({ kind: 'delete', snapshot }) },
  ];
  return (
    <li
      className="snapshot"
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={false}
      style={{ paddingInlineStart: `${12 + depth * 14}px` }}
      onContextMenu={(event: MouseEvent) => {
        event.preventDefault();
        openMenu(event, name, items);
      }}
      title={snapshot.note === '' ? snapshot.summary : `${snapshot.note}\n${snapshot.summary}`}
    >
      <div className="snapshot-text">
        <span className="snapshot-name">{name}</span>
        <span className="snapshot-facts">
          {clockText(snapshot.labMs).slice(5)}
          {snapshot.summary === '' ? '' : ` · ${snapshot.summary}`}
        </span>
      </div>
      <span className="snapshot-buttons">
        <IconButton icon="back" label={`${translate('snapshots.restore')}: ${name}`} onClick={restore} />
        <IconButton
          icon="more"
          label={translate('snapshots.more', { name })}
          aria-haspopup="menu"
          onClick={(event) => openMenuBelow(event.currentTarget, name, items)}
        />
      </span>
    </li>
  );
}

function SnapshotDialog({ asked, onClose }: { readonly asked: Asked; readonly onClose: () => void }): ReactElement {
  const translate = useTranslate();
  const count = useTable('snapshot').size;
  const language = useLanguage();
  const cancel = translate('dialog.cancel');
  if (asked.kind === 'delete') {
    const { id, name } = asked.snapshot;
    return (
      <Dialog
        title={translate('snapshots.delete')}
        confirm={translate('snapshots.delete')}
        cancel={cancel}
        isDangerous
        onClose={onClose}
        onConfirm={() => attempt(host.call('deleteSnapshot', id))}
      >
        <p>{translate('snapshots.deleteAsk', { name })}</p>
      </Dialog>
    );
  }
  const old = asked.kind === 'rename' ? asked.snapshot : undefined;
  const suggested = language === 'ko' ? `스냅샷 ${count + 1}` : `Snapshot ${count + 1}`;
  return (
    <Dialog
      title={translate(old === undefined ? 'snapshots.save' : 'snapshots.rename')}
      confirm={translate('dialog.save')}
      cancel={cancel}
      onClose={onClose}
      onConfirm={(fields) => {
        const name = textOf(fields, 'name') || suggested;
        const text = textOf(fields, 'note');
        if (old !== undefined) attempt(host.call('renameSnapshot', old.id, name, text));
        else attempt(host.call('saveSnapshot', name, text).then(() => note(translate('snapshots.saved', { name }))));
      }}
    >
      <label className="field">
        <span>{translate('snapshots.name')}</span>
        <input
          name="name"
          defaultValue={old?.name}
          placeholder={suggested}
          maxLength={100}
          autoFocus
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <label className="field">
        <span>{translate('snapshots.note')}</span>
        <textarea name="note" defaultValue={old?.note} rows={2} maxLength={1000} />
      </label>
    </Dialog>
  );
}

function RestorePoints(): ReactElement {
  const translate = useTranslate();
  const [points, setPoints] = useState<readonly RestorePointView[]>();
  const [isOpen, setOpen] = useState(false);
  const clock = useTable('clock');

  // Looked up while the list is in sight; it grows with every command line.
  useEffect(() => {
    if (isOpen) attempt(host.call('restorePoints').then(setPoints));
  }, [isOpen, clock]);

  return (
    <details className="points" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary title={translate('snapshots.pointsHint')}>
        <Icon name="chevron" />
        {translate('snapshots.points')}
      </summary>
      {points !== undefined && points.length === 0 ? <p className="hint">{translate('snapshots.noPoints')}</p> : null}
      <ul>
        {(points ?? []).map((point) => (
          <li key={point.revision}>
            <button
              type="button"
              className="point"
              title={`${translate('snapshots.restore')}: ${point.label}`}
              onClick={() =>
                attempt(host.call('restorePoint', point.revision).then(() => note(translate('snapshots.restored', { name: point.label }))))
              }
            >
              <span className="point-time">{clockText(point.labMs).slice(11)}</span>
              <code>{point.label}</code>
              <Icon name="back" />
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
