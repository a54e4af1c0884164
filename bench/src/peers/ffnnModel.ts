/** Writes the network of the `ffnn` workload as a model folder. The same seed gives the same bytes. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureNames, hashFeatureSet } from '@millrace/define';
import type { Manifest } from '@millrace/model';
import { seededRandom } from '@millrace/pipelines';
import { MODEL_VERSION } from '../world/open.ts';
import { FFNN_LAYERS, FFNN_OUTPUTS, ffnnPipeline, ffnnVectors } from './ffnn.ts';
import { type Dense, denseAnswer, denseNetwork, ONNX_INPUT, ONNX_OUTPUT } from './onnx.ts';

const SEED = 7;
const GOLDEN_ROWS = 4;
const GOLDEN_TOLERANCE = 1e-4;

/** Uniform, as wide as keeps the size of what flows (He). Biases are zero. */
export const ffnnLayers = (): readonly Dense[] => {
  const random = seededRandom(SEED);
  return FFNN_LAYERS.slice(1).map((outputs, i) => {
    const inputs = FFNN_LAYERS[i]!;
    const width = Math.sqrt(6 / inputs);
    const weights = Float32Array.from({ length: inputs * outputs }, () => (2 * random.next() - 1) * width);
    return { weights, biases: new Float32Array(outputs) };
  });
};

/** Returns the folder of model folders that it lies in. */
export const writeFfnnModel = (models: string): string => {
  const pipeline = ffnnPipeline();
  const { name } = pipeline.model;
  const layers = ffnnLayers();
  const file = denseNetwork(FFNN_LAYERS, layers);
  const rows = ffnnVectors()
    .slice(0, GOLDEN_ROWS)
    .map(({ features }) => Object.values(features));
  const manifest: Manifest = {
    name,
    version: MODEL_VERSION,
    file: 'model.onnx',
    sha256: createHash('sha256').update(file).digest('hex'),
    inputs: [{ name: ONNX_INPUT, type: 'float32', shape: ['N', FFNN_LAYERS[0]] }],
    features: featureNames(pipeline.features),
    outputs: FFNN_OUTPUTS.map((output, column) => ({
      name: output,
      tensor: ONNX_OUTPUT,
      column,
      batchAxis: 0,
    })),
    featureSet: { pipeline: pipeline.name, version: 1, hash: hashFeatureSet(pipeline) },
    providers: ['cpu'],
    golden: { rows, outputs: rows.map(row => denseAnswer(row, layers)), tolerance: GOLDEN_TOLERANCE },
    training: { data: 'none: random weights', seed: SEED, commit: 'none' },
    license: 'Apache-2.0',
    createdAt: '2026-11-29T00:00:00Z',
  };
  const folder = join(models, name, MODEL_VERSION);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, manifest.file), file);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return models;
};
