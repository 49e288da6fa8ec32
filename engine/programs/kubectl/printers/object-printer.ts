// Models genericclioptions' print flags: -o yaml, json, name, jsonpath, go-template, custom-columns and their file forms.

import { CliError } from '../errors.ts';
import { GoTemplate, TemplateError } from './go-template.ts';
import { compareBytes, goSyntax, goValue, isObject, marshal, sortKeys, type JsonObject } from './json.ts';
import { JsonPath, JsonPathError, relaxedExpression } from './jsonpath.ts';
import { plainTable } from './table.ts';
import { toYaml } from './yaml.ts';

/** Turns objects into text; remembers what it printed (YAML documents are separated, headers printed once). */
export interface ObjectPrinter {
  print(object: JsonObject, operation: string): string;
}

export interface PrintRequest {
  readonly output: string;
  readonly template: string;
  readonly allowMissingKeys: boolean;
  readonly noHeaders: boolean;
  readFile(path: string): string;
}

const CREATE_FORMATS = [
  'go-template',
  'go-template-file',
  'json',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'name',
  'template',
  'templatefile',
  'yaml',
];
const GET_FORMATS = ['custom-columns', 'custom-columns-file', ...CREATE_FORMATS, 'wide'].sort(compareBytes);

/** The printer for `-o`; undefined when the format is empty (or `wide` where tables are printed). Throws CliError for an unknown one. */
export function printerFor(request: PrintRequest, place: 'get' | 'create'): ObjectPrinter | undefined {
  const { output } = request;
  if (output === '' && request.template === '') return undefined;
  if (place === 'get' && output === 'wide') return undefined;
  const equals = output.indexOf('=');
  const format = equals < 0 ? output : output.slice(0, equals);
  const argument = equals < 0 ? request.template : output.slice(equals + 1);
  switch (output === '' ? 'go-template' : format) {
    case 'json':
      if (equals < 0) return jsonPrinter;
      break;
    case 'yaml':
      if (equals < 0) return yamlPrinter();
      break;
    case 'name':
      if (equals < 0) return { print: (object) => `${nameOf(object)}\n` };
      break;
    case 'jsonpath':
    case 'jsonpath-file':
    case 'jsonpath-as-json':
      return jsonPathPrinter(format, format === 'jsonpath-file' ? fileOf(request, argument, '--template ') : argument, request);
    case 'go-template':
    case 'template':
    case 'go-template-file':
    case 'templatefile':
      return templatePrinter(format.endsWith('file') ? fileOf(request, argument, '--template ') : argument, request);
    case 'custom-columns':
    case 'custom-columns-file':
      if (place === 'get')
        return format.endsWith('file') ? columnsFile(fileOf(request, argument, 'template '), request) : columnsPrinter(argument, request);
  }
  const allowed = (place === 'get' ? GET_FORMATS : CREATE_FORMATS).join(',');
  throw new CliError(`unable to match a printer suitable for the output format "${output}", allowed formats are: ${allowed}`);
}

function fileOf(request: PrintRequest, path: string, what: string): string {
  try {
    return request.readFile(path);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`error reading ${what}${path}, ${error.message}`);
  }
}

const jsonPrinter: ObjectPrinter = {
  print: (object) => `${marshal(object, '    ')}\n`,
};

function yamlPrinter(): ObjectPrinter {
  let count = 0;
  return {
    print(object) {
      count++;
      return `${count > 1 ? '---\n' : ''}${toYaml(object)}`;
    },
  };
}

/** `pod/x`, `deployment.apps/x`. */
export function nameOf(object: JsonObject): string {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const name = typeof metadata['name'] === 'string' && metadata['name'] !== '' ? metadata['name'] : '<unknown>';
  const kind = String(object['kind'] ?? '').toLowerCase();
  const apiVersion = String(object['apiVersion'] ?? '');
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  if (kind === '') return `<unknown>/${name}`;
  return group === '' ? `${kind}/${name}` : `${kind}.${group}/${name}`;
}

