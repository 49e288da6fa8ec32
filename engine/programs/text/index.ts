import type { Program } from '../../kernel/process.ts';
import { AWK_PROGRAMS } from './awk.ts';
import { DIFF_PROGRAMS } from './diff.ts';
import { GREP_PROGRAMS } from './grep.ts';
import { PAGER_PROGRAMS } from './less.ts';
import { SED_PROGRAMS } from './sed.ts';
import { VI_PROGRAMS } from './vi/vi.ts';

export const programs: readonly Program[] = [
  ...GREP_PROGRAMS,
  ...SED_PROGRAMS,
  ...AWK_PROGRAMS,
  ...DIFF_PROGRAMS,
  ...PAGER_PROGRAMS,
  ...VI_PROGRAMS,
];
