// How V8 keeps house for a lab. Left alone it lets garbage grow to several times what is alive, since a lab has little that is,
// and waits long before it learns from code that runs: a lab runs a lot of different code a few times.

import { setFlagsFromString } from 'node:v8';

for (const flag of ['--heap-growing-percent=50', '--no-lazy-feedback-allocation']) setFlagsFromString(flag);
