import type { Program } from '../../kernel/process.ts';
import { BASIC_PROGRAMS } from './basics.ts';
import { BINARY_PROGRAMS } from './binary.ts';
import { DISK_PROGRAMS } from './disk.ts';
import { FILE_PROGRAMS } from './files.ts';
import { LINE_PROGRAMS } from './lines.ts';
import { ls } from './ls.ts';
import { SEARCH_PROGRAMS } from './search.ts';

export const programs: readonly Program[] = [
  ls('ls'),
  ls('dir'),
  ...FILE_PROGRAMS,
  ...BASIC_PROGRAMS,
  ...LINE_PROGRAMS,
  ...BINARY_PROGRAMS,
  ...DISK_PROGRAMS,
  ...SEARCH_PROGRAMS,
];
