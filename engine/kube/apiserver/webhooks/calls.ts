// Models calls of admission webhooks: an AdmissionReview goes to a service or a URL over the network, and what comes back is checked.

import type { Clock } from '../../../sim/clock.ts';
import { fromBase64, text } from '../../../sim/bytes.ts';
import { SysError } from '../../../sim/errno.ts';
import { readAllBytes } from '../../../net/http-message.ts';
import { isRecord } from '../../machinery/deep.ts';
import type { JsonPatchOperation } from '../../machinery/json-patch.ts';
import { REVIEW_VERSIONS, type Webhook } from '../../registry/admissionregistration/webhook-validation.ts';
import { clientOf, resolveService, transportProblem, UnreachableError, type ServiceCallOptions } from '../service-call.ts';

export interface CallOptions extends ServiceCallOptions {
  readonly clock: Clock;
}

/** The webhook could not be asked; what that means its failure policy says. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';

  constructor(webhook: string, reason: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`);
  }
}

export interface Verdict {
  readonly isAllowed: boolean;
  readonly status: Readonly<Record<string, unknown>> | undefined;
  readonly patch: readonly JsonPatchOperation[];
  /** For the client. */
  readonly warnings: readonly string[];
}

/** `request` is the review's request without its uid. Throws WebhookCallError. */
export async function callWebhook(
  webhook: Webhook,
  { uid, request, isMutating }: { readonly uid: string; readonly request: object; readonly isMutating: boolean },
  options: CallOptions,
): Promise<Verdict> {
  const version = (webhook.admissionReviewVersions ?? []).find((each) => REVIEW_VERSIONS.includes(each));
  if (version === undefined)
    throw new WebhookCallError(webhook.name, 'webhook does not accept known AdmissionReview versions (v1, v1beta1)');
  const review = { kind: 'AdmissionReview', apiVersion: `admission.k8s.io/${version}`, request: { uid, ...request } };
  const answer = await post(webhook, JSON.stringify(review), options);
  return checked(webhook, answer, { version, uid, isMutating });
}

async function post(webhook: Webhook, body: string, options: CallOptions): Promise<unknown> {
  const timeoutS = webhook.timeoutSeconds ?? 10;
  const { service, url, caBundle = '' } = webhook.clientConfig;
  const where =
    service === undefined
      ? placeOf(url!)
      : { host: `${service.name}.${service.namespace}.svc`, port: service.port ?? 443, path: service.path ?? '/' };
  const authority = service === undefined ? (/^https:\/\/([^/]+)/i.exec(url!)?.[1] ?? '') : `${where.host}:${where.port}`;
  const target = `${where.path}?timeout=${timeoutS}s`;
  const fail = (reason: string): WebhookCallError => new WebhookCallError(webhook.name, `Post "https://${authority}${target}": ${reason}`);
  let at: { readonly address: string; readonly port: number };
  try {
    at =
      service === undefined ? { address: where.host, port: where.port } : resolveService(options.reader, { ...service, port: where.port });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw fail(error.message);
  }
  const late = new AbortController();
  const timer = options.clock.setTimer(timeoutS * 1000, () => late.abort(new SysError('ETIMEDOUT')));
  const tls = { serverName: where.host, ...(caBundle === '' ? {} : { ca: new TextDecoder().decode(fromBase64(caBundle)) }) };
  const client = clientOf(options, at, tls, late.signal);
  try {
    const response = await client.request({
      method: 'POST',
      target,
      headers: { 'content-type': 'application/json', accept: 'application/json, */*', 'user-agent': 'kube-apiserver-admission' },
      body,
      signal: late.signal,
    });
    const answer = text(await readAllBytes(response.body));
    if (response.status < 200 || response.status > 206) throw new WebhookCallError(webhook.name, refusalOf(response.status, answer));
    try {
      return JSON.parse(answer);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new WebhookCallError(webhook.name, `couldn't get version/kind; json parse error: ${error.message}`);
    }
  } catch (error) {
    if (error instanceof WebhookCallError) throw error;
    if (late.signal.aborted) throw fail('context deadline exceeded');
    throw fail(transportProblem(error, `${at.address}:${at.port}`));
  } finally {
    timer.dispose();
    client.close();
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

function placeOf(url: string): Place {
  const match = /^https:\/\/(\[[^\]]+\]|[^/:?#]+)(?::(\d+))?([^?#]*)/i.exec(url);
  const [, host = '', port = '443', path = ''] = match ?? [];
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port), path: path === '' ? '/' : path };
}

function refusalOf(status: number, body: string): string {
  const known: Readonly<Record<number, string>> = {
    400: 'the server rejected our request for an unknown reason',
    401: 'the server has asked for the client to provide credentials',
    403: 'forbidden: unknown',
    404: 'the server could not find the requested resource',
    405: 'the server does not allow this method on the requested resource',
    429: 'the server has received too many requests and has asked us to try again later',
    503: 'the server is currently unable to handle the request',
    504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
  };
  return (
    known[status] ??
    `an error on the server (${JSON.stringify(body.trim() === '' ? 'unknown' : body.trim())}) has prevented the request from succeeding`
  );
}

function checked(
  webhook: Webhook,
  review: unknown,
  { version, uid, isMutating }: { readonly version: string; readonly uid: string; readonly isMutating: boolean },
): Verdict {
  const fail = (reason: string): WebhookCallError => new WebhookCallError(webhook.name, reason);
  if (!isRecord(review)) throw fail('the answer is no AdmissionReview');
  const response = review['response'];
  if (!isRecord(response)) throw fail('webhook response was absent');
  const given = response['patch'];
  const { patchType } = response;
  if (version === 'v1') {
    if (response['uid'] !== uid) throw fail(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`);
    const wanted = 'admission.k8s.io/v1, Kind=AdmissionReview';
    const got = `${String(review['apiVersion'] ?? '')}, Kind=${String(review['kind'] ?? '')}`;
    if (got !== wanted) throw fail(`expected webhook response of ${wanted}, got ${got}`);
    const hasPatch = typeof given === 'string' && given !== '';
    if (isMutating) {
      if (hasPatch && patchType === undefined) throw fail('webhook returned response.patch but not response.patchType');
      if (!hasPatch && patchType !== undefined) throw fail('webhook returned response.patchType but not response.patch');
      if (patchType === '') throw fail('webhook returned invalid response.patchType of ""');
      if (hasPatch && patchType !== 'JSONPatch') throw fail(`unsupported patch type ${JSON.stringify(patchType)}`);
    } else {
      if (hasPatch) throw fail('validating webhook may not return response.patch');
      if (patchType !== undefined) throw fail('validating webhook may not return response.patchType');
    }
  }
  const warnings = Array.isArray(response['warnings']) ? response['warnings'].map(String) : [];
  const patch = isMutating && typeof given === 'string' && given !== '' ? parsePatch(given) : [];
  return {
    isAllowed: response['allowed'] === true,
    status: isRecord(response['status']) ? response['status'] : undefined,
    patch,
    warnings,
  };
}

function parsePatch(base64: string): readonly JsonPatchOperation[] {
  return JSON.parse(text(fromBase64(base64))) as JsonPatchOperation[];
}
