import { Bad, type Codec } from '@millrace/avro';
import type { Cuts as CutsValue, VersionCut } from '@millrace/contracts';
import type { Broker } from '@millrace/stream';

/**
 * The cuts that a task has fixed; none where it never has. To be asked once the task's offsets are known: no earlier owner
 * commits any more then. What it has committed may still wait for its marker, so all that is written is read.
 */
export const readCuts = async (
  broker: Broker,
  topic: string,
  codec: Codec<CutsValue>,
  task: number,
  signal: AbortSignal,
): Promise<readonly VersionCut[]> => {
  const own = ({ partition }: { readonly partition: number }): boolean => partition === task;
  const from = (await broker.admin.beginningOffsets(topic)).filter(own);
  const until = (await broker.admin.endOffsets(topic, 'written')).filter(own);
  let cuts: readonly VersionCut[] = [];
  for await (const run of broker.read({ from, until, signal })) {
    const values = Array.from({ length: run.length }, (_, i) => run.value(i));
    await codec.prepare(values);
    for (const bytes of values) {
      if (bytes === null) continue;
      const value = codec.decode(bytes);
      // Going on without it could answer an event by two versions.
      if (value instanceof Bad)
        throw new Error(`a record of ${topic}-${task} cannot be read: ${value.message}`);
      cuts = value.cuts;
    }
  }
  signal.throwIfAborted();
  return cuts;
};
