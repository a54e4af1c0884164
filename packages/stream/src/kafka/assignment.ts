import { assignCoPartitioned, type Candidate } from '../broker/assign.ts';
import type { TopicPartition } from '../broker/port.ts';
import { kafkajs } from './internals.ts';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

/** Members of a group must agree on this name: a change of the rules needs another one. */
export const PROTOCOL = 'millrace-co-partitioned-sticky';

const byTopic = (partitions: readonly TopicPartition[]): Record<string, number[]> =>
  Object.fromEntries(
    [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, of]) => [
      topic,
      of.map(({ partition }) => partition),
    ]),
  );

const flat = (partitions: Readonly<Record<string, readonly number[]>>): TopicPartition[] =>
  Object.entries(partitions).flatMap(([topic, of]) => of.map(partition => ({ topic, partition })));

/** What a member says when it joins: its topics, and what it owned in which generation. */
export const subscriptionOf = (
  topics: readonly string[],
  generation: number,
  owned: readonly TopicPartition[],
): Buffer =>
  MemberMetadata.encode({
    version: 0,
    topics: [...topics],
    userData: Buffer.from(JSON.stringify({ generation, owned: byTopic(owned) })),
  });

export interface Subscribed {
  readonly topics: readonly string[];
  readonly candidate: Candidate;
}

export const readSubscription = (memberId: string, metadata: Buffer): Subscribed => {
  const decoded = MemberMetadata.decode(metadata);
  const userData = decoded?.userData.toString() ?? '';
  const { generation, owned } = JSON.parse(userData === '' ? '{"generation":0,"owned":{}}' : userData) as {
    generation: number;
    owned: Record<string, number[]>;
  };
  return { topics: decoded?.topics ?? [], candidate: { memberId, generation, owned: flat(owned) } };
};

/** The leader's answer for all members. */
export const assignmentsOf = (
  members: readonly Subscribed[],
  partitionCounts: ReadonlyMap<string, number>,
): { memberId: string; memberAssignment: Buffer }[] => {
  const assigned = assignCoPartitioned(
    members.map(({ candidate }) => candidate),
    partitionCounts,
  );
  return [...assigned].map(([memberId, partitions]) => ({
    memberId,
    memberAssignment: MemberAssignment.encode({
      version: 0,
      assignment: byTopic(partitions),
      userData: Buffer.alloc(0),
    }),
  }));
};

export const readAssignment = (bytes: Buffer): readonly TopicPartition[] =>
  flat(MemberAssignment.decode(bytes)?.assignment ?? {});
