import type { Program } from '../../kernel/process.ts';
import { programs as modules } from './modules.ts';
import { programs as power } from './power.ts';
import { programs as sysctl } from './sysctl.ts';

export const programs: readonly Program[] = [...modules, ...power, ...sysctl];
