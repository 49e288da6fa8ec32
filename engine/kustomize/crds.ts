// Models `crds`: OpenAPI definitions whose extensions name fields that hold labels, annotations, names and references.

import { isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { text } from '../sim/bytes.ts';
import { EMPTY_CONFIG, mergeConfigs, type TransformerConfig } from './field-specs.ts';
import { parsed } from './kustomization.ts';
import type { Loader } from './loader.ts';

export function configOfCrds(loader: Loader, paths: readonly string[]): TransformerConfig {
  let config = EMPTY_CONFIG;
  for (const path of paths) {
    const value = parsed(text(loader.load(path)));
    const types = isObject(value) ? value : {};
    for (const name of Object.keys(types)) {
      const properties = propertiesOf(types, name);
      if (!['kind', 'apiVersion', 'metadata'].every((key) => Object.hasOwn(properties, key))) continue;
      config = mergeConfigs(config, walk(types, name.split('.').pop() ?? '', name, []));
    }
  }
  return config;
}

function propertiesOf(types: JsonObject, name: string): JsonObject {
  const api = types[name];
  const schema = isObject(api) ? (api['Schema'] ?? api['schema']) : undefined;
  return isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {};
}

function walk(types: JsonObject, kind: string, name: string, path: readonly string[]): TransformerConfig {
  let config = EMPTY_CONFIG;
  const properties = propertiesOf(types, name);
  for (const [key, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    const spec = { kind, path: [...path, key].join('/') };
    const has = (extension: string): boolean => typeof property[`x-kubernetes-${extension}`] === 'string';
    const say = (extension: string): string => String(property[`x-kubernetes-${extension}`]);
    if (has('annotation')) config = mergeConfigs(config, { ...EMPTY_CONFIG, commonAnnotations: [spec] });
    if (has('label-selector')) config = mergeConfigs(config, { ...EMPTY_CONFIG, commonLabels: [spec] });
    if (has('identity')) config = mergeConfigs(config, { ...EMPTY_CONFIG, namePrefix: [spec] });
    if (has('object-ref-api-version') && has('object-ref-kind')) {
      const nameKey = has('object-ref-name-key') ? say('object-ref-name-key') : 'name';
      const fields = [{ kind, path: `${spec.path}/${nameKey}` }];
      const reference = { kind: say('object-ref-kind'), version: say('object-ref-api-version'), fields };
      config = mergeConfigs(config, { ...EMPTY_CONFIG, nameReference: [reference] });
    }
    const inner = property['$ref'];
    if (typeof inner === 'string' && !path.includes(key)) config = mergeConfigs(config, walk(types, kind, inner, [...path, key]));
  }
  return config;
}
