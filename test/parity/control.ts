import { Bad, openCodec } from '@millrace/avro';
import { decoded, wholeTopic, type World } from '@millrace/cli';
import {
  catalogue,
  controlKey,
  controlRecord,
  type ControlRecord,
  MILLRACE_TOPICS,
} from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';

/** Makes a model the champion of the pipeline, as anybody would: with the next revision on the control topic. */
export const setChampion = async (
  world: World,
  pipeline: Pipeline,
  model: { readonly name: string; readonly version: string },
): Promise<number> => {
  const topic = MILLRACE_TOPICS.control;
  const codec = await openCodec<ControlRecord>(
    world.registry,
    catalogue([]).find(t => t.name === topic)!.value!,
  );
  let revision = 0;
  for await (const { value } of decoded(await wholeTopic(world.broker, topic), codec))
    if (value !== null && !(value instanceof Bad)) revision = Math.max(revision, value.revision);
  const entry = {
    pipeline: pipeline.name,
    kind: 'model-alias',
    name: 'champion',
    revision: revision + 1,
    value: { model: model.name, version: model.version },
    at: world.clock.now(),
    by: 'parity',
    why: 'scores are compared with the model run offline',
  } as const;
  const producer = await world.broker.producer();
  try {
    await producer.send([
      {
        topic,
        partition: 0,
        key: Buffer.from(controlKey(entry)),
        value: codec.encode(controlRecord(entry)),
      },
    ]);
  } finally {
    await producer.close();
  }
  return entry.revision;
};
