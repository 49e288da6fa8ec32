// Makes engine/kube/machinery/schema/fields.json: names, types and merge rules of the fields of the built-in kinds, and
// proto-fields.json beside it: their numbers in protocol buffers. Both are read from the Go types of k8s.io/api and k8s.io/apimachinery. Usage: node scripts/api-fields.mjs API_DIR APIMACHINERY_META_V1_DIR APIEXTENSIONS_DIR
// APIREGISTRATION_DIR (the folders above the versions of these two).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [apiDirectory, metaDirectory, extensionsDirectory, registrationDirectory] = process.argv.slice(2);
const PACKAGES = [
  'core/v1',
  'apps/v1',
  'batch/v1',
  'batch/v1beta1',
  'autoscaling/v1',
  'autoscaling/v2beta1',
  'autoscaling/v2beta2',
  'coordination/v1',
  'coordination/v1beta1',
  'discovery/v1beta1',
  'networking/v1',
  'networking/v1beta1',
  'extensions/v1beta1',
  'policy/v1beta1',
  'rbac/v1',
  'rbac/v1beta1',
  'scheduling/v1',
  'scheduling/v1beta1',
  'storage/v1',
  'storage/v1beta1',
  'node/v1',
  'node/v1beta1',
  'certificates/v1',
  'certificates/v1beta1',
  'admissionregistration/v1',
  'admissionregistration/v1beta1',
  'events/v1',
  'events/v1beta1',
  'authentication/v1',
  'authentication/v1beta1',
  'authorization/v1',
  'authorization/v1beta1',
  'flowcontrol/v1beta1',
];
const out = {};
/** Field numbers by struct, `Name=1`. */
const numbers = {};
for (const name of PACKAGES) {
  const file = join(apiDirectory, name, 'types.go');
  if (existsSync(file)) out[name] = typesOf(readFileSync(file, 'utf8'), name);
}
if (metaDirectory) out['meta/v1'] = typesOf(readFileSync(join(metaDirectory, 'types.go'), 'utf8'), 'meta/v1');
for (const version of ['v1', 'v1beta1']) {
  if (extensionsDirectory) {
    out[`apiextensions/${version}`] = {
      ...typesOf(readFileSync(join(extensionsDirectory, version, 'types.go'), 'utf8'), `apiextensions/${version}`),
      ...typesOf(readFileSync(join(extensionsDirectory, version, 'types_jsonschema.go'), 'utf8'), `apiextensions/${version}`),
    };
  }
  if (registrationDirectory)
    out[`apiregistration/${version}`] = typesOf(
      readFileSync(join(registrationDirectory, version, 'types.go'), 'utf8'),
      `apiregistration/${version}`,
    );
}
write('fields.json', out);
write('proto-fields.json', numbers);

function write(name, table) {
  const file = new URL(`../engine/kube/machinery/schema/${name}`, import.meta.url);
  // What was read from folders that are not given now stays.
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  writeFileSync(file, JSON.stringify({ ...kept, ...table }, undefined, 0).replaceAll('},"', '},\n"') + '\n');
}

function typesOf(source, pkg) {
  const types = {};
  const lines = source.split('\n');
  let markers = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const named = /^\t?(?:type )?(\w+) (?!struct)(=? ?[\w.[\]*]+)$/.exec(line);
    const struct = /^type (\w+) struct \{(\})?/.exec(line);
    if (/^type \w+ [\w[\]*.]+$/.test(line) && !line.endsWith('{')) types[named[1]] = `=${named[2]}`;
    else if (struct !== null) {
      const fields = [];
      const tagged = [];
      if (struct[2] === undefined) {
        for (at++; lines[at] !== '}'; at++) {
          const text = lines[at].trim();
          if (text.startsWith('//')) {
            markers.push(text);
            continue;
          }
          const field = /^(?:(\w+)\s+)?([\w.[\]*]+)\s+`([^`]*)`/.exec(text);
          if (field !== null) {
            fields.push(fieldOf(field, markers));
            const number = numberOf(field);
            if (number !== undefined) tagged.push(number);
          }
          if (text !== '') markers = [];
          else markers = [];
        }
      }
      types[struct[1]] = fields;
      if (tagged.length > 0) (numbers[pkg] ??= {})[struct[1]] = tagged.join(',');
    }
  }
  return types;
}

function numberOf([, goName, goType, tags]) {
  const tag = /(?:^|\s)protobuf:"\w+,(\d+),/.exec(tags);
  return tag === null ? undefined : `${goName ?? goType.split('.').at(-1)}=${tag[1]}`;
}

function fieldOf([, goName, goType, tags], markers) {
  const tag = (name) => new RegExp(`(?:^|\\s)${name}:"([^"]*)"`).exec(tags)?.[1];
  const [jsonName, ...options] = (tag('json') ?? '').split(',');
  const strategy = tag('patchStrategy');
  const key = tag('patchMergeKey');
  const listType = markers.find((marker) => marker.includes('+listType='))?.split('=')[1];
  const structType = markers.find((marker) => /\+(mapType|structType)=/.test(marker))?.split('=')[1];
  const keys = markers.filter((marker) => marker.includes('+listMapKey=')).map((marker) => marker.split('=')[1]);
  const flags = [
    options.includes('inline') ? 'i' : '',
    options.includes('omitempty') ? 'o' : '',
    markers.some((marker) => marker === '// +optional') ? '?' : '',
    strategy?.includes('merge') ? `m=${key ?? ''}` : '',
    strategy?.includes('retainKeys') ? 'r' : '',
    listType === undefined ? '' : `l=${listType}`,
    structType === undefined ? '' : `s=${structType}`,
    keys.length === 0 ? '' : `k=${keys.join('+')}`,
  ].filter((flag) => flag !== '');
  return [goName ?? goType.split('.').at(-1), jsonName, goType, flags.join(',')].join('|');
}
