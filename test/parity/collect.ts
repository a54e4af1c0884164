/** Reads what a service writes until every event is answered, or nothing more comes. */
import { Bad, openCodec } from '@millrace/avro';
import { decoded, type World } from '@millrace/cli';
import { catalogue } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { PartitionOffset } from '@millrace/stream';

const POLL_MS = 300;
const QUIET_MS_MAX = 300_000;

export type Ends = ReadonlyMap<string, readonly PartitionOffset[]>;

export const endsOf = async ({ broker }: World, topics: readonly string[]): Promise<Ends> =>
  new Map(await Promise.all(topics.map(async t => [t, await broker.admin.endOffsets(t)] as const)));

/** One committed record with its value. */
export type Take<T> = (value: T, appendTimeMs: number) => void;

/**
 * Hands every record after `from` to `take`, in rounds up to the ends of the topics, until `enough()` and a round more
 * that finds nothing: whoever is answered twice is seen. @throws Error where a record cannot be decoded
 */
export const collect = async <T>(
  world: World,
  pipeline: Pipeline,
  from: Ends,
  take: Take<T>,
  enough: () => boolean,
  signal: AbortSignal,
): Promise<void> => {
  const topics = catalogue([pipeline]);
  const positions = new Map(from);
  const codecs = new Map(
    await Promise.all(
      [...from.keys()].map(
        async name =>
          [name, await openCodec<T>(world.registry, topics.find(t => t.name === name)!.value!)] as const,
      ),
    ),
  );
  let quietSince = world.clock.now();
  for (;;) {
    let seen = 0;
    for (const [topic, codec] of codecs) {
      const until = await world.broker.admin.endOffsets(topic);
      const read = world.broker.read({ from: positions.get(topic)!, until, signal });
      for await (const { value, appendTimeMs, offset } of decoded(read, codec)) {
        if (value instanceof Bad) throw new Error(`${topic}, offset ${offset}: ${value.message}`);
        seen++;
        if (value !== null) take(value, appendTimeMs);
      }
      positions.set(topic, until);
    }
    signal.throwIfAborted();
    if (seen > 0) quietSince = world.clock.now();
    else if (enough() || world.clock.now() - quietSince > QUIET_MS_MAX) return;
    await world.clock.sleep(POLL_MS, signal);
  }
};
