// What a screen may ask, checked before anything is done: the port carries whatever the other side sends.

import { z } from 'zod';
import type { CallName, ClientFrame, HostCalls } from '#shared/protocol/protocol.ts';

const LONGEST_NAME = 200;
const LONGEST_NOTE = 4000;
/** A paste of this size is a mistake; a frame must fit in memory many times over. */
const LONGEST_INPUT = 4_000_000;

const name = z.string().min(1).max(LONGEST_NAME);
const size = z.object({ columns: z.number().int().min(1).max(1000), rows: z.number().int().min(1).max(1000) });
const target = z.union([z.object({ machine: name, console: z.boolean().optional() }), z.object({ kind: z.literal('host-shell') })]);

const CALLS = {
  hello: z.tuple([z.number()]),
  powerOn: z.tuple([name]),
  powerOff: z.tuple([name, z.enum(['acpi', 'hard'])]),
  reset: z.tuple([name]),
  setSpeed: z.tuple([z.union([z.literal(0), z.literal(1), z.literal(10), z.literal(60)])]),
  saveSnapshot: z.tuple([name, z.string().max(LONGEST_NOTE)]),
  restoreSnapshot: z.tuple([name]),
  deleteSnapshot: z.tuple([name]),
  renameSnapshot: z.tuple([name, name, z.string().max(LONGEST_NOTE)]),
  restorePoints: z.tuple([]),
  restorePoint: z.tuple([z.number().int().nonnegative()]),
  openTerminal: z.tuple([target, size]),
  attachTerminal: z.tuple([name, size]),
  closeTerminal: z.tuple([name]),
  reconnectTerminal: z.tuple([name]),
  setDoor: z.tuple([z.enum(['ssh', 'api']), z.boolean()]),
  kubeconfig: z.tuple([]),
} satisfies Record<CallName, z.ZodType>;

const FRAME = z.discriminatedUnion('type', [
  z.object({ type: z.literal('call'), id: z.number(), name: z.string(), args: z.array(z.unknown()) }),
  z.object({ type: z.literal('write'), terminal: name, data: z.string().max(LONGEST_INPUT) }),
  z.object({ type: z.literal('resize'), terminal: name, columns: size.shape.columns, rows: size.shape.rows }),
  z.object({ type: z.literal('acknowledge'), terminal: name, characters: z.number().nonnegative() }),
  z.object({ type: z.literal('ping') }),
]);

/** Throws when the message is none of the protocol's. */
export function parseFrame(message: unknown): ClientFrame {
  return FRAME.parse(message);
}

export function isCallName(called: string): called is CallName {
  return Object.hasOwn(CALLS, called);
}

/** Throws with a readable message when the arguments are not what the call takes. */
export function parseArguments<Name extends CallName>(called: Name, args: readonly unknown[]): Parameters<HostCalls[Name]> {
  const parsed = CALLS[called].safeParse(args);
  if (!parsed.success) throw new Error(`${called}: ${z.prettifyError(parsed.error)}`);
  return parsed.data as unknown as Parameters<HostCalls[Name]>;
}
