// Models the rules for where webhooks are: a URL, or a service of the cluster.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Subdomain, portNumber } from '../../machinery/names.ts';
import type { ServiceReference } from './types.ts';

const FORM = '; desired format: https://host[/path]';

export function webhookUrlErrors(url: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(url);
  if (match === null || /[\x00-\x1f\x7f]/.test(url))
    return [
      FieldError.required(path, `url must be a valid URL: parse ${JSON.stringify(url)}: net/url: invalid control character in URL${FORM}`),
    ];
  if (match[1] === undefined && /^[^/?#]*:/.test(url)) {
    return [
      FieldError.required(
        path,
        `url must be a valid URL: parse ${JSON.stringify(url)}: first path segment in URL cannot contain colon${FORM}`,
      ),
    ];
  }
  const [, scheme = '', user, host = '', , query = '', fragment = ''] = match;
  if (scheme.toLowerCase() !== 'https') errors.push(FieldError.invalid(path, scheme, `'https' is the only allowed URL scheme${FORM}`));
  if (host === '') errors.push(FieldError.invalid(path, host, `host must be provided${FORM}`));
  if (user !== undefined) errors.push(FieldError.invalid(path, user, 'user information is not permitted in the URL'));
  if (fragment !== '') errors.push(FieldError.invalid(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(FieldError.invalid(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

export function webhookServiceErrors(service: ServiceReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (service.name === '') errors.push(FieldError.required(`${path}.name`, 'service name is required'));
  if (service.namespace === '') errors.push(FieldError.required(`${path}.namespace`, 'service namespace is required'));
  const { port = 443, path: target } = service;
  const problems = portNumber(port);
  if (problems.length > 0) errors.push(FieldError.invalid(`${path}.port`, port, `port is not valid: ${problems.join(', ')}`));
  if (target === undefined || target === '' || target === '/') return errors;
  const invalid = (detail: string): void => void errors.push(FieldError.invalid(`${path}.path`, target, detail));
  if (target === '//') {
    invalid('segment[0] may not be empty');
    return errors;
  }
  if (!target.startsWith('/')) invalid("must start with a '/'");
  const steps = target.slice(1).replace(/\/$/, '').split('/');
  for (const [index, step] of steps.entries()) {
    if (step === '') invalid(`segment[${index}] may not be empty`);
    else for (const problem of dns1123Subdomain(step)) invalid(`segment[${index}]: ${problem}`);
  }
  return errors;
}
