// Conditions of CustomResourceDefinitions: one of a type, in order of their coming; the time is that of the last change of status.

import { rfc3339 } from '../../machinery/time.ts';
import type { Condition, DefinitionStatus } from './types.ts';

export function withCondition(status: DefinitionStatus, given: Omit<Condition, 'lastTransitionTime'>, nowMs: number): DefinitionStatus {
  const conditions = status.conditions ?? [];
  const old = conditions.find((condition) => condition.type === given.type);
  const time = old?.status === given.status && (old.lastTransitionTime ?? null) !== null ? old.lastTransitionTime! : rfc3339(nowMs);
  const { type, status: value, ...rest } = given;
  const next: Condition = { type, status: value, lastTransitionTime: time, ...rest };
  return {
    ...status,
    conditions: old === undefined ? [...conditions, next] : conditions.map((condition) => (condition === old ? next : condition)),
  };
}

export function withoutCondition(status: DefinitionStatus, type: string): DefinitionStatus {
  return { ...status, conditions: (status.conditions ?? []).filter((condition) => condition.type !== type) };
}

/** Whether two conditions say the same, whenever they came to be. */
export function saysTheSame(
  a: Omit<Condition, 'lastTransitionTime'> | undefined,
  b: Omit<Condition, 'lastTransitionTime'> | undefined,
): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.type === b.type && a.status === b.status && a.reason === b.reason && a.message === b.message;
}
