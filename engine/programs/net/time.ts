// ctime(3) in a machine's time zone.

import type { Process } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const KST_OFFSET_MS = 9 * 3_600_000;

/** ctime(3) in the machine's zone: Korea's when /etc/localtime leads there, else universal time. */
export function formatTime(process: Process, timeMs: number): string {
  const date = new Date(timeMs + (isKorean(process) ? KST_OFFSET_MS : 0));
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${date.getUTCFullYear()}`
  );
}

function isKorean(process: Process): boolean {
  try {
    return /Seoul|ROK/.test(process.sys.readlink('/etc/localtime'));
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}
