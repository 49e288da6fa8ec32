// TokenReview.

import type { ResourceDefinition } from '../definition.ts';
import { defineReview } from '../review.ts';

export const TOKEN_REVIEW: ResourceDefinition = defineReview('authentication.k8s.io', 'TokenReview', 'tokenreviews');
