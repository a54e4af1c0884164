import { setImmediate } from 'node:timers/promises';
import type { Clock, Logger } from '@millrace/telemetry';
import { BrokerError, type RecordRun, type TopicPartition } from '../broker/port.ts';
import { type KafkaBytes, leaderOf, READ_COMMITTED } from './connect.ts';
import { isPassing, portError, typeOf } from './errors.ts';
import { fetch, type FetchRequest } from './fetch.ts';
import type { Cluster, Node } from './internals.ts';
import { fetchedRun } from './run.ts';
import { fetchStock } from './stock.ts';

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

/** What one node answered, partition by partition. A run is made of the bytes once it is known where it begins. */
export type FetchedRuns = readonly (TopicPartition & {
  readonly run: (from: number, until: number) => RecordRun;
})[];

const fetchOwn = async (node: Node, request: FetchRequest): Promise<FetchedRuns> =>
  (await fetch(node, request)).map(raw => ({
    topic: raw.topic,
    partition: raw.partition,
    run: (from, until) => fetchedRun(raw, from, until),
  }));

export interface FetchOptions {
  readonly bytes: KafkaBytes | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly waitMsMax: number;
  /**
   * A node answers once its partitions together have so many bytes, or after `waitMsMax`: what lies there meanwhile waits as
   * long at most, and `lingerMs` before, where the answer before brought little. Default 1: whatever there is, at once.
   */
  readonly bytesMin?: number;
  /** A node whose answer brought little is asked again no sooner than this after it: a trickle would cost a request a record. Default 0. */
  readonly lingerMs?: number;
  readonly bytesPerPartitionMax: number;
  readonly bytesMax: number;
  /** Called after each fetch that moved the position; the run may be empty. */
  readonly fetched: (lane: FetchLane, run: RecordRun) => void;
  /** Called after each fetch that found the end: the position is the last stable offset. */
  readonly caughtUp: (lane: FetchLane) => void;
}

