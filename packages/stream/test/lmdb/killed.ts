/** Opens a store, says how many entries it has, may do what one that is at work does, and is killed before it lets go. */
import { writeSync } from 'node:fs';
import { lmdbStores } from '../../src/lmdb/store.ts';

const [folder, task, work = ''] = process.argv.slice(2) as [string, string, string?];
const store = await lmdbStores(folder)(Number(task));
writeSync(1, String(store.size));
/** A whole round, in two steps. */
if (work.includes('reads')) store.nextKeys('k', store.size / 2 + 1);
if (work.includes('reads all')) store.nextKeys('k', store.size / 2 + 1);
const write = async (next: number): Promise<void> =>
  store.apply([['k0', Buffer.from('new')]], { topicId: 't', next, atMs: 0 });
if (work.includes('writes')) {
  await write(50);
  // Waits for the write before it.
  await write(51);
}
process.kill(process.pid, 'SIGKILL');
