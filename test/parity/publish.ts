import type { Publisher, StreamValue } from '@millrace/cli';
import { orderTime } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { type Dice, DUPLICATES_PERCENT } from './disturb.ts';
import { inOrderTime, readTransactions } from './read.ts';

/** As many as `millrace publish` hands on together. */
const BATCH_MAX = 1000;

/** Told apart from what an earlier run left on the same topics; empty on topics of one's own. */
export type Prefix = string;

const valueOf = (fields: Readonly<Record<string, unknown>>, prefix: Prefix): StreamValue['value'] => ({
  ...fields,
  eventId: `${prefix}${String(fields['eventId'])}`,
  customerId: `${prefix}${String(fields['customerId'])}`,
  terminalId: `${prefix}${String(fields['terminalId'])}`,
  lineage: null,
});

export interface Published {
  readonly transactions: number;
  readonly labels: number;
  /** Records that were published a second time. */
  readonly duplicates: number;
}

type Writer = Pick<Publisher, 'publish'>;

/**
 * Publishes transactions and the labels that are known by then, in order time, as fast as they are acknowledged.
 * @param untilMs order time at which it ends, milliseconds since the epoch
 */
export const publishDays = async (
  publisher: Writer,
  files: readonly string[],
  prefix: Prefix,
  signal: AbortSignal,
  untilMs = Infinity,
): Promise<Published> => {
  const counts = { transactions: 0, labels: 0, duplicates: 0 };
  let batch: StreamValue[] = [];
  for (const event of inOrderTime(readTransactions(files))) {
    if (orderTime(event) >= untilMs) break;
    counts[event.stream as keyof typeof counts]++;
    batch.push({ stream: event.stream, value: valueOf(event.fields, prefix) });
    if (batch.length < BATCH_MAX) continue;
    signal.throwIfAborted();
    await publisher.publish(batch);
    batch = [];
  }
  await publisher.publish(batch);
  return counts;
};

export interface Pace {
  /** Order time at which it begins, milliseconds since the epoch. */
  readonly fromMs: number;
  /** How many times as fast as it happened. */
  readonly speed: number;
  /** Longest that it takes. */
  readonly secondsMax: number;
  readonly clock: Clock;
}

/** The same from some time on, each when it happened on a clock that runs faster; what is late for its time goes at once. */
export const publishPaced = async (
  publisher: Writer,
  files: readonly string[],
  prefix: Prefix,
  signal: AbortSignal,
  { fromMs, speed, secondsMax, clock }: Pace,
): Promise<Published> => {
  const counts = { transactions: 0, labels: 0, duplicates: 0 };
  let batch: StreamValue[] = [];
  let startedMs: number | undefined;
  for (const event of inOrderTime(readTransactions(files))) {
    const afterMs = (orderTime(event) - fromMs) / speed;
    if (afterMs < 0) continue;
    if (afterMs > secondsMax * 1000) break;
    startedMs ??= clock.now();
    const waitMs = startedMs + afterMs - clock.now();
    if (batch.length > 0 && (waitMs > 0 || batch.length >= BATCH_MAX)) {
      await publisher.publish(batch);
      batch = [];
    }
    // Below a millisecond nobody can wait.
    if (waitMs >= 1) await clock.sleep(waitMs, signal);
    counts[event.stream as keyof typeof counts]++;
    batch.push({ stream: event.stream, value: valueOf(event.fields, prefix) });
  }
  await publisher.publish(batch);
  return counts;
};

/** A duplicate follows its first by up to so many records of its partition. */
const DUPLICATE_AFTER_MAX = 2_000;

/**
 * The same records, one partition after the other in the order of the dice, so that one is ahead of another by all its
 * days; and of each a share comes again somewhat later.
 */
export const publishDisturbed = async (
  publisher: Writer,
  files: readonly string[],
  prefix: Prefix,
  signal: AbortSignal,
  dice: Dice,
): Promise<Published> => {
  const counts = { transactions: 0, labels: 0, duplicates: 0 };
  const partitions = Array.from({ length: fraud.partitions }, (_, p) => p)
    .map(p => [dice(1 << 30), p] as const)
    .sort(([a], [b]) => a - b);
  for (const [, partition] of partitions) {
    const again = new Map<number, StreamValue[]>();
    let batch: StreamValue[] = [];
    let at = 0;
    for (const event of inOrderTime(readTransactions(files))) {
      const value = { stream: event.stream, value: valueOf(event.fields, prefix) };
      if (murmur2Partition(Buffer.from(String(value.value['customerId'])), fraud.partitions) !== partition)
        continue;
      counts[event.stream as 'transactions' | 'labels']++;
      batch.push(value, ...(again.get(at) ?? []));
      again.delete(at);
      if (dice(100) < DUPLICATES_PERCENT) {
        counts.duplicates++;
        const later = at + 1 + dice(DUPLICATE_AFTER_MAX);
        again.set(later, [...(again.get(later) ?? []), value]);
      }
      at++;
      if (batch.length < BATCH_MAX) continue;
      signal.throwIfAborted();
      await publisher.publish(batch);
      batch = [];
    }
    await publisher.publish([...batch, ...[...again.values()].flat()]);
  }
  return counts;
};
