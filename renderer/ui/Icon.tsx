// Small line icons, drawn on a 16 × 16 grid.

import type { ReactElement } from 'react';

const PATHS = {
  play: 'M5 3.5v9l7-4.5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  power: 'M8 2v6M4.6 4.4a5 5 0 1 0 6.8 0',
  reset: 'M12.8 8a4.8 4.8 0 1 1-1.5-3.5M12.5 2v3h-3',
  plus: 'M8 3.5v9M3.5 8h9',
  close: 'm4.5 4.5 7 7M11.5 4.5l-7 7',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  terminal: 'm3.5 4.5 3.5 3.5-3.5 3.5M8.5 11.5h4',
  split: 'M2.5 3h11v10h-11zM8 3v10',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7',
  moon: 'M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6',
  camera: 'M2.5 5h2.3l1-1.5h4.4l1 1.5h2.3v7.5h-11zM8 6.3a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4',
  back: 'M6 3 2.5 6.5 6 10M2.5 6.5h7a3.5 3.5 0 0 1 0 7H7',
  panelLeft: 'M2.5 3h11v10h-11zM6 3v10',
  panelRight: 'M2.5 3h11v10h-11zM10 3v10',
  door: 'M4 13.5v-11h8v11M2.5 13.5h11M9.5 8h.01',
  chevron: 'm6 4 4 4-4 4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill={name === 'play' ? 'currentColor' : 'none'}
        stroke="currentColor"
        strokeWidth={name === 'more' ? 2.2 : 1.4}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
