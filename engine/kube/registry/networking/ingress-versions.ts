// Ingress as networking.k8s.io/v1beta1 and extensions/v1beta1 show it, and as v1 stores it.

import type { ApiObject, Json } from '../definition.ts';

interface Path {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend?: Json;
}
interface Rule {
  readonly http?: { readonly paths: readonly Path[] };
}

export function ingressFromV1beta1(object: ApiObject): ApiObject {
  const { backend, ...spec } = (object['spec'] ?? {}) as Json;
  return {
    ...object,
    spec: {
      ...spec,
      ...(backend === undefined ? {} : { defaultBackend: backendFromV1beta1(backend as Json) }),
      ...mapPaths(spec, (path) => ({
        ...path,
        pathType: path.pathType ?? 'ImplementationSpecific',
        ...(path.backend === undefined ? {} : { backend: backendFromV1beta1(path.backend) }),
      })),
    },
  };
}

export function ingressToV1beta1(object: ApiObject): ApiObject {
  const { defaultBackend, ...spec } = (object['spec'] ?? {}) as Json;
  return {
    ...object,
    spec: {
      ...spec,
      ...(defaultBackend === undefined ? {} : { backend: backendToV1beta1(defaultBackend as Json) }),
      ...mapPaths(spec, (path) => ({ ...path, ...(path.backend === undefined ? {} : { backend: backendToV1beta1(path.backend) }) })),
    },
  };
}

function mapPaths(spec: Json, change: (path: Path) => Path): Json {
  const rules = spec['rules'] as readonly Rule[] | undefined;
  if (rules === undefined || rules === null) return {};
  return {
    rules: rules.map((rule) =>
      rule.http === undefined || rule.http === null
        ? rule
        : { ...rule, http: { ...rule.http, paths: (rule.http.paths ?? []).map(change) } },
    ),
  };
}

function backendFromV1beta1({ serviceName, servicePort, ...rest }: Json): Json {
  if (serviceName === undefined) return rest;
  return {
    ...rest,
    service: { name: serviceName, port: typeof servicePort === 'number' ? { number: servicePort } : { name: servicePort } },
  };
}

function backendToV1beta1({ service, ...rest }: Json): Json {
  if (service === undefined) return rest;
  const { name, port } = service as { name: string; port?: { number?: number; name?: string } };
  return { ...rest, serviceName: name, servicePort: port?.number ?? port?.name ?? 0 };
}
