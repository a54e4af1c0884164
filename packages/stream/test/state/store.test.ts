import { memoryStore } from '../../src/state/store.ts';
import { storeContract } from './contract.ts';

storeContract('the store in memory', () => Promise.resolve(memoryStore()));
