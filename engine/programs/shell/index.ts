import type { Program } from '../../kernel/process.ts';
import { bash, sh } from './bash.ts';

export const programs: readonly Program[] = [bash, sh];
