import { DEFAULT_BATCH_LIMITS, workerScorer } from '@millrace/model';
import { folderModels, type Serving, servingOf } from '../models.ts';
import type { NightOptions } from './options.ts';
import type { NightTerms } from './record.ts';
import { NightRefused } from './slice.ts';

type Wanted = Omit<NightTerms['model'], 'digest'> & Partial<NightTerms['model']>;

/**
 * @param digest of the model that the run began with; without it: whatever stands under the version
 * @throws NightRefused where there is no such model, or another one under its name
 */
export const openNightModel = async (
  options: NightOptions,
  { name, version, digest }: Wanted,
): Promise<Serving> => {
  const { pipeline, models, run, makeScorer = workerScorer, gpu, tell } = options;
  const beside = gpu === undefined ? undefined : { gpu, refused: (err: Error) => tell(err.message) };
  const source =
    typeof models === 'string'
      ? folderModels(models, makeScorer, err => tell(`a model folder is passed over: ${err.message}`), beside)
      : models;
  const model = await source.load(name, version);
  if (model === undefined) throw new NightRefused(`there is no model ${name} ${version} in the model folder`);
  if (digest !== undefined && model.manifest.sha256 !== digest) {
    await model.close();
    throw new NightRefused(
      `model ${name} ${version} is not the one that run ${run} began with: give the run that one, or choose another --run`,
    );
  }
  return servingOf(pipeline, model, DEFAULT_BATCH_LIMITS);
};
