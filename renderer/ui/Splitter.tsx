// The line between two panels: dragged with the pointer, moved with the arrow keys.

import type { KeyboardEvent, PointerEvent, ReactElement } from 'react';

interface SplitterProps {
  readonly label: string;
  readonly width: number;
  readonly least: number;
  readonly most: number;
  /** The panel it belongs to lies on this side of it. */
  readonly side: 'left' | 'right';
  onWidth(width: number): void;
}

const STEP = 16;

export function Splitter({ label, width, least, most, side, onWidth }: SplitterProps): ReactElement {
  const set = (next: number): void => onWidth(Math.round(Math.max(least, Math.min(most, next))));
  const sign = side === 'left' ? 1 : -1;

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const startX = event.clientX;
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent): void => set(width + sign * (moved.clientX - startX));
    const end = (): void => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', end);
      target.removeEventListener('pointercancel', end);
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', end);
    target.addEventListener('pointercancel', end);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set(width + sign * step);
  };

  return (
    <div
      className="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
