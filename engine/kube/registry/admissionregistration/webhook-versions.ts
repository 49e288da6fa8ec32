// Webhook configurations in v1beta1, whose defaults are other ones than v1's.

import { isRecord } from '../../machinery/deep.ts';
import type { ApiObject, Json } from '../definition.ts';
import { defaults, records } from '../object-access.ts';

const V1BETA1_DEFAULTS: Json = { failurePolicy: 'Ignore', matchPolicy: 'Exact', sideEffects: 'Unknown', timeoutSeconds: 30 };

export function webhooksFromV1beta1(object: ApiObject): ApiObject {
  for (const webhook of records(object['webhooks'])) {
    defaults(webhook, V1BETA1_DEFAULTS);
    if (!Array.isArray(webhook['admissionReviewVersions']) || webhook['admissionReviewVersions'].length === 0)
      webhook['admissionReviewVersions'] = ['v1beta1'];
    for (const selector of ['namespaceSelector', 'objectSelector']) if (!isRecord(webhook[selector])) webhook[selector] = {};
  }
  return object;
}
