import {
  BrokerError,
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type Membership,
  type PartitionOffset,
  type TopicPartition,
} from '../broker/port.ts';
import type { MemoryClient } from './client.ts';
import type { ConsumerGroup } from './group.ts';
import { sliceRun } from './run.ts';

const FETCH_WAIT_MS = 100;
const SESSION_TIMEOUT_MS = 6_000;

interface Lane extends TopicPartition {
  position: number;
  paused: boolean;
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/**
 * A member: waiting (no generation yet, or its `assigned` not settled: nothing is delivered), reading, silent (its
 * client is gone; the session ends by the clock), or left. A client that comes back goes on where its session lasts, and
 * joins anew where it has ended. One step delivers at most one run per partition, then gives way through the cluster's
 * schedule.
 */
export class MemoryMembership implements Membership {
  readonly #client: MemoryClient;
  readonly #group: ConsumerGroup;
  readonly #name: string;
  readonly #options: GroupOptions;
  readonly #listener: GroupListener;
  readonly #left = new AbortController();
  readonly #unwatch: () => void;
  #id: string;
  #joined = 0;
  #session = new AbortController();
  #fetching = new AbortController();
  #lanes = new Map<string, Lane>();
  #generation = 0;
  #state: 'waiting' | 'reading' | 'silent' | 'left' = 'waiting';
  /** Its `assigned` of this generation has settled. */
  #isSettled = false;
  #stepping = false;

  constructor(client: MemoryClient, name: string, options: GroupOptions, listener: GroupListener) {
    this.#client = client;
    this.#name = name;
    this.#id = name;
    this.#options = options;
    this.#listener = listener;
    this.#group = client.cluster.group(options.group);
    this.#unwatch = client.cluster.watch(() => this.#wake());
  }

