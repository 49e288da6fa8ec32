// Models the validation of CustomResourceDefinitions: names, versions, columns, subresources, conversion, approval.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings } from '../../machinery/go-syntax.ts';
import { dns1035Label, dns1123Subdomain } from '../../machinery/names.ts';
import { hasUnprunedDefaults } from './default-validation.ts';
import { hasUnknownType, mapKeyErrors, someSchema, validationErrors, type SchemaRules } from './schema-rules.ts';
import { child, structuralErrors, unsupported } from './structural.ts';
import {
  APPROVED_ANNOTATION,
  isConditionTrue,
  itemsSchema,
  type Column,
  type Conversion,
  type CustomResourceDefinition,
  type JsonSchema,
  type Names,
  type Spec,
  type Subresources,
  type Version,
  versionsOf,
} from './types.ts';
import { webhookServiceErrors, webhookUrlErrors } from './webhook-client.ts';

interface Rules extends SchemaRules {
  readonly requiresKnownReviewVersion: boolean;
  readonly hasImmutableNames: boolean;
  readonly requiresSchema: boolean;
}

/** `version` is the one the request was made in: v1 is stricter. */
export function definitionErrors(definition: CustomResourceDefinition, version: string): FieldError[] {
  const isBeta = version === 'v1beta1';
  const rules: Rules = {
    ...defaultRule(isBeta, undefined),
    requiresKnownReviewVersion: true,
    hasImmutableNames: false,
    requiresSchema: !isBeta,
    requiresKnownTypes: !isBeta,
    requiresStructural: !isBeta,
    requiresPrunedDefaults: true,
    requiresAtomicSets: true,
    requiresGoodMapKeys: true,
  };
  return [...specErrors(definition.spec, rules), ...commonErrors(definition, undefined, isBeta)];
}

/** What was let in once is not refused later: rules that the old object breaks do not hold for the new one. */
export function definitionUpdateErrors(next: CustomResourceDefinition, old: CustomResourceDefinition, version: string): FieldError[] {
  const isBeta = version === 'v1beta1';
  const schemas = schemasOf(old.spec);
  const reviewVersions = old.spec.conversion?.conversionReviewVersions ?? [];
  const isEstablished = isConditionTrue(old, 'Established');
  const rules: Rules = {
    ...defaultRule(isBeta, old.spec),
    requiresKnownReviewVersion: reviewVersions.length === 0 || reviewVersions.some((each) => REVIEW_VERSIONS.includes(each)),
    hasImmutableNames: isEstablished,
    requiresSchema: !isBeta && (hasSchema(old.spec.validation) || versionsOf(old.spec).every((each) => hasSchema(each.schema))),
    requiresKnownTypes: !isBeta && !schemas.some((schema) => someSchema(schema, hasUnknownType)),
    requiresStructural: !isBeta && !schemas.some((schema) => unsupported(schema) !== undefined || structuralErrors(schema, '').length > 0),
    requiresPrunedDefaults: !schemas.some((schema) => someSchema(schema, hasDefault) && hasUnprunedDefaults(schema)),
    requiresAtomicSets: !schemas.some((schema) => someSchema(schema, hasLooseSet)),
    requiresGoodMapKeys: !schemas.some((schema) => someSchema(schema, (each) => mapKeyErrors(each, '').length > 0)),
  };
  const errors = specErrors(next.spec, rules);
  const immutable = (field: string, value: string, before: string): void => {
    if (value !== before) errors.push(FieldError.invalid(field, value, 'field is immutable'));
  };
  if (isEstablished) {
    immutable('spec.scope', next.spec.scope, old.spec.scope);
    immutable('spec.names.kind', next.spec.names.kind, old.spec.names.kind);
  }
  immutable('spec.group', next.spec.group, old.spec.group);
  immutable('spec.names.plural', next.spec.names.plural, old.spec.names.plural);
  return [...errors, ...commonErrors(next, old, isBeta)];
}

export function definitionStatusErrors(definition: CustomResourceDefinition): FieldError[] {
  return nameErrors(definition.status.acceptedNames, 'status.acceptedNames');
}

