/**
 * What rules put off until the night: every such vector is answered, each once, under the id that the stream would have
 * given it. One group reads them for all nights of a pipeline, and its offsets move with the predictions, so what one
 * night has answered no other does.
 */
import { Bad } from '@millrace/avro';
import {
  asideTopic,
  deadLetterTopic,
  DEFERRED,
  type Deferred,
  deferredGroup,
  type Stretch,
  topicsOf,
} from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { processor } from '@millrace/stream';
import { noLogger, noMetrics, noTracing } from '@millrace/telemetry';
import { PredictionWriter } from '../answer.ts';
import { Lane } from '../lane.ts';
import type { PredictionOutputs } from '../laneOptions.ts';
import { VectorReader } from '../vectors.ts';
import { DeferredTask } from './deferredTask.ts';
import { countOf, everyOf, placeOf } from './newest.ts';
import type { NightOptions } from './options.ts';
import {
  type Codecs,
  displacedAtNight,
  fixedBoard,
  type Part,
  partOptions,
  withoutFallback,
} from './part.ts';
import type { CapturedNight, NightTerms } from './record.ts';
import { endsOf } from './slice.ts';

/** How the ids of the batches begin in which a run answers what was put off. */
export const deferredBatches = (run: string): string => `${run}-${DEFERRED}-`;

const topicsOfDeferred = (pipeline: Pipeline): readonly string[] => {
  const { deferred } = topicsOf(pipeline);
  return [deferred, asideTopic(deferred)];
};

/** What nobody has answered yet. A run as of an earlier time looks back, and leaves it to the others. */
export const captureDeferred = async ({ pipeline, broker, asOfMs, signal }: NightOptions): Promise<NightTerms['deferred']> => {
  const { admin } = broker;
  const lettersFrom = await endsOf(admin, deadLetterTopic(topicsOf(pipeline).deferred));
  if (asOfMs !== undefined) return { slice: [], records: 0, lettersFrom };
  const topics = topicsOfDeferred(pipeline);
  const committed = await admin.committed(deferredGroup(pipeline), topics);
  const slice: Stretch[] = [];
  for (const topic of topics) {
    const [starts, ends] = await Promise.all([admin.beginningOffsets(topic), admin.endOffsets(topic)]);
    for (const { partition, offset: until } of ends) {
      const isHere = (at: { readonly topic: string; readonly partition: number }) => at.topic === topic && at.partition === partition;
      const from = Math.max(starts.find(isHere)?.offset ?? 0, committed.find(isHere)?.offset ?? 0);
      slice.push({ topic, partition, from, until });
    }
  }
  return { slice, records: countOf(await everyOf(broker, slice, signal)), lettersFrom };
}; // prettier-ignore

export const deferredPart = async (options: NightOptions, codecs: Codecs, captured: CapturedNight): Promise<Part> => {
  const { broker, clock, run, signal: asked } = options;
  const pipeline = withoutFallback(options.pipeline);
  const { features, aside } = topicsOf(pipeline);
  const topics = topicsOfDeferred(pipeline);
  const group = deferredGroup(pipeline);
  const offsets = await everyOf(broker, captured.terms.deferred.slice, asked);
  const vectors = new Map([[features, codecs.features], [aside, codecs.aside]]);
  const reader = new VectorReader(options.pipeline, vectors);
  const writer = new PredictionWriter(pipeline, codecs.features, codecs.predictions, codecs.pushes);
  const told = { clock, metrics: noMetrics, tracing: noTracing, logger: noLogger, displaced: displacedAtNight(options) };
  return {
    group,
    topics,
    offsets,
    reading: (serving, way) => {
      const board = fixedBoard(serving, captured);
      return processor<Deferred, PredictionOutputs>({
        ...partOptions(options, codecs, way, () => 'the others of its run'),
        // What is for another night is never closed: nobody waits for it at the end.
        drainMsMax: 0,
        name: `night ${run}, what was put off`,
        group,
        inputs: topics.map(topic => ({ topic, codec: codecs.deferred })),
        createTask: context => {
          const { id, generation, signal } = context;
          const name = `${deferredBatches(run)}${id}-${generation}`;
          return new DeferredTask({
            lane: route => new Lane({ pipeline, board, reader, route, writer, name, ...told }, signal),
            untilOf: topic => (offsets.get(placeOf({ topic, partition: id }))?.at(-1) ?? -1) + 1,
            pause: topic => context.pause({ topic, partition: id }),
            mayGoOn: of => way.mayGoOn(of),
            decode: (topic, bytes) => vectors.get(topic)?.decode(bytes) ?? new Bad('bad-value', 'the vector is of no topic that is known', 'topic'),
          });
        },
      });
    },
  };
}; // prettier-ignore
