import type { Program } from '../../kernel/process.ts';
import { kubectl } from './kubectl.ts';

export const programs: readonly Program[] = [kubectl];
