// Role.

import type { ResourceDefinition } from '../definition.ts';
import { defineRole } from './roles.ts';

export const ROLE: ResourceDefinition = defineRole('Role', 'roles', true);
