import { featureNames, hashFeatureSet, type Pipeline } from '@millrace/define';
import {
  type BatchBounds, batchBounds, type Beside, type BatchLimits, type Held, loadModel, type MakeScorer, type Manifest, type Model,
  modelFolders, ModelRefused, readManifest,
} from '@millrace/model'; // prettier-ignore

/** Where models come from. */
export interface ModelSource {
  /**
   * Loads a model; without a version, the one created last of those made for the feature set of `pipeline`. Undefined
   * where there is none of the name. @throws ModelRefused
   */
  load(name: string, version?: string, pipeline?: Pipeline): Promise<Model | undefined>;
}

/**
 * Models of a folder, looked through at each call, so that a model may be added while everything runs. A folder with a
 * broken manifest hides none of the others; it is told to `onBroken`. Each is opened on the engine `beside` too, if given.
 */
export const folderModels = (
  root: string,
  make: MakeScorer,
  onBroken: (refusal: ModelRefused) => void,
  beside?: Beside,
): ModelSource => {
  const manifestOf = async (folder: string): Promise<Manifest | undefined> => {
    try {
      return await readManifest(folder);
    } catch (cause) {
      if (!(cause instanceof ModelRefused)) throw cause;
      onBroken(cause);
      return undefined;
    }
  };
  return {
    async load(name, version, pipeline) {
      let best: { readonly folder: string; readonly createdMs: number } | undefined;
      for (const folder of await modelFolders(root)) {
        const manifest = await manifestOf(folder);
        if (manifest?.name !== name || (version !== undefined && manifest.version !== version)) continue;
        if (pipeline !== undefined && manifest.featureSet.version !== pipeline.features.version) continue;
        const createdMs = Date.parse(manifest.createdAt);
        if (best === undefined || createdMs > best.createdMs) best = { folder, createdMs };
      }
      return best === undefined ? undefined : loadModel(best.folder, make, beside);
    },
  };
};

/** A model that serves a pipeline, with what was worked out once when it was loaded. */
export interface Serving extends Held {
  readonly model: Model;
  readonly bounds: BatchBounds;
  /** For each of the pipeline's outputs, its place in a row of answers. */
  readonly columns: readonly number[];
}

const WARM_UP_CALLS = 3;

/** Why a model cannot answer by the pipeline's feature set; empty where it can. */
export const misfits = (pipeline: Pipeline, manifest: Manifest): readonly string[] => {
  const { featureSet } = manifest;
  const hash = hashFeatureSet(pipeline);
  const features = new Set(featureNames(pipeline.features));
  const outputs = new Set(manifest.outputs.map(output => output.name));
  const problems: string[] = [];
  if (featureSet.pipeline !== pipeline.name || featureSet.version !== pipeline.features.version)
    problems.push(
      `it needs feature set ${featureSet.pipeline} v${featureSet.version}, here is ${pipeline.name} v${pipeline.features.version}`,
    );
  else if (featureSet.hash !== hash)
    problems.push(`it needs the feature set of hash ${featureSet.hash}, here it is ${hash}`);
  for (const name of manifest.features)
    if (!features.has(name)) problems.push(`feature ${name} is not in the feature set`);
  for (const name of pipeline.model.outputs)
    if (!outputs.has(name)) problems.push(`it does not answer ${name}`);
  return problems;
};

/** @throws ModelRefused when the model does not fit the pipeline; it is freed then */
export const servingOf = async (pipeline: Pipeline, model: Model, limits: BatchLimits): Promise<Serving> => {
  const { manifest } = model;
  const problems = misfits(pipeline, manifest);
  if (problems.length > 0) {
    await model.close();
    throw new ModelRefused(`${manifest.name} ${manifest.version}`, problems);
  }
  return {
    model,
    bounds: batchBounds(limits, { warmUpCalls: WARM_UP_CALLS }),
    columns: pipeline.model.outputs.map(name => manifest.outputs.findIndex(output => output.name === name)),
    close: () => model.close(),
  };
};
