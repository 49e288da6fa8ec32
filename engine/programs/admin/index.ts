import type { Program } from '../../kernel/process.ts';
import { programs as dmesg } from './dmesg.ts';
import { programs as identity } from './identity.ts';
import { programs as kill } from './kill.ts';
import { programs as memory } from './memory.ts';
import { programs as modules } from './modules.ts';
import { programs as mount } from './mount.ts';
import { programs as nsenter } from './nsenter.ts';
import { programs as power } from './power.ts';
import { programs as ps } from './ps.ts';
import { programs as su } from './su.ts';
import { programs as sysctl } from './sysctl.ts';
import { programs as tmpfiles } from './tmpfiles.ts';
import { programs as top } from './top.ts';

export const programs: readonly Program[] = [
  ...dmesg,
  ...identity,
  ...kill,
  ...memory,
  ...modules,
  ...mount,
  ...nsenter,
  ...power,
  ...ps,
  ...su,
  ...sysctl,
  ...tmpfiles,
  ...top,
];
