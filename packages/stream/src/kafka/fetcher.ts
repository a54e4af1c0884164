import type { Clock, Logger } from '@millrace/telemetry';
import { BrokerError, type RecordRun, type TopicPartition } from '../broker/port.ts';
import { leaderOf, READ_COMMITTED } from './connect.ts';
import { isPassing, portError, typeOf } from './errors.ts';
import type { Cluster, FetchedPartition, Node } from './internals.ts';
import { fetchedRun } from './run.ts';

/** One partition that is read. Whoever changes it calls `wake`. */
export interface FetchLane extends TopicPartition {
  /** Next offset to fetch. */
  position: number;
  paused: boolean;
  /** Counts seeks: what was asked for before one is dropped. */
  moves: number;
  /** Reading ends here (exclusive). */
  readonly until: number;
}

export interface FetchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly waitMsMax: number;
  readonly bytesPerPartitionMax: number;
  readonly bytesMax: number;
  /** Called after each fetch that moved the position; the run may be empty. */
  readonly fetched: (lane: FetchLane, run: RecordRun) => void;
  /** Called after each fetch that found the end: the position is the last stable offset. */
  readonly caughtUp: (lane: FetchLane) => void;
}

const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 1_000;

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/**
 * Fetches lanes, one request at a time per node, until it is stopped. A node that does not answer, or leads no more, is
 * asked again after a wait, without end: how long a silence may last is the watchdog's question, not ours.
 */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #lanes: readonly FetchLane[];
  readonly #options: FetchOptions;
  readonly #stopping = new AbortController();
  readonly #busy = new Set<number>();
  readonly #ended = Promise.withResolvers<void>();
  #waiting = false;
  #failures = 0;

  constructor(cluster: Cluster, lanes: readonly FetchLane[], options: FetchOptions) {
    this.#cluster = cluster;
    this.#lanes = lanes;
    this.#options = options;
  }

  /** Rejects when reading cannot go on, resolves after `stop`. */
  start(): Promise<void> {
    this.wake();
    return this.#ended.promise;
  }

  stop(): void {
    this.#stopping.abort(new Error('stopped fetching'));
    this.#ended.resolve();
  }

  /** Looks for nodes that have lanes to fetch and no request under way. */
  wake(): void {
    if (this.#stopping.signal.aborted || this.#waiting) return;
    try {
      for (const [nodeId, lanes] of this.#byLeader()) {
        if (this.#busy.has(nodeId)) continue;
        this.#busy.add(nodeId);
        void this.#fetchFrom(nodeId, lanes);
      }
    } catch (error) {
      void this.#recover(error);
    }
  }

  #byLeader(): ReadonlyMap<number, readonly FetchLane[]> {
    const active = this.#lanes.filter(lane => !lane.paused && lane.position < lane.until);
    return Map.groupBy(active, ({ topic, partition }) => leaderOf(this.#cluster, topic, partition));
  }

  async #fetchFrom(nodeId: number, lanes: readonly FetchLane[]): Promise<void> {
    const asked = lanes.map(lane => ({ lane, position: lane.position, moves: lane.moves }));
    try {
      await this.#cluster.refreshMetadataIfNecessary();
      const node = await this.#cluster.findBroker({ nodeId });
      const { responses } = await this.#request(node, lanes);
      if (this.#stopping.signal.aborted) return;
      this.#recovered();
      const fetched = new Map<string, FetchedPartition>();
      for (const { topicName: topic, partitions } of responses)
        for (const one of partitions) fetched.set(nameOf({ topic, partition: one.partition }), one);
      for (const { lane, position, moves } of asked) {
        const one = fetched.get(nameOf(lane));
        if (one !== undefined && lane.moves === moves) this.#take(lane, position, one);
      }
      this.#busy.delete(nodeId);
      this.wake();
    } catch (error) {
      this.#busy.delete(nodeId);
      if (this.#stopping.signal.aborted) return;
      const lost = typeOf(error) === 'OFFSET_OUT_OF_RANGE' ? asked : [];
      if (lost.length > 0) this.#outOfRange(error as Partial<TopicPartition>, asked);
      else await this.#recover(error);
    }
  }

  #request(node: Node, lanes: readonly FetchLane[]): ReturnType<Node['fetch']> {
    const { waitMsMax, bytesMax, bytesPerPartitionMax } = this.#options;
    const topics = [...Map.groupBy(lanes, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, position }) => ({
        partition,
        fetchOffset: String(position),
        maxBytes: bytesPerPartitionMax,
      })),
    }));
    const isolationLevel = READ_COMMITTED;
    return node.fetch({ maxWaitTime: waitMsMax, minBytes: 1, maxBytes: bytesMax, isolationLevel, topics });
  }

  #take(lane: FetchLane, position: number, fetched: FetchedPartition): void {
    const run = fetchedRun(lane.topic, position, fetched, lane.until);
    const { moves } = lane;
    if (run.nextOffset > position) {
      lane.position = run.nextOffset;
      this.#options.fetched(lane, run);
    }
    // The one who took the run may have moved the lane.
    if (lane.moves === moves && lane.position >= run.highWatermark) this.#options.caughtUp(lane);
  }

  #outOfRange(
    at: Partial<TopicPartition>,
    asked: readonly { lane: FetchLane; position: number; moves: number }[],
  ): void {
    const found = asked.find(({ lane }) => lane.topic === at.topic && lane.partition === at.partition);
    if (found !== undefined && found.lane.moves !== found.moves) return this.wake();
    const where = found === undefined ? 'a partition' : nameOf(found.lane);
    const text = `${where}: position ${found?.position} is out of range: records are lost, or the topic was made anew`;
    this.#ended.reject(new BrokerError(text, { retriable: false, cause: at }));
    this.#stopping.abort(at);
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#waiting || this.#stopping.signal.aborted) return;
    if (!isPassing(error)) {
      this.#ended.reject(portError('fetch', error));
      this.#stopping.abort(error);
      return;
    }
    this.#waiting = true;
    const { clock, logger } = this.#options;
    if (this.#failures++ === 0)
      logger.warn({ error: portError('fetch', error).message }, 'fetching waits for Kafka');
    try {
      const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures - 1, 10));
      await clock.sleep(waitMs, this.#stopping.signal);
      await this.#cluster.refreshMetadata();
    } catch (again) {
      if (!this.#stopping.signal.aborted)
        logger.debug({ error: portError('metadata', again).message }, 'Kafka is still away');
    }
    this.#waiting = false;
    this.wake();
  }

  #recovered(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#options.logger.info({}, 'fetching goes on');
  }
}
