// Every test runs with what helps to find faults.

import { diagnosis } from '#engine/sim/diagnosis.ts';

diagnosis.keepsStacks = true;
diagnosis.freezesShared = true;
