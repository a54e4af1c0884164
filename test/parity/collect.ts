/** Reads what a service writes until every event is answered, or nothing more comes. */
import { Bad, openCodec } from '@millrace/avro';
import { decoded, type World } from '@millrace/cli';
import { catalogue } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { BrokerError, type PartitionOffset } from '@millrace/stream';

const POLL_MS = 300;
const QUIET_MS_MAX = 300_000;

/** How long Kafka may be away before the run is given up: a machine under load answers late. */
const OUTAGE_MS_MAX = 300_000;

export type Ends = ReadonlyMap<string, readonly PartitionOffset[]>;

export const endsOf = async ({ broker }: World, topics: readonly string[]): Promise<Ends> =>
  new Map(await Promise.all(topics.map(async t => [t, await broker.admin.endOffsets(t)] as const)));

/** One committed record with its value. */
export type Take<T> = (value: T, appendTimeMs: number, at: PartitionOffset) => void;

/** Reads up to the ends of now, from where the last call came to. @returns how many records it saw */
type Reader = () => Promise<number>;

const openReader = async <T>(
  { broker, registry }: World,
  pipeline: Pipeline,
  from: Ends,
  take: Take<T>,
  signal: AbortSignal,
): Promise<Reader> => {
  const topics = catalogue([pipeline]);
  const inputs = await Promise.all(
    [...from].map(async ([topic, starts]) => {
      const codec = await openCodec<T>(registry, topics.find(({ name }) => name === topic)!.value!);
      return { topic, codec, next: new Map(starts.map(at => [at.partition, at.offset])) };
    }),
  );
  return async () => {
    let seen = 0;
    for (const { topic, codec, next } of inputs) {
      const until = await broker.admin.endOffsets(topic);
      const at = [...next].map(([partition, offset]) => ({ topic, partition, offset }));
      for await (const record of decoded(broker.read({ from: at, until, signal }), codec)) {
        const { value, appendTimeMs, partition, offset } = record;
        if (value instanceof Bad) throw new Error(`${topic}, offset ${offset}: ${value.message}`);
        // After a failure in the midst the next round goes on behind this one.
        next.set(partition, offset + 1);
        seen++;
        if (value !== null) take(value, appendTimeMs, { topic, partition, offset });
      }
      for (const { partition, offset } of until) next.set(partition, offset);
    }
    return seen;
  };
};

/** Reads on behind what it has read. */
export interface Collector {
  /**
   * Reads in rounds up to the ends of the topics, until `enough()` and a round more that finds nothing: whoever is answered
   * twice is seen. Rides out a broker that does not answer.
   * @throws Error where a record cannot be decoded, or Kafka stays away
   */
  until(enough: () => boolean): Promise<void>;
}

/** Hands every record after `from` to `take`. */
export const openCollector = async <T>(
  world: World,
  pipeline: Pipeline,
  from: Ends,
  take: Take<T>,
  signal: AbortSignal,
): Promise<Collector> => {
  const { clock } = world;
  const read = await openReader(world, pipeline, from, take, signal);
  const until = async (enough: () => boolean): Promise<void> => {
    let quietSince = clock.now();
    let answeredAt = clock.now();
    for (;;) {
      try {
        const seen = await read();
        signal.throwIfAborted();
        answeredAt = clock.now();
        if (seen > 0) quietSince = answeredAt;
        else if (enough() || answeredAt - quietSince > QUIET_MS_MAX) return;
      } catch (error) {
        const isPassing = error instanceof BrokerError && error.retriable;
        if (!isPassing || clock.now() - answeredAt > OUTAGE_MS_MAX) throw error;
      }
      await clock.sleep(POLL_MS, signal);
    }
  };
  return { until };
};

/** Everything after `from`, once it is enough. */
export const collect = async <T>(
  world: World,
  pipeline: Pipeline,
  from: Ends,
  take: Take<T>,
  enough: () => boolean,
  signal: AbortSignal,
): Promise<void> => (await openCollector(world, pipeline, from, take, signal)).until(enough);
