import { describeKvStore } from '../../tests/support/kv-store-contract.ts';
import { MemoryStore } from './memory-store.ts';

describeKvStore('the memory store', () => new MemoryStore());
