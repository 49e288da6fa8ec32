import type { Program } from '../../kernel/process.ts';
import { docker } from './docker.ts';

export const programs: readonly Program[] = [docker];
