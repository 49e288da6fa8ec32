// How V8 keeps house for a lab. Left alone it lets garbage grow to several times what is alive, since a lab has little that is.

import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-growing-percent=50');
