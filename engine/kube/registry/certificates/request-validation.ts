// Models the validation of certificate signing requests: of the request itself, its status and its approval.

import { parseCertificateRequest, X509Error } from '../../../net/x509.ts';
import { fromBase64, text } from '../../../sim/bytes.ts';
import { InvariantError } from '../../../sim/invariant.ts';
import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { GoSyntax } from '../../machinery/go-syntax.ts';
import { dns1123Label, dns1123Subdomain } from '../../machinery/names.ts';
import { rfc3339 } from '../../machinery/time.ts';
import type { ApiObject, Json, MetaErrors, ServedVersion } from '../definition.ts';
import { records, specOf } from '../object-access.ts';
import { isSet, str, strings } from '../rules.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const DECISIONS = ['Approved', 'Denied'];
const FINAL = [...DECISIONS, 'Failed'];

const statusOf = (object: ApiObject): Json => (object['status'] ?? {}) as Json;
const conditionsOf = (object: ApiObject): readonly Json[] => records(statusOf(object)['conditions']);

export function validateRequest(object: ApiObject, served: ServedVersion): FieldError[] {
  return [...specErrors(object), ...(served.version === 'v1beta1' ? looseErrors(object) : strictErrors(object))];
}

function specErrors(object: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const request = str(specOf(object)['request']);
  const problem = requestProblem(request);
  if (problem !== undefined) errors.push(FieldError.invalid('spec.request', goBytes(request), problem));
  if (strings(specOf(object)['usages']).length === 0) errors.push(FieldError.required('spec.usages', 'usages must be provided'));
  return errors;
}

/** What v1 asks for beyond v1beta1, signer and conditions in between as upstream has them. */
function strictErrors(object: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const usages = strings(spec['usages']);
  for (const [index, usage] of usages.entries())
    if (!USAGES.includes(usage)) errors.push(FieldError.notSupported(`spec.usages[${index}]`, usage, USAGES));
  for (const [index, usage] of usages.entries())
    if (usages.indexOf(usage) < index) errors.push(FieldError.duplicate(`spec.usages[${index}]`, usage));
  const signer = str(spec['signerName']);
  if (signer === LEGACY_SIGNER)
    errors.push(FieldError.invalid('spec.signerName', signer, 'the legacy signerName is not allowed via this API version'));
  else errors.push(...signerErrors(signer));
  errors.push(...conditionErrors(object, true));
  const problem = certificateProblem(str(statusOf(object)['certificate']));
  if (problem !== undefined) errors.push(FieldError.invalid('status.certificate', '<certificate data>', problem));
  return errors;
}

function looseErrors(object: ApiObject): FieldError[] {
  return [...signerErrors(str(specOf(object)['signerName'])), ...conditionErrors(object, false)];
}

function requestProblem(base64: string): string | undefined {
  const pem = text(fromBase64(base64));
  if (!/-----BEGIN CERTIFICATE REQUEST-----\n[^-]*-----END CERTIFICATE REQUEST-----/.test(pem))
    return 'PEM block type must be CERTIFICATE REQUEST';
  try {
    parseCertificateRequest(pem);
  } catch (error) {
    // A key of a kind that nothing here signs with is as good as any.
    if (error instanceof InvariantError) return undefined;
    if (!(error instanceof X509Error)) throw error;
    return error.message;
  }
  return undefined;
}

function goBytes(base64: string): GoSyntax {
  if (base64 === '') return new GoSyntax('[]byte(nil)');
  return new GoSyntax(`[]byte{${[...fromBase64(base64)].map((byte) => `0x${byte.toString(16)}`).join(', ')}}`);
}

function certificateProblem(base64: string): string | undefined {
  if (base64 === '') return undefined;
  const blocks = [...text(fromBase64(base64)).matchAll(/-----BEGIN ([^-]+)-----/g)];
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block';
  const other = blocks.find(([, type]) => type !== 'CERTIFICATE');
  return other === undefined ? undefined : `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(other[1])}`;
}

const MAX_DOMAIN = 253;
const MAX_SIGNER = 571;

