// LimitRange.

import { defineResource, type ResourceDefinition } from '../definition.ts';
import { defaultLimits, validateLimitRange } from './limit-range-validation.ts';

export const LIMIT_RANGE: ResourceDefinition = defineResource({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  strategy: {
    setDefaults: defaultLimits,
    validate: validateLimitRange,
    validateUpdate: (next, _current, meta) => [...meta.object, ...validateLimitRange(next)],
  },
});
