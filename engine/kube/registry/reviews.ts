// Kinds that are questions: created, answered, never stored.

import { defineResource, type ResourceDefinition } from './definition.ts';

const review = (group: string, kind: string, plural: string, isNamespaced = false): ResourceDefinition =>
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

export const REVIEWS: readonly ResourceDefinition[] = [
  review('authentication.k8s.io', 'TokenReview', 'tokenreviews'),
  review('authorization.k8s.io', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', true),
  review('authorization.k8s.io', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews'),
  review('authorization.k8s.io', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews'),
  review('authorization.k8s.io', 'SubjectAccessReview', 'subjectaccessreviews'),
];
