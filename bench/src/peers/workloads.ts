/** What is scored: a pipeline, a model of it, and vectors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeaturesValue } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { distinctVectors } from '../load/vectors.ts';
import { type BenchWorld, type OpenOptions, withWorld } from '../world/open.ts';
import { ffnnPipeline, ffnnVectors } from './ffnn.ts';
import { writeFfnnModel } from './ffnnModel.ts';

/** Those whose pipeline and model ship. */
export const SHIPPED_WORKLOADS = ['fraud-xgb', 'fraud-lr'] as const;
export const WORKLOAD_NAMES = [...SHIPPED_WORKLOADS, 'ffnn'] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export interface Workload {
  readonly pipeline: Pipeline;
  readonly model: string;
  /** Folder of model folders. */
  readonly models: string;
  vectors(): readonly FeaturesValue[];
}

/** @param folder for a model that does not ship */
const workloadNamed = (name: WorkloadName, folder: string): Workload => {
  if (name === 'ffnn') {
    const pipeline = ffnnPipeline();
    return { pipeline, model: pipeline.model.name, models: writeFfnnModel(folder), vectors: ffnnVectors };
  }
  const model = name === 'fraud-xgb' ? 'fraud' : 'fraud-small';
  return { pipeline: fraud, model, models: MODELS_FOLDER, vectors: distinctVectors };
};

/** Those of a bench that scores a workload. */
export interface WorkloadOptions extends Omit<OpenOptions, 'pipeline' | 'model' | 'models' | 'outTopics'> {
  readonly workload: WorkloadName;
}

/** Runs with a world that scores the workload, which is closed afterwards. */
export const withWorkload = async <T>(
  options: WorkloadOptions & Pick<OpenOptions, 'outTopics'>,
  use: (world: BenchWorld, workload: Workload) => Promise<T>,
): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  try {
    const workload = workloadNamed(options.workload, folder);
    const { pipeline, model, models } = workload;
    return await withWorld({ ...options, pipeline, model, models }, world => use(world, workload));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