function jsonPathPrinter(format: string, template: string, request: PrintRequest): ObjectPrinter {
  if (template === '') throw new CliError('template format specified but no template given');
  let path: JsonPath;
  try {
    path = new JsonPath(template, { allowMissingKeys: request.allowMissingKeys });
  } catch (error) {
    if (error instanceof JsonPathError) throw new CliError(`error parsing jsonpath ${template}, ${error.message}`);
    throw error;
  }
  return {
    print(object) {
      try {
        if (format === 'jsonpath-as-json') return `${marshal(path.find(object).flat().map(sortKeys), '    ')}\n`;
        return path.execute(object);
      } catch (error) {
        if (!(error instanceof JsonPathError)) throw error;
        throw new CliError(
          `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${error.message}. Printing more information for debugging the template:\n` +
            `\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(object)}\n\n`,
        );
      }
    },
  };
}

function templatePrinter(template: string, request: PrintRequest): ObjectPrinter {
  if (template === '') throw new CliError('template format specified but no template given');
  let compiled: GoTemplate;
  try {
    compiled = new GoTemplate(template, { allowMissingKeys: request.allowMissingKeys });
  } catch (error) {
    if (error instanceof TemplateError) throw new CliError(`error parsing template ${template}, template: output:1: ${error.message}`);
    throw error;
  }
  return {
    print(object) {
      try {
        return compiled.execute(object);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new CliError(`error executing template ${JSON.stringify(template)}: template: output:1: ${error.message}`);
      }
    },
  };
}

interface Column {
  readonly header: string;
  /** Undefined: every cell is empty. */
  readonly path: JsonPath | undefined;
}

function columnsPrinter(spec: string, request: PrintRequest): ObjectPrinter {
  if (spec === '') throw new CliError('custom-columns format specified but no custom columns given');
  const columns = spec.split(',').map((part): Column => {
    const colon = part.indexOf(':');
    if (colon < 0) throw new CliError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, colon), path: columnPath(part.slice(colon + 1)) };
  });
  return columnsOf(columns, request);
}

function columnsFile(contents: string, request: PrintRequest): ObjectPrinter {
  const lines = contents.split('\n');
  const headers = (lines[0] ?? '').split(/\s+/).filter((word) => word !== '');
  const paths = (lines[1] ?? '').split(/\s+/).filter((word) => word !== '');
  if (headers.length !== paths.length)
    throw new CliError(`number of headers (${headers.length}) and field specifications (${paths.length}) don't match`);
  return columnsOf(
    headers.map((header, index) => ({ header, path: columnPath(paths[index] ?? '') })),
    request,
  );
}

function columnPath(text: string): JsonPath | undefined {
  if (text === '') return undefined;
  const expression = relaxedExpression(text);
  if (expression === undefined)
    throw new CliError(`unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`);
  try {
    return new JsonPath(expression, { allowMissingKeys: true });
  } catch (error) {
    if (error instanceof JsonPathError) throw new CliError(error.message);
    throw error;
  }
}

function columnsOf(columns: readonly Column[], request: PrintRequest): ObjectPrinter {
  let hasPrinted = false;
  return {
    print(object) {
      const items =
        Array.isArray(object['items']) && String(object['kind'] ?? '').endsWith('List') ? (object['items'] as unknown[]) : [object];
      const rows = items.map((item) => columns.map(({ path }) => columnText(path, item)));
      if (!hasPrinted && !request.noHeaders) rows.unshift(columns.map(({ header }) => header));
      hasPrinted = true;
      return plainTable(rows);
    },
  };
}

function columnText(path: JsonPath | undefined, item: unknown): string {
  const values = path?.find(item).flat() ?? [];
  return values.length === 0 ? '<none>' : values.map((value) => (value === undefined ? '<none>' : goValue(value))).join(',');
}
