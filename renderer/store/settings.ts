// What the learner chose about the screen itself; kept in the browser's storage, never in the lab.

import { useSyncExternalStore } from 'react';

export interface Settings {
  readonly language: 'ko' | 'en' | 'auto';
  readonly theme: 'dark' | 'light' | 'auto';
  readonly fontSize: number;
  readonly sideWidth: number;
  readonly clusterWidth: number;
  readonly isSideShown: boolean;
  readonly isClusterShown: boolean;
  readonly namespace: string;
  readonly warnsOfLines: boolean;
  readonly order: readonly string[];
  readonly active: string | undefined;
  readonly beside: string | undefined;
}

const KEY = 'nobox.settings';

const DEFAULTS: Settings = {
  language: 'auto',
  theme: 'auto',
  fontSize: 13,
  sideWidth: 232,
  clusterWidth: 400,
  isSideShown: true,
  isClusterShown: true,
  namespace: '',
  warnsOfLines: true,
  order: [],
  active: undefined,
  beside: undefined,
};

const listeners = new Set<() => void>();
let settings: Settings = load();

export function getSettings(): Settings {
  return settings;
}

export function changeSettings(change: Partial<Settings>): void {
  settings = { ...settings, ...change };
  localStorage.setItem(KEY, JSON.stringify(settings));
  for (const listener of listeners) listener();
}

export function onSettings(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSettings(): Settings {
  return useSyncExternalStore(onSettings, getSettings);
}

function load(): Settings {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof stored === 'object' && stored !== null ? { ...DEFAULTS, ...stored } : DEFAULTS;
  } catch (error) {
    // Someone else's text under our key: start over.
    if (error instanceof SyntaxError) return DEFAULTS;
    throw error;
  }
}
