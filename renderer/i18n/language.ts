// The language of the interface: the system's, until the learner chooses another.

import { getSettings, useSettings } from '../store/settings.ts';
import { TEXTS, type Language, type TextKey } from './texts.ts';

export type Translate = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string;

export function languageOf(chosen: Language | 'auto'): Language {
  if (chosen !== 'auto') return chosen;
  return navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

export function translate(language: Language, key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[key][language].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** For use in components: follows the switch. */
export function useTranslate(): Translate {
  const language = languageOf(useSettings().language);
  return (key, values) => translate(language, key, values);
}

export function useLanguage(): Language {
  return languageOf(useSettings().language);
}

/** For use outside components. */
export const say: Translate = (key, values) => translate(languageOf(getSettings().language), key, values);
