import type { Program } from '../../kernel/process.ts';
import { init } from './init.ts';
import { journalctl } from './journalctl.ts';
import { service } from './service.ts';
import { systemctl } from './systemctl.ts';

export const programs: readonly Program[] = [init, systemctl, service, journalctl];
