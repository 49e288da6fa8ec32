// Models answers for human eyes: `?pretty=true`, and the clients that people look at answers with.

import type { HttpRequest, HttpResponder } from '../../net/http.ts';
import { booleanOf } from './request-options.ts';
import type { RequestInfo } from './request-info.ts';

const HUMAN = /^(curl|Wget|Mozilla\/5\.0)/;

export function isPretty(info: RequestInfo, request: HttpRequest): boolean {
  const asked = info.query.get('pretty') ?? '';
  if (asked !== '') return booleanOf(info.query, 'pretty') === true && ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(asked);
  return HUMAN.test(request.headers.get('user-agent') ?? '');
}

/** Indents what is sent as JSON; streams stay one event a line. */
export function prettily(respond: HttpResponder): HttpResponder {
  return {
    get signal() {
      return respond.signal;
    },
    send(head, body) {
      const isJson = head.headers?.['content-type'] === 'application/json' && typeof body === 'string' && body.startsWith('{');
      return respond.send(head, isJson ? JSON.stringify(JSON.parse(body), undefined, 2) : body);
    },
    stream: (head) => respond.stream(head),
    upgrade: (head) => respond.upgrade(head),
  };
}
