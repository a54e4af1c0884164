import { memoryRegistry } from '../../src/index.ts';
import { registryContract } from '../registry/contract.ts';

registryContract('memory', async () => memoryRegistry(), 'm');
