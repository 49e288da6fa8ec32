// Models what the service strategy does before validation: linked fields are filled, what a new type has no use for goes.

import { isDeepEqual } from '../../machinery/deep.ts';
import type { Json } from '../definition.ts';
import { records } from '../object-access.ts';
import { int, str, strings } from '../rules.ts';
import { needsHealthCheck } from './service-validation.ts';

/** A client that knows only clusterIP means clusterIPs as well. */
export function linkAddresses(spec: Json, old: Json | undefined): void {
  const address = str(spec['clusterIP']);
  const all = strings(spec['clusterIPs']);
  if (old === undefined) {
    if (address !== '' && all.length === 0) spec['clusterIPs'] = [address];
    return;
  }
  const before = str(old['clusterIP']);
  if (strings(old['clusterIPs']).length > 0 && all.length === 0 && before === address) spec['clusterIPs'] = old['clusterIPs'];
  if (before === address || !isDeepEqual(spec['clusterIPs'], old['clusterIPs'])) return;
  if (before !== '' && address === '') delete spec['clusterIPs'];
  else spec['clusterIPs'] = [address];
}

/** What we gave and the client left out stays: the same manifest sent again is no change. */
export function keepAllocations(spec: Json, old: Json): void {
  if (needsClusterIp(spec) && needsClusterIp(old)) {
    if (str(spec['clusterIP']) === '') spec['clusterIP'] = old['clusterIP'];
    if (strings(spec['clusterIPs']).length === 0) spec['clusterIPs'] = old['clusterIPs'];
  }
  if (needsNodePort(spec) && needsNodePort(old)) {
    const after = nodePorts(spec);
    const used = new Set([...nodePorts(old)].filter((number) => after.has(number)));
    const byName = new Map(records(old['ports']).map((port) => [str(port['name']), int(port['nodePort'])]));
    for (const port of records(spec['ports'])) {
      if (int(port['nodePort']) !== 0) continue;
      const before = byName.get(str(port['name'])) ?? 0;
      if (before !== 0 && !used.has(before)) port['nodePort'] = before;
    }
  }
  if (needsHealthCheck(spec) && needsHealthCheck(old) && int(spec['healthCheckNodePort']) === 0)
    spec['healthCheckNodePort'] = old['healthCheckNodePort'];
}

/** What the former type needed goes with it, unless the client changed it at the same time (then validation tells). */
export function dropForType(spec: Json, old: Json): void {
  if (
    needsClusterIp(old) &&
    !needsClusterIp(spec) &&
    spec['clusterIP'] === old['clusterIP'] &&
    isDeepEqual(spec['clusterIPs'], old['clusterIPs'])
  ) {
    delete spec['clusterIP'];
    delete spec['clusterIPs'];
  }
  if (needsNodePort(old) && !needsNodePort(spec) && isDeepEqual([...nodePorts(spec)].sort(), [...nodePorts(old)].sort()))
    for (const port of records(spec['ports'])) delete port['nodePort'];
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && int(spec['healthCheckNodePort']) === int(old['healthCheckNodePort']))
    delete spec['healthCheckNodePort'];
}

/** Fields behind gates that v1.20 keeps closed. */
export function dropGated(spec: Json): void {
  delete spec['ipFamilies'];
  delete spec['ipFamilyPolicy'];
  delete spec['topologyKeys'];
  delete spec['allocateLoadBalancerNodePorts'];
  const all = strings(spec['clusterIPs']);
  if (all.length > 1) spec['clusterIPs'] = all.slice(0, 1);
}

function needsClusterIp(spec: Json): boolean {
  return spec['type'] !== 'ExternalName';
}

export function needsNodePort(spec: Json): boolean {
  return spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer';
}

function nodePorts(spec: Json): Set<number> {
  return new Set(
    records(spec['ports'])
      .map((port) => int(port['nodePort']))
      .filter((number) => number !== 0),
  );
}