const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 1_000;
/** An answer with more is one of a backlog, which is not lingered over. */
const TRICKLE_BYTES_MAX = 64 * 1_024;
/** Records, or bytes of them, from which on a run may have kept the thread for milliseconds. */
const LONG_RUN = 10_000;
const LONG_RUN_BYTES = 1_048_576;
/** Stands for the leader of partitions that have none just now. */
const NOBODY = -1;

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
  /** Failures in a row by node. */
  readonly #failures = new Map<number, number>();
  #turn = 0;

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
    if (this.#stopping.signal.aborted) return;
    const active = this.#lanes.filter(lane => !lane.paused && lane.position < lane.until);
    for (const [nodeId, lanes] of Map.groupBy(active, lane => this.#leaderOf(lane))) {
      if (this.#busy.has(nodeId)) continue;
      this.#busy.add(nodeId);
      void this.#fetchFrom(nodeId, lanes);
    }
  }

  #leaderOf({ topic, partition }: TopicPartition): number {
    try {
      return leaderOf(this.#cluster, topic, partition);
    } catch {
      return NOBODY; // Said by the fetch, which asks again.
    }
  }

  async #fetchFrom(nodeId: number, lanes: readonly FetchLane[]): Promise<void> {
    const asked = lanes.map(lane => ({ lane, position: lane.position, moves: lane.moves }));
    try {
      if (nodeId === NOBODY) leaderOf(this.#cluster, lanes[0]!.topic, lanes[0]!.partition);
      await this.#cluster.refreshMetadataIfNecessary();
      const node = await this.#cluster.findBroker({ nodeId });
      const answers = await this.#request(node, lanes);
      if (this.#stopping.signal.aborted) return;
      this.#recovered(nodeId);
      const fetched = new Map<string, FetchedRuns[number][]>();
      for (const one of answers) {
        const ofTopic = fetched.get(one.topic) ?? [];
        ofTopic[one.partition] = one;
        fetched.set(one.topic, ofTopic);
      }
      let bytes = 0;
      for (const { lane, position, moves } of asked) {
        const one = fetched.get(lane.topic)?.[lane.partition];
        // Another node may have become the leader, and answered first.
        const isStill = lane.moves === moves && lane.position === position;
        if (one === undefined || !isStill) continue;
        const run = this.#take(lane, position, one);
        bytes += run.bytes;
        // An answer may bring that much of each of many partitions: heartbeats go between them.
        if (run.length >= LONG_RUN || run.bytes >= LONG_RUN_BYTES) await setImmediate();
        if (this.#stopping.signal.aborted) return;
      }
      if (bytes > 0 && bytes <= TRICKLE_BYTES_MAX) await this.#linger();
      this.#busy.delete(nodeId);
      this.wake();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') return this.#recover(nodeId, error);
      this.#busy.delete(nodeId);
      this.#outOfRange(error as Partial<TopicPartition>, asked);
    }
  }

  #request(node: Node, lanes: readonly FetchLane[]): Promise<FetchedRuns> {
    const { bytes, waitMsMax, bytesMax, bytesPerPartitionMax } = this.#options;
    // One partition alone, where the others are paused, brings no more than its limit: more would be waited for in vain.
    const bytesMin = Math.min(this.#options.bytesMin ?? 1, bytesPerPartitionMax);
    // The answer is filled in the order of the request until it is full: who comes first takes turns.
    const turn = this.#turn++ % lanes.length;
    const inTurn = [...lanes.slice(turn), ...lanes.slice(0, turn)];
    const topics = [...Map.groupBy(inTurn, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, position }) => ({
        partition,
        position,
        bytesMax: bytesPerPartitionMax,
      })),
    }));
    const ask = bytes === 'stock' ? fetchStock : fetchOwn;
    return ask(node, { waitMsMax, bytesMin, bytesMax, isolationLevel: READ_COMMITTED, topics });
  }

  async #linger(): Promise<void> {
    const { clock, lingerMs = 0 } = this.#options;
    if (lingerMs > 0) await clock.sleep(lingerMs, this.#stopping.signal);
  }

  #take(lane: FetchLane, position: number, fetched: FetchedRuns[number]): RecordRun {
    const run = fetched.run(position, lane.until);
    const { moves } = lane;
    if (run.nextOffset > position) {
      lane.position = run.nextOffset;
      this.#options.fetched(lane, run);
    }
    // The one who took the run may have moved the lane.
    if (lane.moves === moves && lane.position >= run.highWatermark) this.#options.caughtUp(lane);
    return run;
  }

  #outOfRange(
    at: Partial<TopicPartition>,
    asked: readonly { lane: FetchLane; position: number; moves: number }[],
  ): void {
    const found = asked.find(({ lane }) => lane.topic === at.topic && lane.partition === at.partition);
    if (found !== undefined && (found.lane.moves !== found.moves || found.lane.position !== found.position))
      return this.wake();
    const where = found === undefined ? 'a partition' : nameOf(found.lane);
    const text = `${where}: position ${found?.position} is out of range: records are lost, or the topic was made anew`;
    this.#ended.reject(new BrokerError(text, { retriable: false, cause: at }));
    this.#stopping.abort(at);
  }

  /** The other nodes are fetched from meanwhile. */
  async #recover(nodeId: number, error: unknown): Promise<void> {
    if (!isPassing(error)) {
      this.#ended.reject(portError('fetch', error));
      this.#stopping.abort(error);
      return;
    }
    const { clock, logger } = this.#options;
    const failures = (this.#failures.get(nodeId) ?? 0) + 1;
    if (this.#failures.size === 0)
      logger.warn({ node: nodeId, error: portError('fetch', error).message }, 'fetching waits for Kafka');
    this.#failures.set(nodeId, failures);
    try {
      const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures - 1, 10));
      await clock.sleep(waitMs, this.#stopping.signal);
      await this.#cluster.refreshMetadata();
    } catch (again) {
      if (!this.#stopping.signal.aborted)
        logger.debug({ error: portError('metadata', again).message }, 'Kafka is still away');
    }
    this.#busy.delete(nodeId);
    this.wake();
  }

  #recovered(nodeId: number): void {
    if (this.#failures.size === 0) return;
    const leaders = new Set(this.#lanes.map(lane => this.#leaderOf(lane)));
    for (const failed of this.#failures.keys())
      if (failed === nodeId || !leaders.has(failed)) this.#failures.delete(failed);
    if (this.#failures.size === 0) this.#options.logger.info({}, 'fetching goes on');
  }
}
