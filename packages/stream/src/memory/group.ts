import { assignCoPartitioned } from '../broker/assign.ts';
import { BrokerError, FencedError, type PartitionOffset, type TopicPartition } from '../broker/port.ts';
import type { MemoryCluster } from './cluster.ts';

/** A member as the coordinator sees it. */
export interface GroupMember {
  readonly id: string;
  readonly topics: readonly string[];
  /** Told in the stretch in which a generation begins; `assignment` says what it brought. */
  readonly assigned: () => void;
}

export interface Assignment {
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** A consumer group: eager rebalances, one generation after the other, and committed offsets. */
export class ConsumerGroup {
  readonly #cluster: MemoryCluster;
  readonly #members = new Map<string, GroupMember>();
  readonly #owned = new Map<string, readonly TopicPartition[]>();
  readonly #offsets = new Map<string, PartitionOffset>();
  #generation = 0;
  #rebalancing = false;

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  has(id: string): boolean {
    return this.#members.has(id);
  }

  get size(): number {
    return this.#members.size;
  }

  join(member: GroupMember): void {
    this.#members.set(member.id, member);
    this.#rebalance();
  }

  leave(id: string): void {
    if (!this.#members.delete(id)) return;
    this.#owned.delete(id);
    this.#rebalance();
  }

  // Members that join in the same stretch share one generation.
  #rebalance(): void {
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    const step = { kind: 'work', client: undefined, what: 'rebalance' } as const;
    this.#cluster.schedule(() => {
      this.#rebalancing = false;
      this.#begin();
    }, step);
  }

  #begin(): void {
    const members = [...this.#members.values()];
    const counts = new Map<string, number>();
    for (const name of members.flatMap(m => m.topics)) {
      const topic = this.#cluster.topics.get(name);
      if (topic !== undefined) counts.set(name, topic.logs.length);
    }
    const candidates = members.map(({ id }) => ({
      memberId: id,
      generation: this.#generation,
      owned: this.#owned.get(id) ?? [],
    }));
    this.#generation++;
    const assignment = assignCoPartitioned(candidates, counts);
    for (const { id } of members) this.#owned.set(id, assignment.get(id) ?? []);
    for (const { assigned } of members) assigned();
  }

  /** What the member owns now; undefined where it has left, or has just joined. */
  assignment(id: string): Assignment | undefined {
    const partitions = this.#owned.get(id);
    return partitions && { generation: this.#generation, partitions };
  }

  /** @throws FencedError when the member is not one of this generation. */
  prove(id: string, generation: number): void {
    if (this.#members.has(id) && generation === this.#generation) return;
    throw new FencedError(`not a member of generation ${this.#generation} (ours ${generation})`);
  }

  commit(id: string, generation: number, offsets: readonly PartitionOffset[]): void {
    this.prove(id, generation);
    const owned = new Set(this.#owned.get(id)?.map(nameOf));
    const foreign = offsets.find(at => !owned.has(nameOf(at)));
    if (foreign !== undefined)
      throw new FencedError(`${nameOf(foreign)} is not ours in generation ${generation}`);
    for (const offset of offsets) this.store(offset);
  }

  store(offset: PartitionOffset): void {
    this.#offsets.set(nameOf(offset), { ...offset });
  }

  reset(offsets: readonly PartitionOffset[]): void {
    if (this.size > 0) throw new BrokerError(`the group has ${this.size} members`, { retriable: true });
    for (const offset of offsets) this.store(offset);
  }

  committed(at: TopicPartition): PartitionOffset | undefined {
    return this.#offsets.get(nameOf(at));
  }
}
