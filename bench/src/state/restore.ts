/**
 * How long state of a given size takes to come back: `node bench/src/state/restore.ts [--mb 1024]`.
 * A real Kafka broker on this machine. Chunks of 1.5 kB are written to a compacted changelog in transactions; then the
 * same code as the service's restores them into an empty store on disk, from the folder alone, after a stretch that the
 * folder does not have, and into a store in memory. Each in a process of its own, whose anonymous memory is measured.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '@millrace/localstack';
import { kafkaBroker, lmdbStores, memoryStore, restoreState } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';

const CHANGELOG = 'bench.state.changelog';
const CHUNK_BYTES = 1_500;
const PER_TRANSACTION = 2_000;
const clock = systemClock;

const numberAfter = (flag: string, otherwise: number): number => {
  const at = process.argv.indexOf(flag);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const brokerAt = (bootstrapServers: string) =>
  kafkaBroker({ bootstrapServers, clientId: 'bench', logger: noLogger, clock });

/** Writes chunks of entities, of which none is written twice; the bytes are not alike. */
async function fill(kafka: string, from: number, to: number): Promise<void> {
  const broker = brokerAt(kafka);
  const producer = await broker.transactionalProducer('bench.state');
  for (let i = from; i < to;) {
    const records = [];
    for (; records.length < PER_TRANSACTION && i < to; i++) {
      const value = Buffer.alloc(CHUNK_BYTES, i % 251);
      value.writeUInt32LE(i, 0);
      const key = Buffer.from(
        `view\0customerId\0customer-${Math.floor(i / 6)}\0transactions:31:${(i % 6).toString(36)}`,
      );
      records.push({ topic: CHANGELOG, partition: 0, key, value });
    }
    await producer.send(records);
    await producer.commit();
  }
  await producer.close();
  await broker.close();
}

/** Resident memory that no file stands behind, in MB. */
const anonymousMb = (): number =>
  Math.round(Number(/RssAnon:\s+(\d+)/u.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024);

/** In a process of its own: one restore, and what it took. */
async function once(kafka: string, folder: string): Promise<void> {
  const broker = brokerAt(kafka);
  await broker.admin.describeTopics([CHANGELOG]);
  let anonymousMax = 0;
  const watch = setInterval(() => (anonymousMax = Math.max(anonymousMax, anonymousMb())), 50);
  const startMs = performance.now();
  const store = folder === 'memory' ? memoryStore() : await lmdbStores(folder)(0);
  const { records, bytes, emptied } = await restoreState({
    broker, store, changelog: CHANGELOG, partition: 0, clock, signal: new AbortController().signal,
  }); // prettier-ignore
  const seconds = (performance.now() - startMs) / 1000;
  clearInterval(watch);
  const { size } = store;
  await store.close();
  await broker.close();
  const cpu = process.cpuUsage();
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  process.stdout.write(
    JSON.stringify({ seconds, records, mb: bytes / 1e6, size, emptied, cpuSeconds, anonymousMax }),
  );
}

const at = process.argv.indexOf('--once');
if (at >= 0) {
  await once(process.argv[at + 1]!, process.argv[at + 2]!);
} else {
  const chunks = Math.ceil((numberAfter('--mb', 1_024) * 1_000_000) / (CHUNK_BYTES + 55));
  const folder = mkdtempSync(join(tmpdir(), 'millrace-restore-'));
  const directory = mkdtempSync(join(tmpdir(), 'millrace-restore-stack-'));
  const stack = await startStack({ ways: ['jvm'], parts: ['kafka'], directory, environment: process.env });
  const kafka = stack.kafka;
  try {
    const broker = brokerAt(kafka);
    await broker.admin.createTopics([
      { name: CHANGELOG, partitions: 1, config: { 'cleanup.policy': 'compact' } },
    ]);
    await broker.close();
    await fill(kafka, 0, chunks);
    const run = (where: string): Record<string, number> =>
      JSON.parse(
        execFileSync(process.execPath, ['--max-old-space-size=4096', import.meta.filename, '--once', kafka, where], { encoding: 'utf8' }),
      ) as Record<string, number>; // prettier-ignore
    const say = (name: string, of: Record<string, number>): void =>
      console.log(
        `| ${name} | ${of['size']} | ${of['mb']!.toFixed(0)} | ${of['seconds']!.toFixed(2)} | ${(of['mb']! / of['seconds']!).toFixed(0)} | ${of['cpuSeconds']!.toFixed(1)} | ${of['anonymousMax']} |`,
      );
    console.log(
      '| Restore | Entries | MB read | Seconds | MB/s | CPU s | Anonymous MB |\n| --- | --: | --: | --: | --: | --: | --: |',
    );
    say('changelog to disk', run(folder));
    say('disk, nothing to add', run(folder));
    await fill(kafka, chunks, chunks + Math.ceil(chunks / 100));
    say('disk, 1 % to add', run(folder));
    say('changelog to memory', run('memory'));
  } finally {
    await stack.stop();
    for (const made of [folder, directory]) rmSync(made, { recursive: true });
  }
}
