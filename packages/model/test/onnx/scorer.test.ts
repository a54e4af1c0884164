import { describe, expect, test } from '@jest/globals';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { workerScorer } from '../../src/onnx/worker.ts';
import { type Scorer, ScorerLost } from '../../src/scorer.ts';
import { linear, linearScore, model, node, twice } from '../graph.ts';
import { linearManifest } from '../manifests.ts';
import { onnxInThisRealm } from './realm.ts';

const { onnxScorer } = await onnxInThisRealm();
const { nearbyScorer } = await import('../../src/onnx/nearby.ts');

const rowsOf = (count: number): number[][] =>
  Array.from({ length: count }, (_, i) => [Math.fround(i / 7), Math.fround((i % 5) - 2), i % 3]);
const ask = async (scorer: Scorer, rows: readonly number[][]): Promise<number[]> => {
  const { data } = await scorer.score({ rows: rows.length, data: Float32Array.from(rows.flat()) });
  return [...data];
};

describe.each([
  ['onnxScorer', onnxScorer],
  ['workerScorer', workerScorer],
  ['nearbyScorer', nearbyScorer],
])('%s', (_, make) => {
  const withScorer = async (
    bytes: Uint8Array,
    manifest: Manifest,
    use: (scorer: Scorer) => Promise<void>,
  ): Promise<void> => {
    const scorer = await make(bytes, manifest);
    try {
      await use(scorer);
    } finally {
      await scorer.close();
    }
  };

  test('scores batches of every size as each row alone', async () => {
    await withScorer(linear(), linearManifest(linear()), async scorer => {
      expect(scorer.provider).toBe('cpu');
      for (const count of [1, 7, 128, 1000]) {
        const rows = rowsOf(count);
        const scores = await ask(scorer, rows);
        expect(scores).toHaveLength(count);
        for (const [i, row] of rows.entries()) expect(scores[i]).toBeCloseTo(linearScore(row), 6);
      }
      expect(await ask(scorer, [])).toEqual([]);
    });
  });

  test('leaves the batch as it was', async () => {
    await withScorer(linear(), linearManifest(linear()), async scorer => {
      const data = Float32Array.of(1, 2, 3);
      await scorer.score({ rows: 1, data });
      expect([...data]).toEqual([1, 2, 3]);
    });
  });

  test('batches that are open together, and those after them, have answers of their own', async () => {
    await withScorer(linear(), linearManifest(linear()), async scorer => {
      const counts = [900, 3, 40, 900, 1, 500];
      for (let round = 0; round < 4; round++) {
        const batches = counts.map((count, k) =>
          rowsOf(count).map(row => [row[0]! + k, row[1]! - round, row[2]!].map(Math.fround)),
        );
        const answers = await Promise.all(batches.map(rows => ask(scorer, rows)));
        for (const [k, rows] of batches.entries())
          for (const [i, row] of rows.entries()) expect(answers[k]![i]).toBeCloseTo(linearScore(row), 6);
      }
    });
  });

  test('answers several outputs and columns', async () => {
    const manifest = linearManifest(linear(), {
      outputs: [
        { name: 'third', tensor: 'echo', column: 2, batchAxis: 0 },
        { name: 'first', tensor: 'echo', column: 0, batchAxis: 0 },
      ],
    });
    await withScorer(linear(), manifest, async scorer => {
      expect(await ask(scorer, [[1, 2, 3], [4, 5, 6]])).toEqual([3, 1, 6, 4]); // prettier-ignore
    });
  });

  test('deals a row to several inputs in order', async () => {
    const bytes = model({
      nodes: [node('Sub', ['a', 'b'], ['y'])],
      inputs: { a: ['N', 2], b: ['N', 2] },
      outputs: { y: ['N', 2] },
    });
    const manifest = linearManifest(bytes, {
      inputs: [
        { name: 'b', type: 'float32', shape: ['N', 2] },
        { name: 'a', type: 'float32', shape: ['N', 2] },
      ],
      features: ['b0', 'b1', 'a0', 'a1'],
      outputs: [0, 1].map(column => ({ name: `y${column}`, tensor: 'y', column, batchAxis: 0 })),
    });
    await withScorer(bytes, manifest, async scorer => {
      expect(await ask(scorer, [[1, 2, 30, 40], [5, 6, 70, 80]])).toEqual([29, 38, 65, 74]); // prettier-ignore
    });
  });

  test('pads and splits for a graph of fixed batch, wherever the batch stands', async () => {
    const manifest = linearManifest(twice(4), {
      inputs: [{ name: 'x', type: 'float32', shape: [2, 'N', 3] }],
      features: ['a', 'b', 'c', 'd', 'e', 'f'],
      outputs: [
        { name: 'first', tensor: 'y', column: 0, batchAxis: 1 },
        { name: 'last', tensor: 'y', column: 5, batchAxis: 1 },
      ],
      fixedBatch: 4,
    });
    await withScorer(twice(4), manifest, async scorer => {
      const rows = Array.from({ length: 6 }, (_, i) => [i, 0, 0, 0, 0, 100 + i]);
      expect(await ask(scorer, rows)).toEqual(rows.flatMap(row => [row[0]! * 2, row[5]! * 2]));
    });
  });

  test('refuses a graph that is not what the manifest says, naming all of it', async () => {
    const manifest = linearManifest(linear(), {
      inputs: [{ name: 'y', type: 'float32', shape: ['N', 3] }],
      outputs: [{ name: 'score', tensor: 'probability', column: 0, batchAxis: 0 }],
    });
    await expect(make(linear(), manifest)).rejects.toThrow(
      'the graph has no input y; the manifest does not name input x; the graph has no output probability',
    );
    const wider = linearManifest(linear(), { inputs: [{ name: 'x', type: 'float32', shape: ['N', 4] }] });
    await expect(make(linear(), wider)).rejects.toThrow('has shape [N, 3], the manifest says [N, 4]');
    await expect(make(linear(4), linearManifest(linear(4)))).rejects.toThrow('has shape [4, 3]');
  });

  test('refuses bytes that are no model', async () => {
    await expect(make(Uint8Array.of(1, 2, 3), linearManifest(linear()))).rejects.toThrow(/protobuf|parsing/i);
  });

  test('refuses a batch that is not whole rows', async () => {
    await withScorer(linear(), linearManifest(linear()), async scorer => {
      await expect(scorer.score({ rows: 2, data: new Float32Array(5) })).rejects.toThrow(RangeError);
    });
  });

  test('answers what is open when it is closed, then nothing', async () => {
    const scorer = await make(linear(), linearManifest(linear()));
    const open = ask(scorer, rowsOf(50));
    await Promise.all([scorer.close(), scorer.close()]);
    expect(await open).toHaveLength(50);
    await expect(ask(scorer, rowsOf(1))).rejects.toThrow(ScorerLost);
  });
});

test('a long batch is split by measured cost', async () => {
  // Each look at the clock is a millisecond later: every call costs 1 ms, whatever its size.
  let now = 0;
  let looks = 0;
  const elapsedMs = (): number => {
    looks++;
    return (now += 1);
  };
  const scorer = await onnxScorer(linear(), linearManifest(linear()), { elapsedMs, rowsMax: 100 });
  const { computeMs } = await scorer.score({ rows: 1000, data: new Float32Array(3000) });
  await scorer.close();
  expect(looks).toBe(computeMs * 2);
  expect(computeMs).toBeGreaterThanOrEqual(10);
});
