// Kinds that are questions: created, answered, never stored.

import { defineResource, type ResourceDefinition } from './definition.ts';

export const defineReview = (group: string, kind: string, plural: string, isNamespaced = false): ResourceDefinition =>
  defineResource({
    group,
    version: 'v1',
    kind,
    plural,
    isNamespaced,
    verbs: ['create'],
    alsoServedAs: [{ group, version: 'v1beta1' }],
    discoveryOnly: true,
  });
