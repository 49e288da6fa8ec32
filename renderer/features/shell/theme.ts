// Dark or light: the system's, until the learner chooses.

import { getSettings, onSettings } from '../../store/settings.ts';

const prefersLight = window.matchMedia('(prefers-color-scheme: light)');

export function currentTheme(): 'dark' | 'light' {
  const { theme } = getSettings();
  if (theme !== 'auto') return theme;
  return prefersLight.matches ? 'light' : 'dark';
}

export function onTheme(listener: () => void): () => void {
  const stop = onSettings(listener);
  prefersLight.addEventListener('change', listener);
  return () => {
    stop();
    prefersLight.removeEventListener('change', listener);
  };
}

/** Keeps the page's theme and language attributes true to the settings. */
export function startTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset.theme = currentTheme();
  };
  apply();
  onTheme(apply);
}
