/**
 * Whether the feature service has taken what was sent: a night that begins before it has made a vector of each event scores
 * what is there, and leaves the rest; an event that comes before a table's row finds the row before it.
 */
import { consumerGroup } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';

export const POLL_MS = 500;
/** Longest wait without any progress, milliseconds. */
export const STILL_MS_MAX = 60_000;

/** - `there`: all of them · `behind`: no progress for `STILL_MS_MAX` · `nobody`: no feature service is running */
export interface VectorsState {
  readonly state: 'there' | 'behind' | 'nobody';
  /** Records that are not taken. */
  readonly left: number;
}

/** Records of a topic that the feature service has not committed. */
const leftOf = async ({ broker: { admin } }: World, pipeline: Pipeline, topic: string): Promise<number> => {
  const [begins, ends, committed] = await Promise.all([
    admin.beginningOffsets(topic),
    admin.endOffsets(topic),
    admin.committed(consumerGroup('feature', pipeline), [topic]),
  ]);
  const at = (offsets: readonly { partition: number; offset: number }[], partition: number): number =>
    offsets.find(one => one.partition === partition)?.offset ?? 0;
  return ends.reduce(
    (sum, { partition, offset }) =>
      sum + Math.max(0, offset - Math.max(at(committed, partition), at(begins, partition))),
    0,
  );
};

/** Waits for as long as it goes on. @param topic of a stream of the pipeline. @param progressed is told how many are left */
export const waitForVectors = async (
  world: World,
  pipeline: Pipeline,
  topic: string,
  signal: AbortSignal,
  progressed: (left: number) => void,
): Promise<VectorsState> => {
  const { broker, clock } = world;
  let left = await leftOf(world, pipeline, topic);
  let progressMs = clock.now();
  while (left > 0) {
    if ((await broker.admin.groupMembers(consumerGroup('feature', pipeline))) === 0)
      return { state: 'nobody', left };
    if (clock.now() - progressMs > STILL_MS_MAX) return { state: 'behind', left };
    progressed(left);
    await clock.sleep(POLL_MS, signal);
    const now = await leftOf(world, pipeline, topic);
    if (now < left) progressMs = clock.now();
    left = now;
  }
  return { state: 'there', left };
};
