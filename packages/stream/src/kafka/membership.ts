import {
  BrokerError,
  FencedError,
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type Membership,
  type PartitionOffset,
  type TopicPartition,
} from '../broker/port.ts';
import { GatheredCommits } from './commits.ts';
import { abandonCluster, clusterOf, type KafkaOptions, learnTopics } from './connect.ts';
import { isFencing, isPassing, portError } from './errors.ts';
import { type FetchLane, Fetcher } from './fetcher.ts';
import { GroupClient } from './group.ts';
import { retrying } from './retry.ts';

/** The least that brokers take where nobody changed it. Beats have a loop of their own: two dozen of them may be missed. */
const SESSION_TIMEOUT_MS = 6_000;
const REBALANCE_TIMEOUT_MS = 30_000;
/** The group waits for each of its members when another comes or goes, and a member hears of that by its beats. */
const HEARTBEAT_MS = 250;
const FETCH_WAIT_MS = 100;
const BYTES_PER_PARTITION_MAX = 1_048_576;
const BYTES_MAX = 8 * 1_048_576;
const REJOIN_WAIT_MS_MAX = 1_000;
/** A proof or a commit is tried again as long as this: then the session may have ended anyhow. */
const PROOF_MS_MAX = 5_000;

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** One generation: its lanes, and the end of it. */
interface Generation {
  readonly number: number;
  readonly lanes: ReadonlyMap<string, FetchLane>;
  readonly over: AbortController;
  readonly commits: GatheredCommits;
  fetcher: Fetcher | undefined;
}

/**
 * A member: joining (no generation: nothing is delivered, nothing can be committed), preparing (`assigned` runs: nothing
 * is delivered yet), reading, or left. Heartbeats have their own loop and connection, so neither a slow handler nor a
 * paused partition nor a node that hangs costs the membership; the first one that hears of a rebalance ends the
 * generation, and the member joins again at once.
 */
export class KafkaMembership implements Membership {
  readonly #options: KafkaOptions;
  readonly #group: GroupOptions;
  readonly #listener: GroupListener;
  readonly #joining;
  readonly #asking;
  readonly #client: GroupClient;
  readonly #left = new AbortController();
  #leaving: Promise<void> | undefined;
  #current: Generation | undefined;
  #generation = 0;

