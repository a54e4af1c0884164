/** The inference service as it is, in this process, on the broker in memory: what it costs without Kafka and its protocol. */
import { join } from 'node:path';
import { openCodec } from '@millrace/avro';
import {
  catalogue,
  consumerGroup,
  type FeaturesValue,
  type PredictionValue,
  topicsOf,
} from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { inferenceService } from '@millrace/inference';
import { MODELS_FOLDER } from '@millrace/pipelines';
import { createTelemetry, systemClock as clock, systemRandom as random } from '@millrace/telemetry';
import { account, isRight, offlineScores } from '../check.ts';
import { fill, type Load } from '../load/publish.ts';
import { distinctVectors } from '../load/vectors.ts';
import { controlsOf, MODEL_VERSION, writeControls } from '../world/open.ts';
import type { Meter, Piece } from './piece.ts';
import { openTown, type Town, untilCommitted } from './service.ts';

const STOP_MS_MAX = 1_000;

/** Starts the service and has it score all that is there. */
const score = async (town: Town, pipeline: Pipeline, records: number, meter: Meter): Promise<void> => {
  const telemetry = createTelemetry({ service: 'bench', version: '0', instance: 'micro', logLevel: 'error' });
  const { broker, registry, signal } = town;
  const { metrics, logger } = telemetry;
  const service = inferenceService({
    pipelines: [pipeline], broker, registry, models: MODELS_FOLDER, instance: 'micro', clock, random, metrics, logger,
  }); // prettier-ignore
  try {
    await meter.run(async () => {
      await service.start(signal);
      const done = untilCommitted(town, consumerGroup('inference', pipeline), topicsOf(pipeline).features, records);
      await Promise.race([service.failed!, done]);
    });
  } finally {
    await service.stop(STOP_MS_MAX);
    await telemetry.stop();
  }
}; // prettier-ignore

/** Vectors come, are scored in a thread of the model's own, and predictions and offsets go, at least once. */
export const scoringPiece = (name: string, of: Pipeline, records: number, signal: AbortSignal): Piece => {
  const pipeline: Pipeline = { ...of, delivery: { ...of.delivery, inference: 'at_least_once' } };
  const { features, predictions } = topicsOf(pipeline);
  const topics = catalogue([pipeline]);
  const valueOf = (topic: string) => topics.find(one => one.name === topic)!.value!;
  return {
    name,
    round: async meter => {
      const town = await openTown(pipeline, signal);
      const { broker, registry } = town;
      try {
        const { model } = pipeline;
        await writeControls(broker, registry, topics, controlsOf(pipeline, model.name));
        const codec = await openCodec<FeaturesValue>(registry, valueOf(features));
        const load: Load = { topic: features, partitions: pipeline.partitions, codec, vectors: distinctVectors() };
        await fill(broker, load, 0, records);
        const outFrom = await broker.admin.endOffsets(predictions);
        await score(town, pipeline, records, meter);
        const read = { broker, predictions: await openCodec<PredictionValue>(registry, valueOf(predictions)) };
        const scores = await offlineScores(join(MODELS_FOLDER, model.name, MODEL_VERSION), load.vectors);
        const found = await account(read, { from: 0, to: records, outTopic: predictions, outFrom, scores });
        return isRight(found) ? undefined : JSON.stringify(found);
      } finally {
        await broker.close();
      }
    },
  };
}; // prettier-ignore
