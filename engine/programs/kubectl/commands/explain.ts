// Models `kubectl explain`: the fields of a kind from the server's OpenAPI document.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { apiVersionOf } from '../factory/rest-mapper.ts';
import { OpenApi, type Model, type Schema } from '../resource/openapi.ts';

export const explain: Command = { name: 'explain', run };

/** Column at which descriptions wrap. */
const WRAP = 80;
const FIELD_INDENT = 3;
const DESCRIPTION_INDENT = 5;

async function run(context: Context): Promise<void> {
  const { args, flags } = context;
  const [path] = args;
  if (path === undefined)
    throw new CliError(
      'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.',
    );
  if (args.length > 1) throw new CliError('We accept only this format: explain RESOURCE');
  const [type = '', ...fields] = path.split('.');
  const mapping = await context.mapper.resourceOrNone(type);
  const wanted = flags.string('api-version');
  const apiVersion = wanted === '' ? apiVersionOf(mapping) : wanted;
  const api = await OpenApi.load(context);
  const root = api.kind(apiVersion, mapping.kind);
  if (root === undefined)
    throw new CliError(`couldn't find resource for "${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${mapping.kind}"`);
  const found = walk(api, root, fields);
  const out: string[] = [`KIND:     ${mapping.kind}\nVERSION:  ${apiVersion}\n\n`];
  const name = fields[fields.length - 1];
  if (found.model.schema.properties === undefined) {
    out.push(
      `FIELD:    ${name ?? ''} <${typeName(api, found.field ?? found.model.schema)}>\n\nDESCRIPTION:\n${wrap(descriptions(found), DESCRIPTION_INDENT)}`,
    );
    await context.out(out.join(''));
    return;
  }
  if (name !== undefined) out.push(`RESOURCE: ${name} <${typeName(api, found.field ?? found.model.schema)}>\n\n`);
  out.push(`DESCRIPTION:\n${wrap(descriptions(found), DESCRIPTION_INDENT)}\nFIELDS:\n`);
  out.push(flags.bool('recursive') ? tree(api, found.model, FIELD_INDENT, []) : list(api, found.model));
  await context.out(out.join(''));
}

interface Found {
  readonly model: Model;
  /** The field's own schema: its type and what is said of it there. */
  readonly field: Schema | undefined;
}

function walk(api: OpenApi, root: Model, fields: readonly string[]): Found {
  let model = root;
  let field: Schema | undefined;
  for (const name of fields) {
    const schema = model.schema.properties?.[name];
    if (schema === undefined) throw new CliError(`field "${name}" does not exist`);
    field = schema;
    model = element(api, schema, `${model.path}.${name}`);
  }
  return { model, field };
}

/** What a field holds in the end: the item of a list, the value of a map. */
function element(api: OpenApi, schema: Schema, path: string): Model {
  const model = api.resolve(schema, path);
  if (model.schema.type === 'array' && model.schema.items !== undefined) return element(api, model.schema.items, path);
  if (model.schema.properties === undefined && model.schema.additionalProperties !== undefined)
    return element(api, model.schema.additionalProperties, path);
  return model;
}

function descriptions({ model, field }: Found): readonly string[] {
  const own = field?.description;
  const general = model.schema.description;
  if (own === undefined || own === general || general === undefined) return [own ?? general ?? '<empty>'];
  return [own, general];
}

function typeName(api: OpenApi, schema: Schema): string {
  const model = api.resolve(schema, '').schema;
  if (model.type === 'array') return `[]${typeName(api, model.items ?? {})}`;
  if (model.properties !== undefined) return 'Object';
  if (model.additionalProperties !== undefined) return `map[string]${typeName(api, model.additionalProperties)}`;
  if (model.type === undefined || model.type === 'object') return schema.$ref === undefined ? 'Object' : 'map[string]';
  return model.type;
}

function list(api: OpenApi, model: Model): string {
  const fields = model.schema.properties ?? {};
  return Object.keys(fields)
    .sort()
    .map((name) => {
      const schema = fields[name] ?? {};
      const isRequired = model.schema.required?.includes(name) === true;
      const text = schema.description ?? api.resolve(schema, '').schema.description ?? '<no description>';
      return `${' '.repeat(FIELD_INDENT)}${name}\t<${typeName(api, schema)}>${isRequired ? ' -required-' : ''}\n${wrap([text], DESCRIPTION_INDENT)}\n`;
    })
    .join('');
}

/** --recursive: every field below, each type once on its way down. */
function tree(api: OpenApi, model: Model, indent: number, seen: readonly string[]): string {
  const fields = model.schema.properties ?? {};
  return Object.keys(fields)
    .sort()
    .map((name) => {
      const schema = fields[name] ?? {};
      const below = element(api, schema, `${model.path}.${name}`);
      const isDeeper = below.schema.properties !== undefined && !seen.includes(below.path);
      return `${' '.repeat(indent)}${name}\t<${typeName(api, schema)}>\n${isDeeper ? tree(api, below, indent + FIELD_INDENT, [...seen, below.path]) : ''}`;
    })
    .join('');
}

function wrap(paragraphs: readonly string[], indent: number): string {
  const pad = ' '.repeat(indent);
  return paragraphs
    .map((paragraph) => {
      const lines: string[] = [];
      let line = '';
      for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
        if (line !== '' && indent + line.length + 1 + word.length > WRAP) {
          lines.push(line);
          line = word;
        } else line = line === '' ? word : `${line} ${word}`;
      }
      if (line !== '') lines.push(line);
      return lines.map((each) => `${pad}${each}\n`).join('');
    })
    .join('\n');
}
