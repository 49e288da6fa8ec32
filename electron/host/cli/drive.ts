// `nobox drive`: one JSON request a line on standard input, one JSON answer a line on standard output, in virtual time.

import { createInterface } from 'node:readline';
import { z } from 'zod';
import { parseDuration } from '../duration.ts';
import { openLab } from '../lab-host.ts';
import type { DrivenLab } from '../driven-lab.ts';
import { CliError, parseOptions } from './options.ts';

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms === undefined) context.addIssue({ code: 'custom', message: `"${text}" is no duration` });
  return ms ?? 0;
});
const id = z.union([z.number(), z.string()]);
const size = z.strictObject({ columns: z.int().min(1).max(1000), rows: z.int().min(1).max(1000) });

const REQUEST = z.union([
  z.strictObject({ id, vm: z.string(), run: z.string(), stdin: z.string().optional(), timeout: duration.optional() }),
  z.strictObject({ id, advance: duration }),
  z.strictObject({ id, snapshot: z.enum(['save', 'restore', 'delete']), name: z.string(), note: z.string().optional() }),
  z.strictObject({ id, snapshot: z.enum(['list', 'points']) }),
  z.strictObject({ id, snapshot: z.literal('restore-point'), revision: z.int().min(1) }),
  z.strictObject({ id, snapshot: z.literal('diff'), name: z.string(), with: z.string().optional() }),
  z.strictObject({ id, snapshot: z.enum(['export', 'import']), name: z.string().optional(), file: z.string() }),
  z.strictObject({ id, power: z.enum(['on', 'off', 'reset', 'acpi']), vm: z.string() }),
  z.strictObject({ id, tty: z.string(), open: size, console: z.boolean().optional() }),
  z.strictObject({ id, session: z.string(), type: z.string() }),
  z.strictObject({ id, session: z.string(), screen: z.literal(true) }),
  z.strictObject({ id, session: z.string(), resize: size }),
  z.strictObject({ id, session: z.string(), close: z.literal(true) }),
  z.strictObject({ id, http: z.strictObject({ from: z.string(), url: z.string(), method: z.string().optional() }) }),
  z.strictObject({ id, trace: z.strictObject({ vm: z.string(), to: z.string() }) }),
]);
type Request = z.infer<typeof REQUEST>;

const DEFAULT_TIMEOUT_MS = 600_000;

export async function drive(args: readonly string[]): Promise<number> {
  const { values, words } = parseOptions(args, { state: 'string', seed: 'string' });
  if (words.length > 0) throw new CliError(`unexpected argument "${words[0]!}"`);
  const lab = await openLab({ path: values['state'], seed: seedOf(values['seed']) });
  const write = (answer: unknown): void => {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  };
  const pending = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const work = answer(lab, line).then(write);
    pending.add(work);
    void work.finally(() => pending.delete(work));
  }
  await Promise.all(pending);
  await lab.close();
  return 0;
}

export function seedOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new CliError(`--seed takes a whole number, not "${text}"`);
  return Number(text);
}

async function answer(lab: DrivenLab, line: string): Promise<unknown> {
  let id: unknown = null;
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json === 'object' && json !== null && 'id' in json) id = json.id;
    const request = REQUEST.safeParse(json);
    if (!request.success) return { id, error: `bad request: ${firstIssue(request.error)}` };
    const result = await perform(lab, request.data);
    lab.flush();
    return { id, ...result };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

async function perform(lab: DrivenLab, request: Request): Promise<object> {
  if ('run' in request) {
    const startMs = lab.now();
    const result = await lab.run(request.vm, request.run, {
      timeoutMs: request.timeout ?? DEFAULT_TIMEOUT_MS,
      ...(request.stdin === undefined ? {} : { stdin: request.stdin }),
    });
    return { ...result, took_ms: Math.round(lab.now() - startMs), now: isoTime(lab.now()) };
  }
  if ('advance' in request) {
    await lab.advance(request.advance);
    return { now: isoTime(lab.now()) };
  }
  if ('snapshot' in request) return snapshot(lab, request);
  if ('power' in request) {
    lab.power(request.vm, request.power);
    return { now: isoTime(lab.now()) };
  }
  if ('tty' in request) return { session: await lab.openSession(request.tty, request.open, { console: request.console === true }) };
  if ('session' in request) {
    if ('type' in request) await lab.type(request.session, request.type);
    else if ('resize' in request) lab.resize(request.session, request.resize);
    else if ('close' in request) lab.closeSession(request.session);
    else return lab.screen(request.session);
    return {};
  }
  if ('http' in request) return lab.http(request.http);
  return { hops: await lab.trace(request.trace.vm, request.trace.to) };
}

async function snapshot(lab: DrivenLab, request: Extract<Request, { snapshot: string }>): Promise<object> {
  switch (request.snapshot) {
    case 'list':
      return { snapshots: lab.snapshots() };
    case 'points':
      return { points: lab.restorePoints() };
    case 'restore-point':
      await lab.restorePoint(request.revision);
      return { now: isoTime(lab.now()) };
    case 'save':
      return { snapshot: lab.saveSnapshot(request.name, request.note) };
    case 'delete':
      lab.deleteSnapshot(request.name);
      return {};
    case 'diff':
      return { changes: lab.diff(request.name, request.with) };
    case 'restore':
      await lab.restoreSnapshot(request.name);
      return { now: isoTime(lab.now()) };
    case 'export':
      return lab.export(request.file, request.name);
    case 'import':
      await lab.import(request.file);
      return { now: isoTime(lab.now()) };
  }
}

function isoTime(ms: number): string {
  return new Date(Math.floor(ms)).toISOString().replace(/\.\d+Z$/, 'Z');
}

function firstIssue(error: z.ZodError): string {
  const flat = (issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] =>
    issues.flatMap((issue) => (issue.code === 'invalid_union' ? issue.errors.flatMap((nested) => flat(nested)) : [issue]));
  const custom = flat(error.issues).find((issue) => issue.code === 'custom');
  return custom?.message ?? 'no request has these fields (see docs/cli.md)';
}
