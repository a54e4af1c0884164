/** Fills a store until a write fails, then says what it still knows; the process is given a limit on file sizes. */
import { lmdbStores } from '../../src/lmdb/store.ts';

const [folder] = process.argv.slice(2) as [string];
const store = await lmdbStores(folder)(0);
const value = new Uint8Array(100_000);
let failedAt: number | undefined;
let message = '';
for (let i = (store.mark?.next ?? 0) + 1; failedAt === undefined && i < 200; i++) {
  try {
    await store.apply([[`k${i}`, value]], { topicId: 't', next: i, atMs: 0 });
  } catch (error) {
    failedAt = i;
    ({ message } = error as Error);
  }
}
const keys = [...store.entries()].map(([key]) => key);
const stays = { next: store.mark?.next ?? 0, size: store.size, keys: keys.length };
await store.close();
process.stdout.write(JSON.stringify({ failedAt, message, ...stays }));
