// ClusterRoleBinding.

import type { ResourceDefinition } from '../definition.ts';
import { defineBinding } from './bindings.ts';

export const CLUSTER_ROLE_BINDING: ResourceDefinition = defineBinding('ClusterRoleBinding', 'clusterrolebindings', false);
