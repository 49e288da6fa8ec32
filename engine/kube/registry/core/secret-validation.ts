// Models ValidateSecret, ValidateConfigMap and their updates.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { GoJsonError, jsonKind, parseGoJson } from '../../machinery/go-json.ts';
import { configMapKey } from '../../machinery/names.ts';
import type { ConfigMap, Secret } from '../../machinery/types.ts';
import { fromBase64, text } from '../../../sim/bytes.ts';
import type { MetaErrors } from '../definition.ts';
import { byteLength, immutable } from '../meta-validation.ts';
import { findings } from '../rules.ts';

/** One MiB, for secrets and config maps alike. */
const MAX_BYTES = 1024 * 1024;
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

export function validateSecret(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  const data = secret.data ?? {};
  let size = 0;
  for (const key in data) {
    findings(errors, `data[${key}]`, key, configMapKey(key));
    size += decodedLength(data[key]!);
  }
  if (size > MAX_BYTES) errors.push(FieldError.tooLong('data', MAX_BYTES));
  const need = (key: string, path = `data[${key}]`): void => {
    if (data[key] === undefined) errors.push(FieldError.required(path, ''));
  };
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      if ((secret.metadata.annotations?.[ACCOUNT_NAME] ?? '') === '')
        errors.push(FieldError.required(`metadata.annotations[${ACCOUNT_NAME}]`, ''));
      break;
    case 'kubernetes.io/dockercfg':
      dockerConfig(errors, data, '.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      dockerConfig(errors, data, '.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      // Upstream never filled in the key here; clients see it so.
      if (data['username'] === undefined && data['password'] === undefined)
        for (const key of ['username', 'password']) need(key, `data[%s][${key}]`);
      break;
    case 'kubernetes.io/ssh-auth':
      if ((data['ssh-privatekey'] ?? '') === '') errors.push(FieldError.required('data[%s][ssh-privatekey]', ''));
      break;
    case 'kubernetes.io/tls':
      need('tls.crt');
      need('tls.key');
  }
  return errors;
}

function dockerConfig(errors: FieldError[], data: Readonly<Record<string, string>>, key: string): void {
  const given = data[key];
  if (given === undefined) {
    errors.push(FieldError.required(`data[${key}]`, ''));
    return;
  }
  const problem = goJsonMapError(text(fromBase64(given)));
  if (problem !== undefined) errors.push(FieldError.invalid(`data[${key}]`, '<secret contents redacted>', problem));
}

/** What json.Unmarshal into a map says of the text. */
function goJsonMapError(json: string): string | undefined {
  try {
    const value = parseGoJson(json);
    if (value === null || isRecord(value)) return undefined;
    return `json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`;
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    return error.message;
  }
}

/** Null stands for no bytes, as Go reads it. */
function decodedLength(given: string | null): number {
  const base64 = given ?? '';
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}

export function validateSecretUpdate(next: Secret, current: Secret, meta: MetaErrors): FieldError[] {
  const errors = [...meta.update, ...immutable('type', next.type, current.type)];
  errors.push(...frozen(next, current, ['data']), ...meta.object, ...validateSecret(next));
  return errors;
}

type Freezable = { readonly immutable?: boolean; readonly data?: object; readonly binaryData?: object };
const IS_FROZEN = 'field is immutable when `immutable` is set';

function frozen(next: Freezable, current: Freezable, fields: readonly ('data' | 'binaryData')[]): FieldError[] {
  if (current.immutable !== true) return [];
  const errors: FieldError[] = [];
  if (next.immutable !== true) errors.push(FieldError.forbidden('immutable', IS_FROZEN));
  for (const field of fields) if (!isDeepEqual(next[field], current[field])) errors.push(FieldError.forbidden(field, IS_FROZEN));
  return errors;
}

export function validateConfigMap(map: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  const { data, binaryData } = map;
  for (const key in data) {
    findings(errors, `data[${key}]`, key, configMapKey(key));
    if (binaryData?.[key] !== undefined) errors.push(FieldError.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += byteLength(data[key]!);
  }
  for (const key in binaryData) {
    findings(errors, `binaryData[${key}]`, key, configMapKey(key));
    size += decodedLength(binaryData[key]!);
  }
  // A path without a name shows so.
  if (size > MAX_BYTES) errors.push(FieldError.tooLong('[]', MAX_BYTES));
  return errors;
}

export function validateConfigMapUpdate(next: ConfigMap, current: ConfigMap, meta: MetaErrors): FieldError[] {
  return [...meta.update, ...frozen(next, current, ['data', 'binaryData']), ...meta.object, ...validateConfigMap(next)];
}
