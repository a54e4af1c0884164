import type { Broker } from '@millrace/stream';

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