function signerErrors(signer: string): FieldError[] {
  const path = 'spec.signerName';
  if (signer === '') return [FieldError.required(path, 'signerName must be provided')];
  const segments = signer.split('/');
  const [domain = '', name = ''] = segments;
  if (segments.length !== 2)
    return [FieldError.invalid(path, signer, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  const errors: FieldError[] = [];
  if (domain.length > MAX_DOMAIN) errors.push(FieldError.tooLong(path, MAX_DOMAIN));
  const firstFault = (parts: readonly string[], whole: string, rule: (part: string) => readonly string[]): void => {
    const part = parts.find((each) => rule(each).length > 0);
    if (part === undefined) return;
    for (const problem of rule(part)) errors.push(FieldError.invalid(path, whole, `validating label ${JSON.stringify(part)}: ${problem}`));
  };
  const labels = domain.split('.');
  firstFault(labels, domain, dns1123Label);
  if (labels.length < 2) errors.push(FieldError.invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  firstFault(name.split('.'), name, dns1123Subdomain);
  if (signer.length > MAX_SIGNER) errors.push(FieldError.tooLong(path, MAX_SIGNER));
  return errors;
}

function conditionErrors(object: ApiObject, isStrict: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const conditions = conditionsOf(object);
  const seen = new Set<string>();
  for (const [index, condition] of conditions.entries()) {
    const path = `status.conditions[${index}]`;
    const [type, state] = [str(condition['type']), str(condition['status'])];
    if (isStrict && type === '') errors.push(FieldError.required(`${path}.type`, ''));
    const allowed = FINAL.includes(type) ? ['True'] : ['True', 'False', 'Unknown'];
    if (state === '') errors.push(FieldError.required(`${path}.status`, ''));
    else if (!allowed.includes(state)) errors.push(FieldError.notSupported(`${path}.status`, state, ['True']));
    if (isStrict && seen.has(type)) errors.push(FieldError.duplicate(`${path}.type`, type));
    seen.add(type);
  }
  if (isStrict && DECISIONS.every((type) => seen.has(type)))
    errors.push(FieldError.invalid('status.conditions', 'Approved,Denied', 'Approved and Denied conditions are mutually exclusive'));
  return errors;
}

interface Allowed {
  readonly decides: boolean;
  readonly issues: boolean;
}

/** An update of the request, of its status (which may issue) or its approval (which may decide). */
export function validateRequestUpdate(
  next: ApiObject,
  current: ApiObject,
  { meta, served, allowed }: { readonly meta: MetaErrors; readonly served: ServedVersion; readonly allowed: Allowed },
): FieldError[] {
  // What was let in once stays acceptable.
  const isLoose = served.version === 'v1beta1' || strictErrors(current).length > 0;
  const errors = [...meta.object, ...specErrors(next), ...(isLoose ? looseErrors(next) : strictErrors(next))];
  const fault = (field: string, detail: string): void => void errors.push(FieldError.forbidden(`status.${field}`, detail));
  const of = (object: ApiObject, type: string): readonly Json[] => conditionsOf(object).filter((condition) => condition['type'] === type);
  for (const type of FINAL)
    if (of(next, type).length < of(current, type).length) fault('conditions', `updates may not remove a condition of type "${type}"`);
  if (!allowed.decides) {
    for (const type of DECISIONS) {
      const [after, before] = [of(next, type), of(current, type)];
      if (after.length > before.length) fault('conditions', `updates may not add a condition of type "${type}"`);
      else if (after.length === before.length && !isDeepEqual(after, before))
        fault('conditions', `updates may not modify a condition of type "${type}"`);
    }
  }
  const [after, before] = [str(statusOf(next)['certificate']), str(statusOf(current)['certificate'])];
  if (after !== before) {
    if (!allowed.issues) fault('certificate', 'updates may not set certificate content');
    else if (before !== '' && !isLoose) fault('certificate', 'updates may not modify existing certificate content');
  }
  return [...errors, ...meta.update];
}

/** Conditions get their times; one that stays as it is keeps the time it came. */
export function stampConditions(next: ApiObject, current: ApiObject, nowMs: number): void {
  const now = rfc3339(nowMs);
  for (const condition of conditionsOf(next)) {
    if (!isSet(condition['lastUpdateTime'])) condition['lastUpdateTime'] = now;
    if (isSet(condition['lastTransitionTime'])) continue;
    const same = conditionsOf(current).find((each) => each['type'] === condition['type'] && each['status'] === condition['status']);
    condition['lastTransitionTime'] = same?.['lastTransitionTime'] ?? now;
  }
}
