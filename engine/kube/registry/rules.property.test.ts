import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepCopy } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { normalize } from '../machinery/schema/codec.ts';
import { objectOf } from '../machinery/schema/random-object.ts';
import { structOf } from '../machinery/schema/schema.ts';
import type { ApiObject } from './definition.ts';
import { BUILT_IN } from './index.ts';

fc.configureGlobal({ seed: 1 });

const USER = { name: 'jane', groups: ['system:authenticated'] };
const STORED = BUILT_IN.filter(({ discoveryOnly, isCustom, kind }) => !discoveryOnly && !isCustom && kind !== 'CustomResourceDefinition');

describe('whatever a client sends', () => {
  for (const definition of STORED) {
    const { group, version, kind, strategy } = definition;
    const struct = structOf(group, version, kind);
    if (struct === undefined) continue;
    const served = { group, version };
    const arbitrary = objectOf(struct, 4).map((given) => {
      const { metadata } = given as { metadata?: object };
      return normalize(struct, { ...given, apiVersion: 'v1', kind, metadata: { ...metadata, name: 'x' } }) as unknown as ApiObject;
    });

    it(`as a ${kind} is judged, not stumbled over`, () => {
      fc.assert(
        fc.property(arbitrary, arbitrary, (one, other) => {
          const made = (given: ApiObject): ApiObject => {
            const object = deepCopy(given);
            strategy.setDefaults?.(object, served);
            strategy.prepareForCreate?.(object, { nowMs: 0, user: USER, served } as never);
            return normalize(struct, object);
          };
          const current = made(one);
          const next = made(other);
          const meta = { object: [], update: [] };
          const again = deepCopy(next);
          strategy.prepareForUpdate?.(again, current, served);
          const found = [
            ...(strategy.validate?.(current, served) ?? []),
            ...(strategy.validateUpdate?.(again, current, meta, served) ?? []),
            ...(strategy.validateStatusUpdate?.(next, current, meta, served) ?? []),
          ];
          for (const error of found) expect(error).toBeInstanceOf(FieldError);
          // What is looked at twice is found again, and nothing changes by looking.
          const before = JSON.stringify(current);
          expect(strategy.validate?.(current, served).map(String)).toEqual(strategy.validate?.(current, served).map(String));
          expect(JSON.stringify(current)).toBe(before);
        }),
        { numRuns: 30 },
      );
    });
  }
});
