// SelfSubjectRulesReview.

import type { ResourceDefinition } from '../definition.ts';
import { defineReview } from '../review.ts';

export const SELF_SUBJECT_RULES_REVIEW: ResourceDefinition = defineReview(
  'authorization.k8s.io',
  'SelfSubjectRulesReview',
  'selfsubjectrulesreviews',
);
