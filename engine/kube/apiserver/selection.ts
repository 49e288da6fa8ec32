// Label and field selectors of a list, a watch or a deletecollection.

import {
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  type FieldRequirement,
  type LabelSelector,
} from '../machinery/selectors.ts';
import { badRequest } from '../machinery/status.ts';
import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';

export class Selection {
  readonly #definition: ResourceDefinition;
  readonly #labels: LabelSelector;
  readonly #fields: readonly FieldRequirement[];

  constructor(definition: ResourceDefinition, query: ReadonlyMap<string, string>, name?: string) {
    this.#definition = definition;
    try {
      this.#labels = parseLabelSelector(query.get('labelSelector') ?? '');
      const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
      this.#fields = name === undefined || name === '' ? fields : [...fields, { field: 'metadata.name', isEqual: true, value: name }];
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw badRequest(error.message);
    }
    for (const { field } of this.#fields) {
      if (
        field === 'metadata.name' ||
        (field === 'metadata.namespace' && (definition.isNamespaced || !definition.isCustom)) ||
        Object.hasOwn(definition.fields, field)
      )
        continue;
      throw badRequest(
        definition.isCustom || Object.keys(definition.fields).length > 0
          ? `field label not supported: ${field}`
          : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
      );
    }
  }

  get isEverything(): boolean {
    return this.#labels.isEmpty && this.#fields.length === 0;
  }

  /** The one name that can match, when the selection is for one. */
  get singleName(): string | undefined {
    return this.#fields.find((requirement) => requirement.field === 'metadata.name' && requirement.isEqual)?.value;
  }

  matches(object: ApiObject): boolean {
    if (!this.#labels.isEmpty && !this.#labels.matches(object.metadata.labels)) return false;
    return this.#fields.length === 0 || matchesFields(this.#fields, (field) => this.#valueOf(object, field));
  }

  #valueOf(object: ApiObject, field: string): string {
    if (field === 'metadata.name') return object.metadata.name;
    if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
    return this.#definition.fields[field]!(object);
  }
}
