import type { Pipeline } from './pipeline.ts';

/** The pipeline once for each version of its feature set, its own first: each as if that version were the only one. */
export const everySet = (pipeline: Pipeline): readonly Pipeline[] =>
  [pipeline.features, ...pipeline.beside].map(features => ({ ...pipeline, features, beside: [] }));

/** The pipeline as one version of its feature set has it. @throws RangeError naming the versions that there are */
export const ofSet = (pipeline: Pipeline, version: number): Pipeline => {
  const every = everySet(pipeline);
  const found = every.find(({ features }) => features.version === version);
  if (found === undefined)
    throw new RangeError(
      `pipeline ${pipeline.name} has no version ${version} of its feature set; there are: ` +
        `${every.map(({ features }) => features.version).join(', ')}. A further one is defined under 'beside'`,
    );
  return found;
};
