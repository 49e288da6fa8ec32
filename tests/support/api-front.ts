// Serves the emulated API server on 127.0.0.1 over plain HTTP, so that a real kubectl can be tried against it:
// node tests/support/api-front.ts 8080; kubectl -s http://127.0.0.1:8080 get ns
import { openPlainFront } from './plain-front.ts';

await openPlainFront(Number(process.argv[2] ?? 8080));
process.stdout.write('ready\n');
