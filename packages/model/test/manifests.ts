import { createHash } from 'node:crypto';
import type { Manifest } from '../src/manifest/manifest.ts';
import { linearScore } from './graph.ts';

const ROWS = [
  [0, 0, 0],
  [1, 0.5, 2],
  [-3, 1, 0.25],
] as const;

/** The manifest of `linear()`. */
export const linearManifest = (bytes: Uint8Array, changes: Partial<Manifest> = {}): Manifest => ({
  name: 'linear',
  version: '1',
  file: 'model.onnx',
  sha256: createHash('sha256').update(bytes).digest('hex'),
  inputs: [{ name: 'x', type: 'float32', shape: ['N', 3] }],
  features: ['a', 'b', 'c'],
  outputs: [{ name: 'score', tensor: 'score', column: 0, batchAxis: 0 }],
  featureSet: { pipeline: 'test', version: 1, hash: 'ab'.repeat(32) },
  providers: ['cpu'],
  golden: { rows: ROWS, outputs: ROWS.map(row => [linearScore(row)]), tolerance: 1e-6 },
  training: { data: 'none', seed: 0, commit: 'none' },
  license: 'Apache-2.0',
  createdAt: '2026-01-01T00:00:00Z',
  ...changes,
});
