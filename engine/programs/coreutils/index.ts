import type { Program } from '../../kernel/process.ts';

export const programs: readonly Program[] = [];
