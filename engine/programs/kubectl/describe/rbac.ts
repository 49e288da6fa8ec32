// Models the describers of roles and role bindings.

import type { Context } from '../context.ts';
import { at } from '../commands/common.ts';
import type { JsonObject } from '../printers/json.ts';
import { goList, rulesOf, shownRules } from '../resource/rbac-rules.ts';
import { objects, text } from './values.ts';
import { startWithLabels } from './writer.ts';

export function describeRole(_: Context, role: JsonObject): Promise<string> {
  const writer = startWithLabels(role, { withNamespace: false });
  writer.line(0, 'PolicyRule:');
  writer.line(1, 'Resources\tNon-Resource URLs\tResource Names\tVerbs');
  writer.line(1, '---------\t-----------------\t--------------\t-----');
  for (const { resource, urls, names, verbs } of shownRules(rulesOf(role)))
    writer.line(1, `${resource}\t${goList(urls)}\t${goList(names)}\t${goList(verbs)}`);
  return Promise.resolve(writer.toString());
}

export function describeRoleBinding(_: Context, binding: JsonObject): Promise<string> {
  const writer = startWithLabels(binding, { withNamespace: false });
  writer.line(0, 'Role:');
  writer.line(1, `Kind:\t${text(at(binding, 'roleRef', 'kind'))}`);
  writer.line(1, `Name:\t${text(at(binding, 'roleRef', 'name'))}`);
  writer.line(0, 'Subjects:');
  writer.line(1, 'Kind\tName\tNamespace');
  writer.line(1, '----\t----\t---------');
  for (const subject of objects(binding['subjects']))
    writer.line(1, `${text(subject['kind'])}\t${text(subject['name'])}\t${text(subject['namespace'])}`);
  return Promise.resolve(writer.toString());
}
