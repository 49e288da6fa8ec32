// Makes engine/kube/machinery/schema/internal-fields.json: names and types of the fields of the API server's internal types, which its
// messages print, read from pkg/apis of the Kubernetes sources. Usage: node scripts/internal-fields.mjs KUBERNETES_DIR
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory] = process.argv.slice(2);
const PACKAGES = ['core', 'apps', 'batch', 'autoscaling', 'policy', 'scheduling', 'networking', 'rbac', 'storage'];
const out = {};
for (const name of PACKAGES) {
  const file = join(directory, 'pkg/apis', name, 'types.go');
  if (existsSync(file)) out[name] = typesOf(readFileSync(file, 'utf8'));
}
writeFileSync(
  new URL('../engine/kube/machinery/schema/internal-fields.json', import.meta.url),
  JSON.stringify(out).replaceAll('],"', '],\n"') + '\n',
);

function typesOf(source) {
  const types = {};
  const lines = source.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const struct = /^type (\w+) struct \{(\})?/.exec(lines[at]);
    const named = /^type (\w+) ([\w.[\]*]+)$/.exec(lines[at]);
    if (struct !== null) {
      const fields = [];
      if (struct[2] === undefined) {
        for (at++; lines[at] !== '}'; at++) {
          const field = /^\t(?:(\w+)\s+)?([\w.[\]*]+)(?:\s+`.*`)?(?:\s*\/\/.*)?$/.exec(lines[at]);
          if (field !== null) fields.push(field[1] === undefined ? `|${typeName(field[2])}` : `${field[1]}|${typeName(field[2])}`);
        }
      }
      types[struct[1]] = fields;
    } else if (named !== null) types[named[1]] = `=${typeName(named[2])}`;
  }
  return types;
}

/** Import aliases become the names of packages; meta/v1 prints itself as v1. */
function typeName(type) {
  return type.replaceAll(/\bapi\./g, 'core.').replaceAll(/\bmetav1\./g, 'v1.');
}
