import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadModel, workerScorer } from '@millrace/model';
import { ffnnVectors } from '../../src/peers/ffnn.ts';
import { ffnnLayers, writeFfnnModel } from '../../src/peers/ffnnModel.ts';
import { denseAnswer, denseNetwork } from '../../src/peers/onnx.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ffnn-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const fileOf = (models: string): Buffer => readFileSync(join(models, 'ffnn/1/model.onnx'));

test('the engine answers as the layers do when worked out by hand', async () => {
  const model = await loadModel(join(writeFfnnModel(folder), 'ffnn/1'), workerScorer);
  const rows = ffnnVectors()
    .slice(100, 120)
    .map(({ features }) => Object.values(features));
  const { data } = await model.scorer.score({ rows: rows.length, data: Float32Array.from(rows.flat()) });
  await model.close();
  const layers = ffnnLayers();
  const known = rows.flatMap(row => denseAnswer(row, layers));
  expect(Math.max(...known.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThan(1e-4);
  // Answers that were all alike would say little.
  expect(new Set(known.map(value => value.toFixed(3))).size).toBeGreaterThan(100);
});

test('has the published number of parameters, and the same bytes each time', () => {
  const parameters = ffnnLayers().reduce(
    (sum, { weights, biases }) => sum + weights.length + biases.length,
    0,
  );
  expect(parameters).toBe(28_618);
  const first = fileOf(writeFfnnModel(folder));
  expect(fileOf(writeFfnnModel(folder)).equals(first)).toBe(true);
});

test('layers, by hand: ReLU between them and none at the end', () => {
  const layers = [
    { weights: Float32Array.from([1, -1, 2, 1]), biases: Float32Array.from([0, 0.5]) },
    { weights: Float32Array.from([-1, 3]), biases: Float32Array.from([0.25]) },
  ];
  // [1, 2]: 1 * 1 + 2 * 2 = 5 and -1 + 2 + 0.5 = 1.5, then -5 + 4.5 + 0.25; [1, -2]: both below zero.
  expect(denseAnswer([1, 2], layers)).toEqual([-0.25]);
  expect(denseAnswer([1, -2], layers)).toEqual([0.25]);
  expect(denseNetwork([2, 2, 1], layers).length).toBeGreaterThan(100);
});
