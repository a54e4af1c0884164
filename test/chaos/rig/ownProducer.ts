/**
 * A process with the producer of the product: numbered records of a few keys, several sends at once, and a short patience,
 * so that sends fail in an outage. For each send that was acknowledged a line says the numbers. It ends at SIGTERM.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaBroker, type OutRecord, murmur2Partition } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';

const [bootstrap, topic] = process.argv.slice(2) as [string, string];
const PARTITIONS = 6;
const KEYS = 30;
/** Each key once: sends are alike, so that the broker takes one for the other where their sequence numbers are. */
const RECORDS = KEYS;
const IN_FLIGHT = 6;
const PAUSE_MS = 10;
const PATIENCE_MS = 1_500;

const broker = kafkaBroker({
  bootstrapServers: bootstrap,
  clientId: 'chaos-own-producer',
  logger: noLogger,
  clock: systemClock,
  requestTimeoutMs: 1_000,
  retryMsMax: PATIENCE_MS,
});
const producer = await broker.producer();
let next = 0;
const over = new AbortController();
process.once('SIGTERM', () => over.abort());

const batch = (): { numbers: readonly number[]; records: readonly OutRecord[] } => {
  const numbers = Array.from({ length: RECORDS }, () => next++);
  const records = numbers.map(n => {
    const key = Buffer.from(`k${n % KEYS}`);
    return { topic, partition: murmur2Partition(key, PARTITIONS), key, value: Buffer.from(String(n)) };
  });
  return { numbers, records };
};

const sendOn = async (): Promise<void> => {
  while (!over.signal.aborted) {
    const { numbers, records } = batch();
    await producer.send(records).then(
      () => process.stdout.write(`${JSON.stringify({ acknowledged: numbers })}\n`),
      (error: Error) => process.stdout.write(`${JSON.stringify({ failed: numbers, why: error.message })}\n`),
    );
    await sleep(PAUSE_MS);
  }
};
await Promise.all(Array.from({ length: IN_FLIGHT }, sendOn));
await producer.close();
await broker.close();