  /** Joins. Kept apart from the constructor, so that the listener hears nothing before `join` has resolved. */
  start(): void {
    // Whoever fell silent before that joins when it is back.
    if (this.#state !== 'waiting') return;
    this.#join();
    this.#fetch();
  }

  get generation(): number {
    return this.#generation;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#change(at, { paused: true });
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#change(at, { paused: false });
  }

  seek(to: PartitionOffset): void {
    this.#change(to, { position: to.offset });
  }

  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const [id, ours] = [this.#id, this.#generation];
    return this.#client.request('memberCommit', () => this.#group.commit(id, ours, offsets));
  }

  member(): GroupMember {
    return { group: this.#options.group, generation: this.#generation, memberId: this.#id };
  }

  heartbeat(): Promise<void> {
    const [id, ours] = [this.#id, this.#generation];
    return this.#client.request('heartbeat', () => this.#group.prove(id, ours));
  }

  leave(): Promise<void> {
    return this.#client.request('leave', () => this.#leaveNow());
  }

  /** No more deliveries, no more heartbeats. */
  silence(): void {
    if (this.#state === 'left' || this.#state === 'silent') return;
    this.#state = 'silent';
    this.#fetching.abort(new Error('the member is silent'));
    const { signal } = (this.#session = new AbortController());
    const sessionMs = this.#options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
    this.#client.cluster.clock.sleep(sessionMs, AbortSignal.any([signal, this.#left.signal])).then(
      () => this.#group.leave(this.#id),
      () => undefined, // It left, or came back, before its session ended.
    );
  }

  /** Comes back after a silence: goes on as the member it was, or learns that it is none and joins anew. */
  speak(): void {
    if (this.#state !== 'silent') return;
    this.#session.abort(new Error('the member is back'));
    this.#fetch();
    const owned = this.#group.assignment(this.#id);
    this.#state = 'waiting';
    if (!this.#group.has(this.#id)) this.#join();
    else if (owned === undefined)
      return; // It has joined, and its first generation is yet to come.
    else if (owned.generation !== this.#generation) this.#assigned();
    else {
      this.#state = this.#isSettled ? 'reading' : 'waiting';
      this.#wake();
    }
  }

  #join(): void {
    this.#id = `${this.#name}-${++this.#joined}`;
    const { topics } = this.#options;
    const assigned = (): void => this.#client.deliver('assigned', () => this.#assigned());
    this.#group.join({ id: this.#id, topics, assigned });
  }

  #change(at: TopicPartition, change: Partial<Pick<Lane, 'paused' | 'position'>>): void {
    const lane = this.#lanes.get(nameOf(at));
    if (lane !== undefined) Object.assign(lane, change);
    this.#wake();
  }

  #leaveNow(): void {
    if (this.#state === 'left') return;
    this.#state = 'left';
    this.#left.abort(new Error('the membership has ended'));
    this.#fetching.abort(this.#left.signal.reason);
    this.#unwatch();
    this.#group.leave(this.#id);
  }

  #fail(error: Error): void {
    if (this.#state === 'left') return;
    this.#leaveNow();
    this.#listener.failed(error);
  }

  #assigned(): void {
    if (this.#state === 'silent' || this.#state === 'left') return;
    const { cluster } = this.#client;
    const owned = this.#group.assignment(this.#id);
    if (owned === undefined || owned.generation === this.#generation) return;
    const { generation, partitions } = owned;
    this.#generation = generation;
    this.#state = 'waiting';
    this.#isSettled = false;
    const positions = partitions.map(
      at => this.#group.committed(at) ?? { ...at, offset: cluster.log(at.topic, at.partition).beginning },
    );
    this.#lanes = new Map(positions.map(at => [nameOf(at), { ...at, position: at.offset, paused: false }]));
    const ready = async (): Promise<void> => {
      await this.#listener.assigned({ generation, positions });
      if (this.#generation !== generation) return;
      this.#isSettled = true;
      if (this.#state !== 'waiting') return;
      this.#state = 'reading';
      this.#wake();
    };
    ready().catch((error: unknown) => {
      if (this.#generation === generation) this.#fail(error as Error);
    });
  }

  #wake(): void {
    if (this.#stepping || this.#state !== 'reading') return;
    this.#stepping = true;
    this.#client.deliver('runs', () => {
      this.#stepping = false;
      let delivered = false;
      for (const lane of this.#lanes.values()) delivered = this.#deliver(lane) || delivered;
      if (delivered) this.#wake();
    });
  }

  /** @returns whether there was something to deliver. */
  #deliver(lane: Lane): boolean {
    const log = this.#logOf(lane);
    if (lane.paused || this.#state !== 'reading' || log === undefined) return false;
    if (lane.position < log.beginning || lane.position > log.end) {
      const range = `${log.beginning}..${log.end}`;
      const error = `${nameOf(lane)}: position ${lane.position} is out of range (${range}): records are lost`;
      this.#fail(new BrokerError(error, { retriable: false }));
      return false;
    }
    const slice = log.readCommitted(lane.position, this.#client.cluster.runRecordsMax);
    if (slice.nextOffset === lane.position) return false;
    lane.position = slice.nextOffset;
    if (slice.entries.length > 0) this.#listener.run(sliceRun(lane, slice, log.lastStable));
    if (lane.position === log.lastStable) this.#sayCaughtUp(lane);
    return true;
  }

  #fetch(): void {
    this.#answerEmptyFetches().catch((error: unknown) => this.#fail(error as Error));
  }

  // An empty fetch is answered after the wait, again and again: readers learn that time passed without records.
  async #answerEmptyFetches(): Promise<void> {
    const { signal } = (this.#fetching = new AbortController());
    const waitMs = this.#options.fetchWaitMsMax ?? FETCH_WAIT_MS;
    while (!signal.aborted) {
      const waited = this.#client.cluster.clock.sleep(waitMs, signal);
      await waited.catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (this.#state === 'reading') this.#client.deliver('caughtUp', () => this.#answerEmptyFetch());
    }
  }

  #answerEmptyFetch(): void {
    if (this.#state !== 'reading') return;
    for (const lane of this.#lanes.values())
      if (!lane.paused && lane.position === this.#logOf(lane)?.lastStable) this.#sayCaughtUp(lane);
  }

  #logOf({ topic, partition }: TopicPartition) {
    return this.#client.cluster.topics.get(topic)?.logs[partition];
  }

  #sayCaughtUp({ topic, partition, position }: Lane): void {
    this.#listener.caughtUp?.({ topic, partition, offset: position });
  }
}
