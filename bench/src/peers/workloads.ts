/** What is scored: a pipeline, a model of it, and vectors. */
import type { FeaturesValue } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { distinctVectors } from '../load/vectors.ts';
import { ffnnPipeline, ffnnVectors } from './ffnn.ts';
import { writeFfnnModel } from './ffnnModel.ts';

export const WORKLOAD_NAMES = ['fraud-xgb', 'fraud-lr', 'ffnn'] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export interface Workload {
  readonly pipeline: Pipeline;
  readonly model: string;
  /** Folder of model folders. */
  readonly models: string;
  vectors(): readonly FeaturesValue[];
}

/** @param folder for a model that does not ship */
export const workloadNamed = (name: WorkloadName, folder: string): Workload => {
  if (name === 'ffnn') {
    const pipeline = ffnnPipeline();
    return { pipeline, model: pipeline.model.name, models: writeFfnnModel(folder), vectors: ffnnVectors };
  }
  const model = name === 'fraud-xgb' ? 'fraud' : 'fraud-small';
  return { pipeline: fraud, model, models: MODELS_FOLDER, vectors: distinctVectors };
};
