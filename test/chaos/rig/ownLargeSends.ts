/**
 * A process with the producer of the product that sends more at once than one batch may have, and of all partitions
 * together more than one request may have. Each record is a number, filled up with blanks. A line says the numbers of
 * the send, and whether it was acknowledged.
 */
import { kafkaBroker, type OutRecord } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';

const [bootstrap, topic] = process.argv.slice(2) as [string, string];
const PARTITIONS = 24;
const RECORD_BYTES = 100_000;
/** 1.6 MB: brokers take 1,048,588 bytes in a batch. */
const RECORDS_A_PARTITION = 16;
/** A machine that is at work with much else needs seconds for 16 MiB. */
const ANSWER_MS_MAX = 15_000;
const PATIENCE_MS = 20_000;

const broker = kafkaBroker({
  bootstrapServers: bootstrap,
  clientId: 'chaos-own-large-sends',
  logger: noLogger,
  clock: systemClock,
  requestTimeoutMs: ANSWER_MS_MAX,
  retryMsMax: PATIENCE_MS,
});
const producer = await broker.producer();
const numbers = Array.from({ length: PARTITIONS * RECORDS_A_PARTITION }, (_, n) => n);
const records = numbers.map((n): OutRecord => {
  const partition = n % PARTITIONS;
  const value = Buffer.from(String(n).padEnd(RECORD_BYTES));
  return { topic, partition, key: Buffer.from(`k${partition}`), value };
});
const said = await producer.send(records).then(
  () => ({ acknowledged: numbers }),
  (error: Error) => ({ failed: numbers, why: error.message }),
);
process.stdout.write(`${JSON.stringify(said)}\n`);
await producer.close();
await broker.close();
