import { type Broker, BrokerError } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { StoredOffsetError } from './postgres/errors.ts';

/** What an input topic is told apart by, should it be deleted and made anew, or the cluster be another. */
export interface Identities {
  readonly clusterId: string;
  readonly topicIds: ReadonlyMap<string, string>;
}

export const identify = async ({ admin }: Broker, topics: readonly string[]): Promise<Identities> => {
  const found = await admin.describeTopics(topics);
  const topicIds = new Map(found.map(({ name, id }) => [name, id]));
  const missing = topics.filter(topic => !topicIds.has(topic));
  if (missing.length > 0)
    throw new Error(`no topic ${missing.join(', ')}; run: millrace topics apply --execute`);
  return { clusterId: await admin.clusterId(), topicIds };
};

const CHECK_MS = 30_000;

/**
 * Watches that the names go on to stand for the same topics: one that is deleted and made anew under a reader has other
 * records at the offsets that it goes on to read. Ends with the signal.
 * @throws StoredOffsetError when one of them is another
 */
export const watchIdentities = async (
  { admin }: Broker,
  { topicIds }: Identities,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> => {
  for (;;) {
    await clock.sleep(CHECK_MS, signal).catch(() => undefined); // Aborted: the loop ends.
    if (signal.aborted) return;
    const found = await admin.describeTopics([...topicIds.keys()]).catch((error: unknown) => {
      if (error instanceof BrokerError) return []; // Kafka is away; nothing is read either.
      throw error;
    });
    const other = found.find(({ name, id }) => id !== topicIds.get(name));
    if (other !== undefined)
      throw new StoredOffsetError(`${other.name} was deleted and made anew while it was read: stopping`);
  }
};
