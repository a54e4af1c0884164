/** Opens a store, says how many entries it has, and is killed before it lets go. */
import { writeSync } from 'node:fs';
import { lmdbStores } from '../../src/lmdb/store.ts';

const [folder, task] = process.argv.slice(2) as [string, string];
const store = await lmdbStores(folder)(Number(task));
writeSync(1, String(store.size));
process.kill(process.pid, 'SIGKILL');
