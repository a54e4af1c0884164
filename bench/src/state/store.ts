/**
 * What a commit costs in the store of the state: `node bench/src/state/store.ts`. One process, no Kafka. 200 commits of
 * 1,000 chunks of 1.5 kB over 50,000 keys, as an overlay settles them, with a mark every 4 MiB; then as many reads of
 * the entries of one entity.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Change, lmdbStores, memoryStore, type StateStore } from '@millrace/stream';

const COMMITS = 200;
const PER_COMMIT = 1_000;
const KEYS = 50_000;
const MARK_BYTES = 4 * 1024 * 1024;

const keyOf = (i: number): string =>
  `view\0customerId\0customer-${Math.floor(i / 5)}\0transactions:31:${i % 5}`;

async function measure(name: string, store: StateStore): Promise<void> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  let blockedMs = 0;
  for (let c = 0; c < COMMITS; c++) {
    const changes = Array.from({ length: PER_COMMIT }, (_, i): Change => {
      return [keyOf(((c * PER_COMMIT + i) * 7_919) % KEYS), new Uint8Array(1_500).fill(c)];
    });
    const mark = store.bytesSinceMark < MARK_BYTES ? undefined : { topicId: 't', next: c, atMs: 0 };
    const begunMs = performance.now();
    const applied = store.apply(changes, mark);
    blockedMs += performance.now() - begunMs;
    await applied;
  }
  const { user, system } = process.cpuUsage(cpu);
  const writeMs = performance.now() - startMs;
  const readCpu = process.cpuUsage();
  let entries = 0;
  for (let i = 0; i < 20_000; i++)
    entries += [...store.inGroup(`view\0customerId\0customer-${(i * 31) % 10_000}\0`)].length;
  const read = process.cpuUsage(readCpu);
  await store.close();
  const perEntry = (us: number, of: number): string => (us / of).toFixed(1);
  console.log(
    `| ${name} | ${perEntry(user + system, COMMITS * PER_COMMIT)} | ${perEntry(blockedMs * 1_000, COMMITS * PER_COMMIT)} | ${(writeMs / COMMITS).toFixed(1)} | ${perEntry(read.user + read.system, entries)} |`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-store-'));
console.log(
  '| Store | Write: CPU µs an entry | of it before the call returns | ms a commit | Read: CPU µs an entry |\n| --- | --: | --: | --: | --: |',
);
await measure('memory', memoryStore());
await measure('disk', await lmdbStores(folder)(0));
rmSync(folder, { recursive: true });
