// The API's defaults for pods, for those that come from files and meet no API server.

import type { Container, Pod, Probe } from '../machinery/types.ts';
import { deepCopy } from '../machinery/deep.ts';

/** Fills in what the API server would. Does not change its argument. */
export function withPodDefaults(given: Pod): Pod {
  const pod = deepCopy(given);
  const spec = pod.spec!;
  spec.restartPolicy ??= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ??= 'default-scheduler';
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) containerDefaults(container, spec.hostNetwork === true);
  for (const volume of spec.volumes ?? []) {
    if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
    if (volume.configMap !== undefined) volume.configMap.defaultMode ??= 0o644;
    if (volume.secret !== undefined) volume.secret.defaultMode ??= 0o644;
  }
  return pod;
}

function containerDefaults(container: Container, hostNetwork: boolean): void {
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  const image = container.image ?? '';
  const tag = /:([^/:@]+)$/.exec(image)?.[1];
  container.imagePullPolicy ??= (tag === undefined && !image.includes('@')) || tag === 'latest' ? 'Always' : 'IfNotPresent';
  container.resources ??= {};
  if (container.resources.limits !== undefined)
    container.resources.requests = { ...container.resources.limits, ...container.resources.requests };
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP';
    if (hostNetwork) port.hostPort ??= port.containerPort;
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe !== undefined) probeDefaults(probe);
}

function probeDefaults(probe: Probe): void {
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  if (probe.httpGet !== undefined) {
    probe.httpGet.path ??= '/';
    probe.httpGet.scheme ??= 'HTTP';
  }
}
