// SelfSubjectAccessReview.

import type { ResourceDefinition } from '../definition.ts';
import { defineReview } from '../review.ts';

export const SELF_SUBJECT_ACCESS_REVIEW: ResourceDefinition = defineReview(
  'authorization.k8s.io',
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
);
