/** What a program that is not ours is told: where to read and write, with which schemas, and what to score with. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { topicsOf } from '@millrace/contracts';
import type { Manifest } from '@millrace/model';
import type { BenchWorld } from './world/open.ts';

/** The first decision whose bound the first output reaches; the last one has none. */
export interface JobDecision {
  readonly name: string;
  readonly atLeast: number | null;
}

export interface Job {
  readonly contestant: string;
  readonly bootstrap: string;
  readonly group: string;
  readonly inTopic: string;
  readonly outTopic: string;
  readonly partitions: number;
  readonly exactlyOnce: boolean;
  /** Milliseconds between commits of those who commit by themselves. */
  readonly commitMs: number;
  /** For what is kept on disk. */
  readonly folder: string;
  /** Written, where it is, once the program has joined its group. */
  readonly readyFile: string;
  readonly inSchema: string;
  readonly outSchema: string;
  readonly outSchemaId: number;
  /** What it writes, for the judge: whole predictions, scores alone, or the vectors as they came. */
  readonly answers: 'predictions' | 'scores' | 'copies';
  readonly pipeline: string;
  readonly decisions: readonly JobDecision[];
  readonly model: Pick<Manifest, 'name' | 'version' | 'sha256' | 'features'> & {
    readonly file: string;
    readonly input: string;
    readonly outputs: readonly Pick<Manifest['outputs'][number], 'name' | 'tensor' | 'column'>[];
  };
}

/** Where what is written is no prediction: what it is. */
export type Written = Pick<Job, 'answers' | 'outSchema' | 'outSchemaId'>;

export type Asked = Pick<Job, 'contestant' | 'group' | 'outTopic' | 'exactlyOnce' | 'commitMs'> &
  Partial<Written>;

/** The pipelines of a bench decide by these two thresholds on their first output. */
const decisionsOf = ({ pipeline }: BenchWorld): readonly JobDecision[] => {
  const { block, review } = pipeline.thresholds as { readonly block: number; readonly review: number };
  return [
    { name: 'block', atLeast: block },
    { name: 'review', atLeast: review },
    { name: 'approve', atLeast: null },
  ];
};

export const jobOf = (world: BenchWorld, asked: Asked): Job => {
  const { modelFolder, pipeline } = world;
  const manifest = JSON.parse(readFileSync(join(modelFolder, 'manifest.json'), 'utf8')) as Manifest;
  const { name, version, sha256, features, outputs } = manifest;
  return {
    answers: 'predictions',
    outSchema: world.predictionSchema,
    outSchemaId: world.predictionSchemaId,
    ...asked,
    bootstrap: world.kafka,
    inTopic: topicsOf(pipeline).features,
    partitions: pipeline.partitions,
    folder: world.directory,
    readyFile: join(world.directory, `${asked.contestant}.ready.json`),
    inSchema: world.featuresSchema,
    pipeline: pipeline.name,
    decisions: decisionsOf(world),
    model: {
      name,
      version,
      sha256,
      features,
      file: join(modelFolder, manifest.file),
      input: manifest.inputs[0]!.name,
      outputs: outputs.map(output => ({ name: output.name, tensor: output.tensor, column: output.column })),
    },
  };
};

/** Returns the path of its file. */
export const writeJob = (job: Pick<Job, 'folder' | 'contestant'>): string => {
  const path = join(job.folder, `${job.contestant}.job.json`);
  writeFileSync(path, JSON.stringify(job));
  return path;
};
