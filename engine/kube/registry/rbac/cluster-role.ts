// ClusterRole.

import type { ResourceDefinition } from '../definition.ts';
import { defineRole } from './roles.ts';

export const CLUSTER_ROLE: ResourceDefinition = defineRole('ClusterRole', 'clusterroles', false);
