/** The features with which events of sampled entities were answered: predictions carry them. */
import { Bad, openCodec } from '@millrace/avro';
import {
  catalogue,
  LIVE,
  type PredictionValue,
  scoredValues,
  type Stretch,
  topicsOf,
} from '@millrace/contracts';
import { featureNames, hashFeatureSet, ofSet, type Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';
import { isSampled } from './sample.ts';

/** What is verified, and how much of it. */
export interface Asked {
  readonly pipeline: Pipeline;
  /** Version of the feature set. */
  readonly set: number;
  /** Event times, milliseconds since the epoch: first included, last excluded. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Part of all entities. */
  readonly sample: number;
}

/** Vectors of a sample that are held in memory at once, on each side; some 1,000 bytes each. */
export const VECTORS_MAX = 500_000;

/** It cannot be done as asked: less has to be asked for. */
export class SampleTooLarge extends Error {}

export interface Served {
  readonly entity: string;
  readonly eventId: string;
  readonly revision: number;
  readonly eventTime: number;
  readonly predictionId: string;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
  readonly late: boolean;
  readonly stale: boolean;
  /** In the set's order; missing is NaN. */
  readonly features: Float32Array;
}

export interface ServedVectors {
  /** By `vectorKey`. */
  readonly vectors: ReadonlyMap<string, Served>;
  /** Predictions that cannot be decoded, and those of the set's version with other content. */
  readonly unusable: number;
}

/** What is compared: one event in one revision. */
export const vectorKey = ({
  eventId,
  revision,
}: {
  readonly eventId: string;
  readonly revision: number;
}): string => `${revision} ${eventId}`;

const NO_KEY = new Uint8Array();

/** @throws SampleTooLarge */
export const readServed = async (
  { broker, registry }: World,
  { pipeline, set, fromMs, untilMs, sample }: Asked,
  stretches: readonly Stretch[],
): Promise<ServedVectors> => {
  const { predictions: topic } = topicsOf(pipeline);
  const codec = await openCodec<PredictionValue>(registry, catalogue([pipeline]).find(({ name }) => name === topic)!.value!);
  const own = ofSet(pipeline, set);
  const [names, hash] = [featureNames(own.features), hashFeatureSet(own)];
  const valuesOf = scoredValues(pipeline);
  const vectors = new Map<string, Served>();
  let unusable = 0;
  const ours = stretches.filter(at => at.topic === topic);
  const from = ours.map(at => ({ topic, partition: at.partition, offset: at.from }));
  const until = ours.map(at => ({ topic, partition: at.partition, offset: at.until }));
  for await (const run of broker.read({ from, until })) {
    // Keys are enough to pass over the others: nothing of them is decoded.
    const at = Array.from({ length: run.length }, (_, i) => i).filter(i => isSampled(run.key(i) ?? NO_KEY, sample));
    await codec.prepare(at.map(i => run.value(i)));
    for (const i of at) {
      const bytes = run.value(i);
      const value = bytes === null ? null : codec.decode(bytes);
      if (value === null) continue;
      if (value instanceof Bad) {
        unusable++;
        continue;
      }
      const { entity, eventId, revision, eventTime, predictionId, sourceTopic, sourcePartition, sourceOffset, late, stale } = value;
      const isAsked = value.role === 'answer' && value.runId === LIVE && value.featureSet === set;
      if (!isAsked || eventTime < fromMs || eventTime >= untilMs) continue;
      if (value.featureSetHash !== hash) {
        unusable++;
        continue;
      }
      const features = valuesOf(value);
      vectors.set(vectorKey(value), {
        entity, eventId, revision, eventTime, predictionId, sourceTopic, sourcePartition, sourceOffset, late, stale,
        features: Float32Array.from(names, name => features[name] ?? Number.NaN),
      });
      if (vectors.size > VECTORS_MAX) throw new SampleTooLarge(`the sample has more than ${VECTORS_MAX} predictions`);
    }
  }
  return { vectors, unusable };
}; // prettier-ignore
