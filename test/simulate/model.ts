import type { ModelSource } from '@millrace/inference';
import { featureNames, hashFeatureSet, type Pipeline } from '@millrace/define';
import { type Manifest, type Model, ScorerLost, ScoringError, sharingScorer } from '@millrace/model';
import { REFUSED_AMOUNT } from './traffic.ts';

/** What the model answers to a vector, in single precision: every value of it shows. */
export function scoreOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (Number.isNaN(values[i]!) ? -1 : values[i]!) * (i + 1);
  return Math.fround(1 / (1 + Math.abs(sum)));
}

export interface Engine {
  /** Engines that end at their next call. */
  failures: number;
  calls: number;
}

/** A model without a file: a pure function behind the scorer's port, and an engine that may be lost. */
export function modelSource(pipeline: Pipeline, engine: Engine): ModelSource {
  const features = featureNames(pipeline.features);
  const manifest: Manifest = {
    name: pipeline.model.name,
    version: '1',
    file: 'none.onnx',
    sha256: '0'.repeat(64),
    inputs: [{ name: 'features', type: 'float32', shape: ['N', features.length] }],
    features,
    outputs: [{ name: 'score', tensor: 'score', column: 0, batchAxis: 0 }],
    featureSet: {
      pipeline: pipeline.name,
      version: pipeline.features.version,
      hash: hashFeatureSet(pipeline),
    },
    providers: ['cpu'],
    golden: { rows: [], outputs: [], tolerance: 0 },
    training: { data: 'none', seed: 0, commit: 'none' },
    license: 'Apache-2.0',
    createdAt: '2026-01-01T00:00:00Z',
  };
  const width = features.length;
  const load = (): Model => {
    let isLost = false;
    return {
      manifest,
      widths: { input: width, output: 1 },
      close: () => Promise.resolve(),
      beside: undefined,
      scorer: sharingScorer({
        provider: 'cpu',
        close: () => Promise.resolve(),
        score: ({ rows, data }) => {
          engine.calls++;
          if (engine.failures > 0 && !isLost) {
            engine.failures--;
            isLost = true;
          }
          if (isLost) return Promise.reject(new ScorerLost('the engine is gone'));
          const row = (i: number): Float32Array => data.subarray(i * width, (i + 1) * width);
          const scores = new Float32Array(rows);
          for (let i = 0; i < rows; i++) {
            if (row(i)[0] === REFUSED_AMOUNT)
              return Promise.reject(new ScoringError('the engine refuses this amount'));
            scores[i] = scoreOf(row(i));
          }
          return Promise.resolve({ data: scores, computeMs: 0.1 });
        },
      }),
    };
  };
  return { load: name => Promise.resolve(name === manifest.name ? load() : undefined) };
}
