/** Two transactional producers of librdkafka on the same partitions, whose transactions overlap; some are aborted. */
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { type Feed, sentValue } from './feed.ts';

const TOPIC = topicsOf(fraud).scored;
/** As `transactions.py` has it. */
const SIZE = 8;
const PREFIX = 'w-';

/** Sends `count` payments. Committed ones must be answered, aborted ones must not. */
export const interleavedTransactions = async (
  feed: Feed,
  at: { readonly bootstrap: string; readonly registry: string },
  count: number,
  random: () => number,
): Promise<void> => {
  const script = feed.script('transactions.py', at);
  const of = [0, 1].map(() => ({ sent: 0, commit: true }));
  for (let i = 0; i < count; i++) {
    // The second begins when the first is half done, and so on from there.
    const writer = i < SIZE / 2 ? 0 : i % 2;
    const turn = of[writer]!;
    if (turn.sent++ % SIZE === 0) turn.commit = random() < 0.6;
    const event = feed.takePayment(PREFIX);
    const { eventId: id, customerId: key } = event.value;
    const { commit } = turn;
    const entry = { kind: commit ? 'event' : 'aborted', id, key, topic: TOPIC } as const;
    const { n } = feed.ledger.add(entry, commit ? event : undefined);
    await script.write(JSON.stringify({ n, topic: TOPIC, key, value: sentValue(event), writer, commit }));
  }
  script.end();
  await script.ended;
};
