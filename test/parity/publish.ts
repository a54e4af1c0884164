import type { openPublisher, StreamValue } from '@millrace/cli';
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
}

/** Publishes transactions and the labels that are known by then, in order time, as fast as they are acknowledged. */
export const publishDays = async (
  publisher: Awaited<ReturnType<typeof openPublisher>>,
  files: readonly string[],
  prefix: Prefix,
  signal: AbortSignal,
): Promise<Published> => {
  const counts = { transactions: 0, labels: 0 };
  let batch: StreamValue[] = [];
  for (const event of inOrderTime(readTransactions(files))) {
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
