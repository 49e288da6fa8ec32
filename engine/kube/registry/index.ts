// Every built-in kind. A new kind is a file (or a line in one of the lists of plain kinds) and a line here.

import { APPS } from './apps.ts';
import { CORE } from './core.ts';
import type { ResourceDefinition } from './definition.ts';
import { OTHERS } from './others.ts';
import { REVIEWS } from './reviews.ts';

export const BUILT_IN: readonly ResourceDefinition[] = [...CORE, ...APPS, ...OTHERS, ...REVIEWS];
