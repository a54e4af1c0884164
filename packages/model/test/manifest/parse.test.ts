import { describe, expect, test } from '@jest/globals';
import { parseManifest } from '../../src/manifest/parse.ts';
import { linear } from '../graph.ts';
import { linearManifest } from '../manifests.ts';

const good = (): Record<string, unknown> => structuredClone({ ...linearManifest(linear()) });

describe('parseManifest', () => {
  test('takes a good manifest as it is', () => {
    expect(parseManifest(JSON.parse(JSON.stringify(good())))).toEqual(good());
  });

  test('fills in what may be left out, and reads null as missing', () => {
    const { providers: _, ...rest } = good();
    const manifest = parseManifest({
      ...rest,
      outputs: [{ name: 'score', tensor: 'score' }],
      golden: { rows: [[null, 1, 2]], outputs: [[0.5]], tolerance: 0 },
    });
    expect(manifest).toMatchObject({
      providers: ['cpu'],
      outputs: [{ column: 0, batchAxis: 0 }],
      golden: { rows: [[Number.NaN, 1, 2]] },
    });
    expect(manifest).not.toHaveProperty('fixedBatch');
  });

  test('names every mistake at once', () => {
    const problems = parseManifest({
      ...good(),
      name: 'Not Good',
      file: '../model.onnx',
      sha256: 'abc',
      inputs: [{ name: 'x', type: 'float16', shape: [3, 3] }],
      features: ['a', 'a'],
      featureSet: {},
      golden: { rows: [[1]], outputs: [[1], [2]], tolerance: -1 },
      createdAt: 'yesterday',
      fixedBatch: 0,
    });
    expect(problems).toEqual([
      'inputs[0].shape: must hold "N", the batch, exactly once',
      'inputs[0].type: must be one of float32, float64, int32, int64',
      'features: names 2 values, but the inputs take 9',
      'features: a occurs twice',
      'createdAt: must be a time in ISO 8601',
      'fixedBatch: must be a whole number, at least 1',
      'name: must be lower-case letters, digits and hyphens',
      'file: must be the name of a file in the same folder',
      'sha256: must be a SHA-256 in hex',
      'featureSet.pipeline: must be a text that is not empty',
      'featureSet.version: must be a whole number, at least 1',
      'featureSet.hash: must be a SHA-256 in hex',
      'golden.rows[0]: holds 1 values where 9 belong',
      'golden: 1 rows, but 2 answers',
      'golden.tolerance: must not be negative',
    ]);
  });

  test.each([null, 1, 'text', [], [[]]])('%p is no manifest', raw => {
    const problems = parseManifest(raw);
    expect(Array.isArray(problems) && problems[0]).toBe('manifest: must be an object');
  });
});
