import { BrokerError, type PartitionOffset, type ReadOptions, type RecordRun } from '../broker/port.ts';
import type { MemoryClient } from './client.ts';
import { sliceRun } from './run.ts';

/** Partitions without a group: yields runs in turn, and ends at `until` or when the signal is aborted. */
export async function* readPartitions(
  client: MemoryClient,
  { from, until, signal }: ReadOptions,
): AsyncGenerator<RecordRun> {
  const { cluster } = client;
  const starts = await client.request('beginningOffsets', (): readonly PartitionOffset[] =>
    'topic' in from
      ? cluster
          .topic(from.topic)
          .logs.map(({ beginning }, partition) => ({ topic: from.topic, partition, offset: beginning }))
      : from,
  );
  const lanes = starts.map(at => ({
    ...at,
    position: at.offset,
    until:
      until === undefined
        ? Infinity
        : (until.find(end => end.topic === at.topic && end.partition === at.partition)?.offset ?? 0),
  }));

  const fetch = (): readonly RecordRun[] =>
    lanes
      .filter(lane => lane.position < lane.until)
      .flatMap(lane => {
        const log = cluster.log(lane.topic, lane.partition);
        if (lane.position < log.beginning || lane.position > log.end)
          throw new BrokerError(`position ${lane.position} of ${lane.topic} is out of range`, {
            retriable: false,
          });
        const slice = log.readCommitted(lane.position, cluster.runRecordsMax, lane.until);
        if (slice.nextOffset === lane.position) return [];
        lane.position = slice.nextOffset;
        return [sliceRun(lane, slice, log.lastStable)];
      });

  const aborted = (): boolean => signal?.aborted === true;
  while (!aborted() && lanes.some(lane => lane.position < lane.until)) {
    const change = nextChange(client, signal);
    const runs = await client.request('fetch', fetch).catch((error: unknown) => {
      change.stop();
      throw error;
    });
    if (runs.length === 0) await change.happened;
    change.stop();
    for (const run of runs) {
      if (aborted()) return;
      yield run;
    }
  }
}

const nextChange = (
  client: MemoryClient,
  signal?: AbortSignal,
): { happened: Promise<void>; stop: () => void } => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const unwatch = client.cluster.watch(resolve);
  signal?.addEventListener('abort', () => resolve(), { once: true });
  return { happened: promise, stop: unwatch };
};
