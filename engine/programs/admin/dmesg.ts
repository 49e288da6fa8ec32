// Models dmesg(1) of util-linux 2.23.

import type { KernelMessage } from '../../kernel/kernel.ts';
import type { Process } from '../../kernel/process.ts';
import { DAYS, Failure, localTime, MONTHS, parseOptions, print, program, two } from './support.ts';

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

async function dmesg(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'CcDEehHkLl:n:PrSs:Ttuwx',
    long: {
      clear: 'C',
      'read-clear': 'c',
      'show-delta': 'd',
      reltime: 'e',
      human: 'H',
      kernel: 'k',
      'level=': 'l',
      raw: 'r',
      ctime: 'T',
      notime: 't',
      follow: 'w',
      decode: 'x',
      nopager: 'P',
    },
    hint: "\nTry 'dmesg --help' for more information.\n",
  });
  const { sys } = process;
  const isChange = options.has('C') || options.has('c');
  if (isChange && sys.credentials().uid !== 0) throw new Failure('dmesg: klogctl failed: Operation not permitted\n', 1);
  const messages = await readLog(process);
  const levels = options.value('l')?.split(',');
  const unknown = levels?.find((level) => !LEVELS.includes(level));
  if (unknown !== undefined) throw new Failure(`dmesg: unknown level '${unknown}'\n`, 1);
  const bootMs = sys.now() - sys.uptimeMs();
  const show = (message: KernelMessage): string => {
    const decoded = options.has('x') ? `kern  :${LEVELS[message.level]!.padEnd(6)}: ` : options.has('r') ? `<${message.level}>` : '';
    return `${decoded}${options.has('t') ? '' : timeOf(message, options.has('T') || options.has('H'), bootMs)}${message.text}\n`;
  };
  const wanted = (message: KernelMessage): boolean => levels === undefined || levels.includes(LEVELS[message.level]!);
  if (!options.has('C')) await print(process, messages.filter(wanted).map(show).join(''));
  if (isChange) sys.kernel.clearMessages();
  if (!options.has('w')) return 0;
  const fd = sys.open('/dev/kmsg', { read: true });
  for (let skipped = 0; ; skipped++) {
    const record = await sys.file(fd).read();
    if (record === undefined) return 0;
    const message = parseRecord(new TextDecoder().decode(record));
    if (skipped >= messages.length && message !== undefined && wanted(message)) await print(process, show(message));
  }
}

async function readLog(process: Process): Promise<readonly KernelMessage[]> {
  const { sys } = process;
  const fd = sys.open('/dev/kmsg', { read: true });
  const messages: KernelMessage[] = [];
  const file = sys.file(fd);
  while (file.isReadable) {
    const message = parseRecord(new TextDecoder().decode((await file.read()) ?? new Uint8Array(0)));
    if (message !== undefined) messages.push(message);
  }
  sys.close(fd);
  return messages;
}

function parseRecord(record: string): KernelMessage | undefined {
  const match = /^(\d+),\d+,(\d+),-;(.*)\n$/s.exec(record);
  return match === null ? undefined : { level: Number(match[1]), uptimeMs: Number(match[2]) / 1000, text: match[3]! };
}

function timeOf(message: KernelMessage, isCalendar: boolean, bootMs: number): string {
  if (!isCalendar) return `[${(message.uptimeMs / 1000).toFixed(6).padStart(12)}] `;
  const date = localTime(bootMs + message.uptimeMs);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `[${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${time} ${date.getUTCFullYear()}] `;
}

export const programs = [program('dmesg', dmesg)];
