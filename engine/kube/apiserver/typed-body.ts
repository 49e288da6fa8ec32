// Bodies of subresources as their Go types keep them.

import { DecodeError, normalize } from '../machinery/schema/codec.ts';
import { badRequest } from '../machinery/status.ts';

/** The body as the type (`autoscaling/v1.Scale`) has it; one that does not fit is refused as any object is. */
export function typedBody<T extends object>(struct: string, body: T): T {
  try {
    return normalize(struct, body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const [, version, kind] = /\/([^/.]+)\.(\w+)$/.exec(struct)!;
    throw badRequest(`${kind!} in version "${version!}" cannot be handled as a ${kind!}: ${error.describe(JSON.stringify(body))}`);
  }
}
