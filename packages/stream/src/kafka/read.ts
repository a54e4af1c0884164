import type { PartitionOffset, ReadOptions, RecordRun } from '../broker/port.ts';
import { abandonCluster, clusterOf, type KafkaOptions, learnTopics } from './connect.ts';
import { portError } from './errors.ts';
import { type FetchLane, Fetcher } from './fetcher.ts';
import { BEGINNING, listOffsets } from './offsets.ts';

const WAIT_MS_MAX = 250;
const BYTES_PER_PARTITION_MAX = 2 * 1_048_576;
const BYTES_MAX = 16 * 1_048_576;
/** Runs fetched ahead of the reader, per partition; the partition is paused while there are as many. */
const RUNS_AHEAD_MAX = 2;

/** Partitions without a group, on connections of their own: nothing is joined, and nothing is left behind in Kafka. */
export async function* readPartitions(
  options: KafkaOptions,
  { from, until, fetchLingerMs, signal }: ReadOptions,
): AsyncGenerator<RecordRun> {
  const cluster = clusterOf(options);
  const arrived: { readonly lane: FetchLane; readonly run: RecordRun }[] = [];
  let change = Promise.withResolvers<void>();
  const wakeReader = (): void => change.resolve();
  let fetcher: Fetcher | undefined;
  try {
    const topics = 'topic' in from ? [from.topic] : [...new Set(from.map(({ topic }) => topic))];
    await learnTopics(cluster, topics);
    const starts = 'topic' in from ? await listOffsets(cluster, from.topic, BEGINNING) : from;
    const lanes = starts.map(at => laneOf(at, until));
    const aheadOf = (lane: FetchLane): number => arrived.filter(one => one.lane === lane).length;
    fetcher = new Fetcher(cluster, lanes, {
      bytes: options.bytes,
      clock: options.clock,
      logger: options.logger,
      waitMsMax: WAIT_MS_MAX,
      ...(fetchLingerMs === undefined ? {} : { lingerMs: fetchLingerMs }),
      bytesPerPartitionMax: BYTES_PER_PARTITION_MAX,
      bytesMax: BYTES_MAX,
      fetched: (lane, run) => {
        arrived.push({ lane, run });
        lane.paused = aheadOf(lane) >= RUNS_AHEAD_MAX;
        wakeReader();
      },
      caughtUp: () => undefined,
    });
    let failure: { readonly error: unknown } | undefined;
    fetcher.start().catch((error: unknown) => {
      failure = { error };
      wakeReader();
    });
    signal?.addEventListener('abort', wakeReader, { once: true });
    const stopped = (): boolean => signal?.aborted === true;
    const ended = (): boolean => lanes.every(lane => lane.position >= lane.until);
    while (!stopped()) {
      const next = arrived.shift();
      if (next !== undefined) {
        next.lane.paused = false;
        fetcher.wake();
        yield next.run;
      } else if (failure !== undefined) {
        throw failure.error;
      } else if (ended()) {
        return;
      } else {
        await change.promise;
        change = Promise.withResolvers<void>();
      }
    }
  } catch (error) {
    throw portError('read', error);
  } finally {
    signal?.removeEventListener('abort', wakeReader);
    fetcher?.stop();
    abandonCluster(cluster);
  }
}

const laneOf = (at: PartitionOffset, until: readonly PartitionOffset[] | undefined): FetchLane => ({
  topic: at.topic,
  partition: at.partition,
  position: at.offset,
  paused: false,
  moves: 0,
  until:
    until === undefined
      ? Infinity
      : (until.find(end => end.topic === at.topic && end.partition === at.partition)?.offset ?? 0),
});