function commonErrors(next: CustomResourceDefinition, old: CustomResourceDefinition | undefined, isBeta: boolean): FieldError[] {
  const errors = [...definitionStatusErrors(next), ...storedVersionErrors(next)];
  if (isBeta) return errors;
  errors.push(...approvalErrors(next, old));
  if (next.spec.preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true) {
    errors.push(
      FieldError.invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  return errors;
}

const hasDefault = (schema: JsonSchema): boolean => (schema.default ?? null) !== null;

function hasLooseSet(schema: JsonSchema): boolean {
  const items = itemsSchema(schema);
  if (schema['x-kubernetes-list-type'] !== 'set' || items === undefined) return false;
  if (items.type === 'array') return (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic';
  return items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic';
}

function hasExtension(schema: JsonSchema): boolean {
  return (
    schema['x-kubernetes-embedded-resource'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] !== undefined ||
    schema['x-kubernetes-int-or-string'] === true ||
    (schema['x-kubernetes-list-map-keys'] ?? []).length > 0 ||
    schema['x-kubernetes-list-type'] !== undefined
  );
}

function defaultRule(isBeta: boolean, old: Spec | undefined): Pick<Rules, 'allowsDefaults' | 'noDefaultsBecause'> {
  const had = old !== undefined && schemasOf(old).some((schema) => someSchema(schema, hasDefault));
  if (had || !isBeta) return { allowsDefaults: true, noDefaultsBecause: '' };
  return {
    allowsDefaults: false,
    noDefaultsBecause: '(cannot set default values in apiextensions.k8s.io/v1beta1 CRDs, must use apiextensions.k8s.io/v1)',
  };
}

function schemasOf(spec: Spec): readonly JsonSchema[] {
  return [spec.validation, ...versionsOf(spec).map((version) => version.schema)].flatMap((validation) =>
    validation?.openAPIV3Schema === undefined ? [] : [validation.openAPIV3Schema],
  );
}

const hasSchema = (validation: Spec['validation']): boolean => validation?.openAPIV3Schema !== undefined;
const hasStatus = (subresources: Subresources | undefined): boolean => subresources?.status !== undefined;

function specErrors(spec: Spec, given: Rules): FieldError[] {
  const errors: FieldError[] = [];
  let rules = given;
  const { group, names } = spec;
  const versions = versionsOf(spec);
  const groupProblems = dns1123Subdomain(group);
  if (group === '') errors.push(FieldError.required('spec.group', ''));
  else if (groupProblems.length > 0) errors.push(FieldError.invalid('spec.group', group, groupProblems.join(',')));
  else if (!group.includes('.')) errors.push(FieldError.invalid('spec.group', group, 'should be a domain with at least one dot'));
  if (spec.scope === '') errors.push(FieldError.required('spec.scope', ''));
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced')
    errors.push(FieldError.notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  const prunes = spec.preserveUnknownFields !== true;
  if (prunes) rules = { ...rules, requiresStructural: true };
  if (!hasSchema(spec.validation)) {
    for (const [index, version] of versions.entries()) {
      if (hasSchema(version.schema)) continue;
      const at = `spec.versions[${index}].schema.openAPIV3Schema`;
      if (rules.requiresSchema) errors.push(FieldError.required(at, 'schemas are required'));
      else if (prunes && version.served) errors.push(FieldError.required(at, 'because otherwise all fields are pruned'));
    }
  }
  const schemas = schemasOf(spec);
  if (rules.allowsDefaults && schemas.some((schema) => someSchema(schema, hasDefault))) {
    rules = { ...rules, requiresStructural: true };
    if (!prunes)
      errors.push(FieldError.invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'));
  }
  if (schemas.some((schema) => someSchema(schema, hasExtension))) rules = { ...rules, requiresStructural: true };
  errors.push(...versionErrors(spec, versions, rules));
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const)
    if ((names[field] ?? '') === '') errors.push(FieldError.required(`spec.names.${field}`, ''));
  errors.push(...nameErrors(names, 'spec.names'));
  const anyStatus = hasStatus(spec.subresources) || versions.some((version) => hasStatus(version.subresources));
  errors.push(...validationErrors(spec.validation, anyStatus, rules, 'spec.validation'));
  errors.push(...subresourceErrors(spec.subresources, 'spec.subresources'));
  errors.push(...columnErrors(spec.additionalPrinterColumns, 'spec.additionalPrinterColumns'));
  if (spec.conversion !== undefined && spec.conversion.strategy !== 'None' && !prunes) {
    errors.push(
      FieldError.invalid('spec.conversion.strategy', spec.conversion.strategy, 'must be None if spec.preserveUnknownFields is true'),
    );
  }
  errors.push(...conversionErrors(spec.conversion, rules.requiresKnownReviewVersion));
  return errors;
}

function versionErrors(spec: Spec, versions: readonly Version[], rules: Rules): FieldError[] {
  const errors: FieldError[] = [];
  const perVersionSubresources = versions.some((version) => version.subresources !== undefined);
  for (const [index, version] of versions.entries()) {
    const at = `spec.versions[${index}]`;
    const problems = dns1035Label(version.name);
    if (problems.length > 0) errors.push(FieldError.invalid(`${at}.name`, version.name, problems.join(',')));
    for (const problem of warningProblems(version))
      errors.push(FieldError.invalid(`${at}.deprecationWarning`, version.deprecationWarning, problem));
    const subresources = perVersionSubresources ? version.subresources : spec.subresources;
    errors.push(...validationErrors(version.schema, hasStatus(subresources), rules, `${at}.schema`));
    errors.push(...subresourceErrors(version.subresources, `${at}.subresources`));
    errors.push(...columnErrors(version.additionalPrinterColumns, `${at}.additionalPrinterColumns`));
  }
  const topLevel = [
    ['validation', 'schemas', spec.validation !== undefined, (version: Version): unknown => version.schema],
    ['subresources', 'subresources', spec.subresources !== undefined, (version: Version): unknown => version.subresources],
    [
      'additionalPrinterColumns',
      'additionalPrinterColumns',
      (spec.additionalPrinterColumns ?? []).length > 0,
      (version: Version): unknown => ((version.additionalPrinterColumns ?? []).length > 0 ? version.additionalPrinterColumns : undefined),
    ],
  ] as const;
  for (const [field, what, isSet, of] of topLevel)
    if (isSet && versions.some((version) => of(version) !== undefined))
      errors.push(FieldError.forbidden(`spec.${field}`, `top-level and per-version ${what} are mutually exclusive`));
  const invalid = (detail: string): void => void errors.push(FieldError.invalidGo('spec.versions', goVersions(versions), detail));
  for (const [field, what, , of] of topLevel) {
    const first = versions[0] === undefined ? undefined : of(versions[0]);
    if (first !== undefined && versions.every((version) => isDeepEqual(of(version), first)))
      invalid(`per-version ${what} may not all be set to identical values (top-level ${field} should be used instead)`);
  }
  if (new Set(versions.map((version) => version.name)).size < versions.length) invalid('must contain unique version names');
  if (versions.filter((version) => version.storage).length !== 1) invalid('must have exactly one version marked as storage version');
  const { version = '' } = spec;
  if (version !== '') {
    const problems = dns1035Label(version);
    if (problems.length > 0) errors.push(FieldError.invalid('spec.version', version, problems.join(',')));
    if (versions.length > 0 && versions[0]!.name !== version)
      errors.push(FieldError.invalid('spec.version', version, 'must match the first version in spec.versions'));
  }
  return errors;
}

/** Where Go's pointers point differs from run to run. */
const SOMEWHERE = '0xc00a1b2c40';

/** The list as %#v prints it. */
function goVersions(versions: readonly Version[]): string {
  const type = 'apiextensions.CustomResourceDefinitionVersion';
  const pointer = (to: string, value: unknown): string => `(*${to})(${value === undefined ? 'nil' : SOMEWHERE})`;
  const column = ({ name, type: columnType, format = '', description = '', priority = 0, JSONPath }: Column): string =>
    `apiextensions.CustomResourceColumnDefinition{Name:${JSON.stringify(name)}, Type:${JSON.stringify(columnType)}, Format:${JSON.stringify(format)}, Description:${JSON.stringify(description)}, Priority:${priority}, JSONPath:${JSON.stringify(JSONPath)}}`;
  const shown = versions.map((version) => {
    const columns = version.additionalPrinterColumns;
    const printed = `[]apiextensions.CustomResourceColumnDefinition${columns === undefined ? '(nil)' : `{${columns.map(column).join(', ')}}`}`;
    return `${type}{Name:${JSON.stringify(version.name)}, Served:${version.served}, Storage:${version.storage}, Deprecated:${version.deprecated === true}, DeprecationWarning:${pointer('string', version.deprecationWarning)}, Schema:${pointer('apiextensions.CustomResourceValidation', version.schema)}, Subresources:${pointer('apiextensions.CustomResourceSubresources', version.subresources)}, AdditionalPrinterColumns:${printed}}`;
  });
  return versions.length === 0 ? `[]${type}(nil)` : `[]${type}{${shown.join(', ')}}`;
}

function warningProblems({ deprecated, deprecationWarning: warning }: Version): readonly string[] {
  if (warning === undefined) return [];
  if (deprecated !== true) return ['can only be set for deprecated versions'];
  const problems: string[] = [];
  if (new TextEncoder().encode(warning).length > 256) problems.push('must be <= 256 characters long');
  if (warning === '') problems.push('must not be an empty string');
  let at = 0;
  for (const char of warning) {
    if (char !== ' ' && /[\p{C}\p{Z}]/u.test(char)) {
      problems.push(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
      break;
    }
    at += new TextEncoder().encode(char).length;
  }
  return problems;
}

function nameErrors(names: Names, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { plural, singular = '', kind, listKind = '', shortNames = [], categories = [] } = names;
  const label = (field: string, value: string): void => {
    const problems = dns1035Label(value);
    if (problems.length > 0) errors.push(FieldError.invalid(`${path}.${field}`, value, problems.join(',')));
  };
  const mixed = (field: string, value: string): void => {
    const problems = dns1035Label(value.toLowerCase());
    if (problems.length > 0)
      errors.push(FieldError.invalid(`${path}.${field}`, value, `may have mixed case, but should otherwise match: ${problems.join(',')}`));
  };
  if (plural !== '') label('plural', plural);
  if (singular !== '') label('singular', singular);
  if (kind !== '') mixed('kind', kind);
  if (listKind !== '') mixed('listKind', listKind);
  for (const [index, name] of shortNames.entries()) label(`shortNames[${index}]`, name);
  if (kind !== '' && kind === listKind)
    errors.push(FieldError.invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same'));
  for (const [index, category] of categories.entries()) label(`categories[${index}]`, category);
  return errors;
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function columnErrors(columns: readonly Column[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, column] of (columns ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (column.name === '') errors.push(FieldError.required(`${at}.name`, ''));
    const oneOf = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (column.type === '') errors.push(FieldError.required(`${at}.type`, oneOf));
    else if (!COLUMN_TYPES.includes(column.type)) errors.push(FieldError.invalid(`${at}.type`, column.type, oneOf));
    const { format = '' } = column;
    if (format !== '' && !COLUMN_FORMATS.includes(format))
      errors.push(FieldError.invalid(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    if (column.JSONPath === '') errors.push(FieldError.required(`${at}.JSONPath`, ''));
    else errors.push(...pathErrors(column.JSONPath, `${at}.JSONPath`));
  }
  return errors;
}

function pathErrors(path: string, field: string): FieldError[] {
  return path.startsWith('.') ? [] : [FieldError.invalid(field, path, 'must be a simple json path starting with .')];
}

function subresourceErrors(subresources: Subresources | undefined, path: string): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const check = (field: string, value: string, roots: readonly string[], where: string): void => {
    const at = `${path}.scale.${field}`;
    const problems = pathErrors(value, at);
    errors.push(...problems);
    if (problems.length === 0 && !roots.some((root) => value.startsWith(root)))
      errors.push(FieldError.invalid(at, value, `should be a json path under ${where}`));
  };
  if (scale.specReplicasPath === '') errors.push(FieldError.required(`${path}.scale.specReplicasPath`, ''));
  else check('specReplicasPath', scale.specReplicasPath, ['.spec.'], '.spec');
  if (scale.statusReplicasPath === '') errors.push(FieldError.required(`${path}.scale.statusReplicasPath`, ''));
  else check('statusReplicasPath', scale.statusReplicasPath, ['.status.'], '.status');
  const { labelSelectorPath = '' } = scale;
  if (labelSelectorPath !== '') check('labelSelectorPath', labelSelectorPath, ['.spec.', '.status.'], 'either .spec or .status');
  return errors;
}

const REVIEW_VERSIONS = ['v1', 'v1beta1'];

function conversionErrors(conversion: Conversion | undefined, requiresKnownVersion: boolean): FieldError[] {
  if (conversion === undefined) return [];
  const errors: FieldError[] = [];
  const path = 'spec.conversion';
  const { strategy, webhookClientConfig: client, conversionReviewVersions: versions = [] } = conversion;
  if (strategy === '') errors.push(FieldError.required(`${path}.strategy`, ''));
  else if (strategy !== 'None' && strategy !== 'Webhook')
    errors.push(FieldError.notSupported(`${path}.strategy`, strategy, ['None', 'Webhook']));
  const clientAt = `${path}.webhookClientConfig`;
  const versionsAt = `${path}.conversionReviewVersions`;
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook';
    if (client !== undefined) errors.push(FieldError.forbidden(clientAt, detail));
    if (versions.length > 0) errors.push(FieldError.forbidden(versionsAt, detail));
    return errors;
  }
  if (client === undefined) errors.push(FieldError.required(clientAt, 'required when strategy is set to Webhook'));
  else if ((client.url === undefined) === (client.service === undefined))
    errors.push(FieldError.required(clientAt, 'exactly one of url or service is required'));
  else if (client.url !== undefined) errors.push(...webhookUrlErrors(client.url, child(clientAt, 'url')));
  else errors.push(...webhookServiceErrors(client.service!, child(clientAt, 'service')));
  if (versions.length === 0) return [...errors, FieldError.required(versionsAt, '')];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    if (seen.has(version)) {
      errors.push(FieldError.invalid(`${versionsAt}[${index}]`, version, 'duplicate version'));
      continue;
    }
    seen.add(version);
    for (const problem of dns1035Label(version)) errors.push(FieldError.invalid(`${versionsAt}[${index}]`, version, problem));
  }
  if (requiresKnownVersion && !REVIEW_VERSIONS.some((version) => seen.has(version)))
    errors.push(FieldError.invalid(versionsAt, goStrings(versions), `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  return errors;
}

function storedVersionErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const path = 'status.storedVersions';
  const stored = status.storedVersions ?? [];
  if (stored.length === 0) return [FieldError.invalid(path, goStrings(status.storedVersions), 'must have at least one stored version')];
  const errors: FieldError[] = [];
  const versions = versionsOf(spec);
  for (const version of versions)
    if (version.storage && !stored.includes(version.name))
      errors.push(
        FieldError.invalidGo(
          path,
          goVersions([version])
            .slice(2)
            .replace(/^[^{]*\{|\}$/g, ''),
          `must have the storage version ${version.name}`,
        ),
      );
  for (const [index, name] of stored.entries())
    if (!versions.some((version) => version.name === name))
      errors.push(FieldError.invalid(`${path}[${index}]`, name, 'must appear in spec.versions'));
  return errors;
}

export function isProtectedGroup(group: string): boolean {
  return /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group);
}

export type Approval = 'Invalid' | 'Approved' | 'Bypassed' | 'Missing';

/** The state of the approval that groups of the community need, and why. */
export function approvalOf(annotations: Readonly<Record<string, string>> | undefined): readonly [Approval, string] {
  const value = annotations?.[APPROVED_ANNOTATION] ?? '';
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (value === '') return ['Missing', `protected groups must have approval annotation "${APPROVED_ANNOTATION}", ${see}`];
  if (value.startsWith('unapproved')) return ['Bypassed', `not approved: ${JSON.stringify(value)}`];
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]+/.test(value)) return ['Approved', `approved in ${value}`];
  return [
    'Invalid',
    `protected groups must have approval annotation "${APPROVED_ANNOTATION}" with either a URL or a reason starting with "unapproved", ${see}`,
  ];
}

function approvalErrors(next: CustomResourceDefinition, old: CustomResourceDefinition | undefined): FieldError[] {
  if (!isProtectedGroup(next.spec.group)) return [];
  const [state, reason] = approvalOf(next.metadata.annotations);
  if (old !== undefined && approvalOf(old.metadata.annotations)[0] === state) return [];
  const path = `metadata.annotations[${APPROVED_ANNOTATION}]`;
  if (state === 'Invalid') return [FieldError.invalid(path, next.metadata.annotations?.[APPROVED_ANNOTATION], reason)];
  return state === 'Missing' ? [FieldError.required(path, reason)] : [];
}
