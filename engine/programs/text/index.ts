import type { Program } from '../../kernel/process.ts';
import { AWK_PROGRAMS } from './awk.ts';
import { GREP_PROGRAMS } from './grep.ts';
import { SED_PROGRAMS } from './sed.ts';

export const programs: readonly Program[] = [...GREP_PROGRAMS, ...SED_PROGRAMS, ...AWK_PROGRAMS];
