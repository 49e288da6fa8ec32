// SubjectAccessReview.

import type { ResourceDefinition } from '../definition.ts';
import { defineReview } from '../review.ts';

export const SUBJECT_ACCESS_REVIEW: ResourceDefinition = defineReview(
  'authorization.k8s.io',
  'SubjectAccessReview',
  'subjectaccessreviews',
);
