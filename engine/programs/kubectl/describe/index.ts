// Models kubectl's describers: which kind is shown how.

import type { Context } from '../context.ts';
import type { JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import { describeGeneric } from './generic.ts';

export type Describer = (context: Context, object: JsonObject, showEvents: boolean) => Promise<string>;

const DESCRIBERS: Readonly<Record<string, Describer>> = {};

/** The text of one object. */
export function describeObject(context: Context, info: Info, showEvents: boolean): Promise<string> {
  const describer = DESCRIBERS[`${info.mapping.group}/${info.mapping.kind}`] ?? describeGeneric;
  return describer(context, info.object ?? {}, showEvents);
}
