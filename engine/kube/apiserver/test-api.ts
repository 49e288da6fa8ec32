// An API server with its etcd in one room, for tests: real wires, no machines.

import { Clock, VirtualClock } from '../../sim/clock.ts';
