// RoleBinding.

import type { ResourceDefinition } from '../definition.ts';
import { defineBinding } from './bindings.ts';

export const ROLE_BINDING: ResourceDefinition = defineBinding('RoleBinding', 'rolebindings', true);
