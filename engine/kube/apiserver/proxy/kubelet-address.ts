// Where a node's kubelet is found, as its status tells it.

import { ApiError } from '../../machinery/api-error.ts';
import type { Node } from '../../machinery/types.ts';
import type { ClusterReader } from '../admission.ts';
import { plainError } from './reverse-proxy.ts';

const KUBELET_PORT = 10250;
/** --kubelet-preferred-address-types of kubeadm. */
const PREFERRED = ['InternalIP', 'ExternalIP', 'Hostname'];

export function kubeletAddress(name: string, reader: ClusterReader): { readonly address: string; readonly port: number } {
  const node = reader.store('', 'nodes').get(undefined, name)?.object as unknown as Node | undefined;
  if (node === undefined) {
    const details = { name, kind: 'nodes' };
    const message = `nodes ${JSON.stringify(name)} not found`;
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: 'NotFound',
      details,
      code: 404,
    });
  }
  const addresses = node.status?.addresses ?? [];
  for (const type of PREFERRED) {
    const found = addresses.find((each) => each.type === type);
    if (found !== undefined) return { address: found.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? KUBELET_PORT };
  }
  throw plainError(
    500,
    `no preferred addresses found; known addresses: [${addresses.map((each) => `{${each.type} ${each.address}}`).join(' ')}]`,
  );
}
