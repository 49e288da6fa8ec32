// LocalSubjectAccessReview.

import type { ResourceDefinition } from '../definition.ts';
import { defineReview } from '../review.ts';

export const LOCAL_SUBJECT_ACCESS_REVIEW: ResourceDefinition = defineReview(
  'authorization.k8s.io',
  'LocalSubjectAccessReview',
  'localsubjectaccessreviews',
  true,
);
