/** Whether the answers are right: every record of the load once, with the score that the model gives offline. */
import { Bad } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import { loadModel, workerScorer } from '@millrace/model';
import type { PartitionOffset } from '@millrace/stream';
import { indexOf } from './load/vectors.ts';
import type { BenchWorld } from './world/open.ts';

/** Of a score's size, above 1. */
export const SCORE_TOLERANCE = 1e-5;

/** Rows of one call: what all of them take in the engine is bounded. */
const CALL_ROWS = 4_096;

/** The first output for rows of the values with these names, by the model in this process. @throws Error where it wants others */
export const scoresOffline = async (
  modelFolder: string,
  names: readonly string[],
  rows: Float32Array,
): Promise<Float32Array> => {
  const model = await loadModel(modelFolder, workerScorer);
  const { manifest, scorer, widths } = model;
  const places = manifest.features.map(name => names.indexOf(name));
  if (places.includes(-1)) throw new Error(`${manifest.name} wants values that are not in the vectors`);
  const count = rows.length / names.length;
  const scores = new Float32Array(count);
  for (let from = 0; from < count; from += CALL_ROWS) {
    const calls = Math.min(CALL_ROWS, count - from);
    const data = Float32Array.from(
      { length: calls * places.length },
      (_, i) => rows[(from + Math.floor(i / places.length)) * names.length + places[i % places.length]!]!,
    );
    const scored = await scorer.score({ rows: calls, data });
    for (let i = 0; i < calls; i++) scores[from + i] = scored.data[i * widths.output]!;
  }
  await model.close();
  return scores;
};

/** Scores of the distinct vectors. */
export const offlineScores = (
  modelFolder: string,
  vectors: readonly FeaturesValue[],
): Promise<Float32Array> => {
  const names = Object.keys(vectors[0]!.features);
  const rows = Float32Array.from(vectors.flatMap(({ features }) => names.map(name => features[name]!)));
  return scoresOffline(modelFolder, names, rows);
};

/** What was asked: records `from` to `to` (exclusive) of the load, and where the answers began. */
export interface Asked {
  readonly from: number;
  readonly to: number;
  readonly outTopic: string;
  readonly outFrom: readonly PartitionOffset[];
  readonly scores: Float32Array;
}

/** One answer: where its vector was, and where it is. */
export interface Answer {
  readonly index: number;
  readonly partition: number;
  readonly vectorOffset: number;
  /** Where the answer stands in its own topic. */
  readonly offset: number;
}

export interface Account {
  readonly answers: number;
  readonly missing: number;
  readonly doubled: number;
  readonly foreign: number;
  readonly wrongScores: number;
  readonly worstScore: number;
}

export const isRight = ({ missing, doubled, foreign, wrongScores }: Account): boolean =>
  missing + doubled + foreign + wrongScores === 0;

/** The output that the expected scores are of: names are in the order of the schema. */
const firstOf = (outputs: Readonly<Record<string, number>>): number =>
  Object.values(outputs)[0] ?? Number.NaN;

/** Reads all answers and accounts for them; each one that is a record's first is handed to `onAnswer`. */
export const account = async (
  world: Pick<BenchWorld, 'broker' | 'predictions'>,
  { from, to, outTopic, outFrom, scores }: Asked,
  onAnswer: (answer: Answer) => void = () => undefined,
): Promise<Account> => {
  const { broker, predictions } = world;
  const seen = new Uint8Array(to - from);
  const counts = { answers: 0, doubled: 0, foreign: 0, wrongScores: 0, worstScore: 0 };
  const until = await broker.admin.endOffsets(outTopic);
  for await (const run of broker.read({ from: outFrom, until })) {
    await predictions.prepare(Array.from({ length: run.length }, (_, i) => run.value(i)));
    for (let i = 0; i < run.length; i++) {
      counts.answers++;
      const value = predictions.decode(run.value(i)!);
      const index = value instanceof Bad ? -1 : indexOf(value.eventId);
      if (value instanceof Bad || index < from || index >= to) counts.foreign++;
      else if (seen[index - from]! > 0) counts.doubled++;
      else {
        seen[index - from] = 1;
        const wanted = scores[index % scores.length]!;
        const off = Math.abs(firstOf(value.outputs) - wanted) / Math.max(1, Math.abs(wanted));
        // Written so that NaN is wrong.
        if (!(off <= SCORE_TOLERANCE)) counts.wrongScores++;
        counts.worstScore = Math.max(counts.worstScore, off);
        onAnswer({
          index,
          partition: run.partition,
          vectorOffset: value.vectorOffset,
          offset: run.offset(i),
        });
      }
    }
  }
  return { ...counts, missing: seen.reduce((missing, one) => missing + (1 - one), 0) };
};
