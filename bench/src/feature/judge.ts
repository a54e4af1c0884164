/** Has vectors judged by a reader that is not ours: against those that were folded here, handed over in a file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, topicsOf } from '@millrace/contracts';
import { hashFeatureSet, type Pipeline } from '@millrace/define';
import { writeJob } from '../job.ts';
import { EVENT_ID_PREFIX } from '../load/payments.ts';
import { askJudge } from '../peers/judge.ts';
import type { BenchWorld } from '../world/open.ts';

/** What the judge counted. Only a payment's first vector is looked at closely. */
export interface VectorsVerdict {
  readonly answers: number;
  readonly missing: number;
  readonly doubled: number;
  /** Of no payment that was sent. */
  readonly foreign: number;
  readonly wrongVectors: number;
  /** Keys, or versions and hashes of the feature set, that are not what they should be. */
  readonly wrongFields: number;
}

export const isVerdictRight = (verdict: VectorsVerdict): boolean => {
  const { missing, doubled, foreign, wrongVectors, wrongFields } = verdict;
  return missing + doubled + foreign + wrongVectors + wrongFields === 0;
};

/** Judges all that stands on a topic with the vectors of the pipeline. */
export type VectorsJudge = (pipeline: Pipeline, outTopic: string) => Promise<VectorsVerdict>;

/** @param expected values by these names, row by row, of the payments from the first on */
export const openVectorsJudge = (
  world: BenchWorld,
  python: string,
  names: readonly string[],
  expected: Float32Array,
): VectorsJudge => {
  const file = join(world.directory, 'expected.f32');
  writeFileSync(file, new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength));
  return async (pipeline, outTopic) => {
    const { features } = topicsOf(pipeline);
    const { partitions, value } = catalogue([pipeline]).find(({ name }) => name === features)!;
    const { subject, schema } = value!;
    const job = {
      contestant: 'judge',
      folder: world.directory,
      bootstrap: world.kafka,
      outTopic,
      outSchema: schema,
      outSchemaId: (await world.registry.idOf(subject, schema))!,
      names,
      records: expected.length / names.length,
      idPrefix: EVENT_ID_PREFIX,
      featureSet: pipeline.features.version,
      featureSetHash: hashFeatureSet(pipeline),
    };
    const offsets = Object.fromEntries(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
    return (await askJudge(
      python,
      'vectors',
      writeJob(job),
      file,
      JSON.stringify(offsets),
    )) as VectorsVerdict;
  };
};
