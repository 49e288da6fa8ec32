// Descriptions of the API's types, which `kubectl explain` shows: the build puts them beside the bundled host.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provideApiDocs, type ApiDocs } from '#engine/kube/machinery/schema/docs.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
/** Beside the bundle, and where the build puts it, seen from the sources. */
const FILES = [join(HERE, 'api-docs.json'), join(HERE, '../../out/host/api-docs.json')];

/** From now on labs of this process have descriptions. */
export function useApiDocs(): void {
  provideApiDocs(() => {
    const file = FILES.find((each) => existsSync(each));
    return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as ApiDocs);
  });
}
