/** Whether what was sent has become vectors: a night that begins before scores what is there, and leaves the rest. */
import { consumerGroup, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';

export const POLL_MS = 500;
/** Longest wait without any progress, milliseconds. */
export const STILL_MS_MAX = 60_000;

/** - `there`: all of them · `behind`: no progress for `STILL_MS_MAX` · `nobody`: no feature service is running */
export interface VectorsState {
  readonly state: 'there' | 'behind' | 'nobody';
  /** Records of the scored stream without a vector. */
  readonly left: number;
}

/** Records of the scored stream that the feature service has not committed. */
const leftOf = async ({ broker: { admin } }: World, pipeline: Pipeline): Promise<number> => {
  const topic = topicsOf(pipeline).scored;
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

/** Waits for as long as they come. @param progressed is told how many are left */
export const waitForVectors = async (
  world: World,
  pipeline: Pipeline,
  signal: AbortSignal,
  progressed: (left: number) => void,
): Promise<VectorsState> => {
  const { broker, clock } = world;
  let left = await leftOf(world, pipeline);
  let progressMs = clock.now();
  while (left > 0) {
    if ((await broker.admin.groupMembers(consumerGroup('feature', pipeline))) === 0)
      return { state: 'nobody', left };
    if (clock.now() - progressMs > STILL_MS_MAX) return { state: 'behind', left };
    progressed(left);
    await clock.sleep(POLL_MS, signal);
    const now = await leftOf(world, pipeline);
    if (now < left) progressMs = clock.now();
    left = now;
  }
  return { state: 'there', left };
};
