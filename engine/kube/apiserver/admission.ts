// The chain of admission plugins: they see every write after authorisation and before it is stored.

import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';
import type { ResourceStore } from './resource-store.ts';
import type { User } from './user.ts';

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** May be changed by `admit`; undefined for deletions and connections. */
  readonly object: ApiObject | undefined;
  readonly old: ApiObject | undefined;
  readonly user: User;
}

export interface AdmissionPlugin {
  readonly name: string;
  /** May change the object. Throws ApiError to refuse. */
  admit?(request: AdmissionRequest): void | Promise<void>;
  /** Sees the object as it will be stored. Throws ApiError to refuse. */
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** What plugins and authorisers may read of the cluster. */
export interface ClusterReader {
  store(group: string, resource: string): ResourceStore;
}