  constructor(options: KafkaOptions, group: GroupOptions, listener: GroupListener) {
    this.#options = options;
    this.#group = group;
    this.#listener = listener;
    this.#joining = clusterOf(options);
    this.#asking = clusterOf(options);
    const { sessionTimeoutMs = SESSION_TIMEOUT_MS, rebalanceTimeoutMs = REBALANCE_TIMEOUT_MS } = group;
    this.#client = new GroupClient(
      { ...group, sessionTimeoutMs, rebalanceTimeoutMs, clock: options.clock },
      this.#joining,
      this.#asking,
    );
  }

  /** @throws BrokerError where a topic does not exist or Kafka cannot be reached. */
  async prepare(): Promise<void> {
    try {
      await learnTopics(this.#asking, this.#group.topics);
    } catch (error) {
      await this.leave();
      throw portError(`join ${this.#group.group}`, error);
    }
  }

  /** Begins to join; kept apart so that the listener hears nothing before `join` has resolved. */
  start(): void {
    this.#live().catch((error: unknown) => this.#fail(error));
  }

  get generation(): number {
    return this.#generation;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#change(at, lane => (lane.paused = true));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#change(at, lane => (lane.paused = false));
  }

  seek(to: PartitionOffset): void {
    this.#change(to, lane => {
      lane.position = to.offset;
      lane.moves++;
    });
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const foreign = offsets.find(at => this.#current?.lanes.has(nameOf(at)) === false);
    if (foreign !== undefined) throw new FencedError(`${nameOf(foreign)} is not ours in ${this.#generation}`);
    if (offsets.length === 0) return;
    if (this.#current === undefined) throw this.#noMember('commit');
    await this.#current.commits.commit(offsets);
  }

  member(): GroupMember {
    if (this.#current === undefined) throw this.#noMember('member');
    return this.#client.member;
  }

  heartbeat(): Promise<void> {
    return this.#proved('heartbeat', () => this.#client.heartbeat());
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  async #leave(): Promise<void> {
    this.#left.abort(new Error('the membership has ended'));
    this.#end(this.#current);
    try {
      await this.#client.leave();
    } catch (error) {
      const { message } = portError('leave', error);
      this.#options.logger.info({ group: this.#group.group, error: message }, 'left without saying so');
    }
    abandonCluster(this.#joining);
    abandonCluster(this.#asking);
  }

  #change(at: TopicPartition, change: (lane: FetchLane) => void): void {
    const lane = this.#current?.lanes.get(nameOf(at));
    if (lane === undefined) return;
    change(lane);
    this.#current?.fetcher?.wake();
  }

  #fail(error: unknown): void {
    if (this.#left.signal.aborted) return;
    void this.leave();
    this.#listener.failed(portError(`group ${this.#group.group}`, error));
  }

  // Generation after generation, until the member leaves or cannot go on.
  async #live(): Promise<void> {
    const { clock, logger } = this.#options;
    for (let failures = 0; !this.#left.signal.aborted;) {
      try {
        await this.#serve(await this.#join());
        failures = 0;
      } catch (error) {
        if (this.#left.signal.aborted) return;
        if (!isPassing(error) && !isFencing(error)) throw error;
        const fields = { group: this.#group.group, error: portError('join', error).message };
        if (failures++ === 0) logger.info(fields, 'joining again');
        const waitMs = Math.min(REJOIN_WAIT_MS_MAX, 10 * 2 ** Math.min(failures, 10));
        await clock.sleep(waitMs, this.#left.signal).catch(() => undefined); // Left: the loop ends.
      }
    }
  }

  async #join(): Promise<readonly PartitionOffset[]> {
    await learnTopics(this.#asking, this.#group.topics);
    await this.#client.join();
    return this.#client.positions();
  }

  /** One generation: prepares, reads, and beats until somebody hears that it is over. */
  async #serve(positions: readonly PartitionOffset[]): Promise<void> {
    if (this.#left.signal.aborted) return;
    this.#generation = Math.max(this.#client.generation, this.#generation + 1);
    const generation: Generation = {
      number: this.#generation,
      lanes: new Map(
        positions.map(at => [
          nameOf(at),
          { ...at, position: at.offset, paused: false, moves: 0, until: Infinity },
        ]),
      ),
      over: new AbortController(),
      commits: new GatheredCommits(async offsets => {
        // What was gathered in a generation is not of the next one.
        if (this.#current !== generation) throw this.#noMember('commit');
        await this.#proved('commit', () => this.#client.commit(offsets));
      }),
      fetcher: undefined,
    };
    this.#current = generation;
    try {
      this.#prepareAndRead(generation, positions).catch((error: unknown) => {
        if (!generation.over.signal.aborted) this.#fail(error);
      });
      await this.#beat(generation);
    } finally {
      this.#end(generation);
    }
  }

  async #prepareAndRead(generation: Generation, positions: readonly PartitionOffset[]): Promise<void> {
    await this.#listener.assigned({ generation: generation.number, positions });
    if (generation.over.signal.aborted) return;
    const {
      fetchWaitMsMax = FETCH_WAIT_MS,
      fetchBytesMin = 1,
      fetchLingerMs = 0,
      fetchBytesPerPartitionMax = BYTES_PER_PARTITION_MAX,
    } = this.#group;
    generation.fetcher = new Fetcher(this.#asking, [...generation.lanes.values()], {
      bytes: this.#options.bytes,
      clock: this.#options.clock,
      logger: this.#options.logger,
      waitMsMax: fetchWaitMsMax,
      bytesMin: fetchBytesMin,
      lingerMs: fetchLingerMs,
      bytesPerPartitionMax: fetchBytesPerPartitionMax,
      bytesMax: BYTES_MAX,
      fetched: (_, run) => {
        if (run.length > 0) this.#listener.run(run);
      },
      caughtUp: ({ topic, partition, position }) =>
        this.#listener.caughtUp?.({ topic, partition, offset: position }),
    });
    await generation.fetcher.start();
  }

  // Missed beats are tried again: the coordinator decides when the session is over, not we.
  async #beat({ over }: Generation): Promise<void> {
    const { clock, logger } = this.#options;
    while (!over.signal.aborted) {
      await clock.sleep(HEARTBEAT_MS, over.signal).catch(() => undefined); // Over: the loop ends.
      if (over.signal.aborted) return;
      try {
        await this.#client.heartbeat();
      } catch (error) {
        if (isFencing(error)) return;
        if (!isPassing(error)) throw error;
        logger.debug(
          { group: this.#group.group, error: portError('heartbeat', error).message },
          'missed a beat',
        );
      }
    }
  }

  #end(generation: Generation | undefined): void {
    generation?.over.abort(new FencedError('the generation is over'));
    generation?.fetcher?.stop();
    if (this.#current === generation) this.#current = undefined;
  }

  #noMember(what: string): FencedError {
    return new FencedError(`${what}: no member of ${this.#group.group} just now`);
  }

  async #proved(what: string, request: () => Promise<void>): Promise<void> {
    const generation = this.#current;
    if (generation === undefined) throw this.#noMember(what);
    const { clock } = this.#options;
    const { signal } = generation.over;
    try {
      await retrying(request, { clock, again: isPassing, forMs: PROOF_MS_MAX, signal });
    } catch (error) {
      if (isFencing(error)) this.#end(generation);
      throw portError(
        what,
        signal.aborted ? new FencedError(`${what}: the generation is over`, error) : error,
      );
    }
    if (signal.aborted) throw new FencedError(`${what}: the generation is over`);
  }
}

export const joinGroup = async (
  options: KafkaOptions,
  group: GroupOptions,
  listener: GroupListener,
): Promise<KafkaMembership> => {
  if (group.topics.length === 0)
    throw new BrokerError(`group ${group.group} has no topics`, { retriable: false });
  const membership = new KafkaMembership(options, group, listener);
  await membership.prepare();
  setImmediate(() => membership.start());
  return membership;
};
