import type { Clock } from '@millrace/telemetry';
import type { GroupMember, PartitionOffset, TopicPartition } from '../broker/port.ts';
import { assignmentsOf, PROTOCOL, readAssignment, readSubscription, subscriptionOf } from './assignment.ts';
import { learnTopics } from './connect.ts';
import { Coordinator, GROUP } from './coordinator.ts';
import { isPassing, typeOf } from './errors.ts';
import type { Cluster } from './internals.ts';
import { BEGINNING, committedOffsets, listOffsets, offsetsByTopic } from './offsets.ts';
import { retrying } from './retry.ts';

/** The session, which no beat keeps alive meanwhile, is not much longer. */
const POSITIONS_MS_MAX = 5_000;

export interface GroupSettings {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly clock: Clock;
}

/** The classic group protocol, as one member speaks it: join, sync, heartbeat, commit, leave. */
export class GroupClient {
  readonly #settings: GroupSettings;
  readonly #cluster: Cluster;
  /** The broker answers requests of one connection in order, and a join waits for others: it has its own connection. */
  readonly #joining: Coordinator;
  readonly #asking: Coordinator;
  #memberId = '';
  #kafkaGeneration = -1;
  #owned: readonly TopicPartition[] = [];

  constructor(settings: GroupSettings, joining: Cluster, asking: Cluster) {
    this.#settings = settings;
    this.#cluster = asking;
    this.#joining = new Coordinator(joining, settings.group, GROUP);
    this.#asking = new Coordinator(asking, settings.group, GROUP);
  }

  get generation(): number {
    return this.#kafkaGeneration;
  }

  /** Takes part in a rebalance. @returns what we own in the new generation. */
  async join(): Promise<readonly TopicPartition[]> {
    const { group, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#settings;
    try {
      const metadata = subscriptionOf(topics, this.#kafkaGeneration, this.#owned);
      const joined = await this.#joining.ask(node =>
        node.joinGroup({
          groupId: group,
          sessionTimeout: sessionTimeoutMs,
          rebalanceTimeout: rebalanceTimeoutMs,
          memberId: this.#memberId,
          groupProtocols: [{ name: PROTOCOL, metadata }],
        }),
      );
      this.#memberId = joined.memberId;
      const leads = joined.leaderId === joined.memberId;
      const { memberAssignment } = await this.#joining.ask(async node =>
        node.syncGroup({
          groupId: group,
          generationId: joined.generationId,
          memberId: joined.memberId,
          groupAssignment: leads ? await this.#assign(joined.members) : [],
        }),
      );
      this.#kafkaGeneration = joined.generationId;
      this.#owned = readAssignment(memberAssignment).filter(({ topic }) => topics.includes(topic));
      return this.#owned;
    } catch (error) {
      this.#forgetIfUnknown(error);
      throw error;
    }
  }

  async #assign(members: readonly { memberId: string; memberMetadata: Buffer }[]) {
    const subscribed = members.map(({ memberId, memberMetadata }) =>
      readSubscription(memberId, memberMetadata),
    );
    const topics = [...new Set(subscribed.flatMap(({ topics }) => topics))];
    await learnTopics(this.#cluster, topics);
    await this.#cluster.refreshMetadata();
    const counts = topics.map(
      topic => [topic, this.#cluster.findTopicPartitionMetadata(topic).length] as const,
    );
    return assignmentsOf(subscribed, new Map(counts));
  }

  /**
   * Where reading starts: the committed offset, else the beginning. Asked again in place: joining again for it would take
   * the work of every member away once more.
   */
  positions(): Promise<readonly PartitionOffset[]> {
    const { clock } = this.#settings;
    return retrying(() => this.#positions(), { clock, again: isPassing, forMs: POSITIONS_MS_MAX });
  }

  async #positions(): Promise<readonly PartitionOffset[]> {
    const committed = await committedOffsets(this.#asking, this.#settings.group, this.#owned);
    const same = (a: TopicPartition) => (b: TopicPartition) =>
      a.topic === b.topic && a.partition === b.partition;
    const fresh = this.#owned.filter(at => !committed.some(same(at)));
    const topics = [...new Set(fresh.map(({ topic }) => topic))];
    const first = await Promise.all(topics.map(topic => listOffsets(this.#cluster, topic, BEGINNING)));
    return [...committed, ...first.flat().filter(at => fresh.some(same(at)))];
  }

  get member(): GroupMember {
    return { group: this.#settings.group, generation: this.#kafkaGeneration, memberId: this.#memberId };
  }

  async heartbeat(): Promise<void> {
    await this.#prove(node => node.heartbeat(this.#identity()));
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    await this.#prove(node => node.offsetCommit({ ...this.#identity(), topics: offsetsByTopic(offsets) }));
  }

  async leave(): Promise<void> {
    const memberId = this.#memberId;
    if (memberId === '') return;
    this.#memberId = '';
    await this.#asking.ask(node => node.leaveGroup({ groupId: this.#settings.group, memberId }));
  }

  #identity() {
    return {
      groupId: this.#settings.group,
      groupGenerationId: this.#kafkaGeneration,
      memberId: this.#memberId,
    };
  }

  async #prove(request: Parameters<Coordinator['ask']>[0]): Promise<void> {
    try {
      await this.#asking.ask(request);
    } catch (error) {
      this.#forgetIfUnknown(error);
      throw error;
    }
  }

  #forgetIfUnknown(error: unknown): void {
    if (typeOf(error) === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
  }
}
