// The chain of admission plugins: they see every write after authorisation and before it is stored.

import type { ApiError } from '../machinery/api-error.ts';
import { forbidden } from '../machinery/status.ts';
import type { ApiObject, ResourceDefinition, ServedVersion } from '../registry/definition.ts';
import type { ResourceStore } from './resource-store.ts';
import type { User } from './user.ts';

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly definition: ResourceDefinition;
  /** The version the request is made in; left out: the stored one. */
  readonly served?: ServedVersion;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty while a name is still to be generated. */
  readonly name: string;
  /** May be changed by `admit`; undefined for deletions and connections. */
  readonly object: ApiObject | undefined;
  readonly old: ApiObject | undefined;
  readonly user: User;
  /** Nothing will be stored: a plugin must leave nothing behind either. */
  readonly isDryRun?: boolean;
  /** Tells the client something in a Warning header. */
  readonly warn?: (text: string) => void;
  readonly rounds?: AdmissionRounds;
}

/** The chain admits a request once more when a webhook changed it: what came before may have something to say to that. */
export interface AdmissionRounds {
  readonly isSecond: boolean;
  isSecondWanted: boolean;
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

/** `pods "web-" is forbidden: ...`: a name that is still to be made shows as what it is made from. */
export function refusal(request: AdmissionRequest, why: string): ApiError {
  const { definition, object } = request;
  const name = request.name || object?.metadata.name || object?.metadata.generateName || 'Unknown';
  return forbidden({ group: definition.group, resource: definition.plural }, name, why);
}

/** Whether a request is about `resource` itself (or the subresource given). */
export function isFor(request: AdmissionRequest, group: string, resource: string, subresource = ''): boolean {
  const { definition } = request;
  return request.subresource === subresource && definition.plural === resource && definition.group === group;
}
