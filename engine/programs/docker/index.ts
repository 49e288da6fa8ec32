import type { Program } from '../../kernel/process.ts';
import { crictl } from './crictl.ts';
import { docker } from './docker.ts';

export const programs: readonly Program[] = [crictl, docker];
