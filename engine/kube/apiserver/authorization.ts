// Models authorisation: a union of modes, and the words of a refusal.

import type { ApiError } from '../machinery/api-error.ts';
import { forbidden } from '../machinery/status.ts';
import type { RequestInfo } from './request-info.ts';
import type { User } from './user.ts';

export type AuthorizationAttributes = Pick<
  RequestInfo,
  'isResource' | 'verb' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name' | 'path'
>;

export interface Decision {
  readonly isAllowed: boolean;
  /** What allows it; or why not, when there is more to say than that no rule does. */
  readonly reason: string;
}

export interface Authorizer {
  authorize(user: User, attributes: AuthorizationAttributes): Decision;
}

/** The first mode that allows it wins; otherwise everything that was said against it counts. */
export class UnionAuthorizer implements Authorizer {
  readonly #modes: readonly Authorizer[];

  constructor(modes: readonly Authorizer[]) {
    this.#modes = modes;
  }

  authorize(user: User, attributes: AuthorizationAttributes): Decision {
    const reasons: string[] = [];
    for (const mode of this.#modes) {
      const decision = mode.authorize(user, attributes);
      if (decision.isAllowed) return decision;
      if (decision.reason !== '') reasons.push(decision.reason);
    }
    return { isAllowed: false, reason: reasons.join('\n') };
  }
}

/** `pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenFor(user: User, at: AuthorizationAttributes, reason: string): ApiError {
  const more = reason === '' ? '' : `: ${reason}`;
  const name = JSON.stringify(user.name);
  if (!at.isResource)
    return forbidden(
      { group: '', resource: '' },
      '',
      `${sanitized(`User ${name} cannot ${at.verb} path ${JSON.stringify(at.path)}`)}${more}`,
    );
  const resource = at.subresource === '' ? at.resource : `${at.resource}/${at.subresource}`;
  const where = at.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(at.namespace)}`;
  const message = `User ${name} cannot ${at.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(at.group)} ${where}`;
  return forbidden({ group: at.group, resource: at.resource }, at.name, `${sanitized(message)}${more}`);
}

/** What came from the client must not become markup in a browser. */
export function sanitized(message: string): string {
  return message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
