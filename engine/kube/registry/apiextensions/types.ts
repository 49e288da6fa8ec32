// The shape of a CustomResourceDefinition as the server keeps it: that of v1beta1, which has all there is.

import type { KubeObject } from '../../machinery/types.ts';
import type { Json } from '../definition.ts';

export interface JsonSchema {
  readonly id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly multipleOf?: number;
  readonly enum?: readonly unknown[];
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly dependencies?: Readonly<Record<string, JsonSchema | readonly string[]>>;
  readonly additionalItems?: JsonSchema | boolean;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly externalDocs?: Json;
  readonly example?: unknown;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-map-type'?: string;
}

export interface Validation {
  readonly openAPIV3Schema?: JsonSchema;
}

export interface ScaleSubresource {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface Subresources {
  readonly status?: Json;
  readonly scale?: ScaleSubresource;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly JSONPath: string;
}

export interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: Validation;
  readonly subresources?: Subresources;
  readonly additionalPrinterColumns?: readonly Column[];
}

export interface Names {
  readonly plural: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly kind: string;
  readonly listKind?: string;
  readonly categories?: readonly string[];
}

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
  readonly port?: number;
}

export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: ServiceReference;
  readonly caBundle?: string;
}

export interface Conversion {
  readonly strategy: string;
  readonly webhookClientConfig?: WebhookClientConfig;
  readonly conversionReviewVersions?: readonly string[];
}

export interface Spec {
  readonly group: string;
  readonly version?: string;
  readonly names: Names;
  readonly scope: string;
  readonly validation?: Validation;
  readonly subresources?: Subresources;
  readonly versions?: readonly Version[];
  readonly additionalPrinterColumns?: readonly Column[];
  readonly conversion?: Conversion;
  readonly preserveUnknownFields?: boolean;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

export interface DefinitionStatus {
  conditions: readonly Condition[] | null;
  acceptedNames: Names;
  storedVersions: readonly string[] | null;
}

export type CustomResourceDefinition = KubeObject & { spec: Spec; status: DefinitionStatus };

export const EXTENSIONS_GROUP = 'apiextensions.k8s.io';
export const APPROVED_ANNOTATION = 'api-approved.kubernetes.io';
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export function versionsOf(spec: Spec): readonly Version[] {
  return spec.versions ?? [];
}

/** A version with what the definition says for all versions at its top. */
export function effectiveVersion(spec: Spec, version: Version): Version {
  const schema = spec.validation ?? version.schema;
  const subresources = spec.subresources ?? version.subresources;
  const columns = spec.additionalPrinterColumns ?? version.additionalPrinterColumns;
  return {
    ...version,
    ...(schema === undefined ? {} : { schema }),
    ...(subresources === undefined ? {} : { subresources }),
    ...(columns === undefined ? {} : { additionalPrinterColumns: columns }),
  };
}

export function itemsSchema(schema: JsonSchema): JsonSchema | undefined {
  return Array.isArray(schema.items) ? undefined : (schema.items as JsonSchema | undefined);
}

export function additionalSchema(schema: JsonSchema): JsonSchema | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

export function conditionOf(definition: CustomResourceDefinition, type: string): Condition | undefined {
  return (definition.status?.conditions ?? []).find((condition) => condition.type === type);
}

export function isConditionTrue(definition: CustomResourceDefinition, type: string): boolean {
  return conditionOf(definition, type)?.status === 'True';
}
