import type { Clock } from '@millrace/telemetry';

export interface Pace {
  /** Records a second; without it and `speedup`: as fast as they are taken. */
  readonly rate?: number;
  /** Event time passes this many times faster than the clock; needs `timeOf`. */
  readonly speedup?: number;
}

/** Records handed on together, at most. */
const BATCH_MAX = 1000;
/** Records due within this time go together, so that slow rates need no timer for each. */
const TICK_MS = 10;

/**
 * Groups records into batches that are handed on when they are due. A reader that cannot keep up gets the batches late,
 * never dropped, and full.
 */
export async function* paced<T>(
  records: AsyncIterable<T> | Iterable<T>,
  pace: Pace,
  timeOf: (record: T) => number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  let count = 0;
  let firstTime: number | undefined;
  const startedAt = clock.now();
  for await (const record of records) {
    signal.throwIfAborted();
    firstTime ??= timeOf(record);
    const dueAt =
      pace.rate !== undefined
        ? startedAt + (count / pace.rate) * 1000
        : pace.speedup !== undefined
          ? startedAt + (timeOf(record) - firstTime) / pace.speedup
          : startedAt;
    const wait = dueAt - clock.now();
    if (batch.length > 0 && (wait > TICK_MS || batch.length >= BATCH_MAX)) {
      yield batch;
      batch = [];
    }
    const still = dueAt - clock.now();
    if (still > TICK_MS) await clock.sleep(still, signal);
    batch.push(record);
    count++;
  }
  if (batch.length > 0) yield batch;
}
