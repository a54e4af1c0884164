/** Models and figures that the project did not make: published, or recomputed with other engines. */
import { describe, expect } from '@jest/globals';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { workerScorer } from '../../src/onnx/worker.ts';
import type { Scorer } from '../../src/scorer.ts';
import { linearManifest } from '../manifests.ts';
import { sharedBytes, sharedDataTest, sharedNumbers } from '../shared.ts';

const DAYS = ['08', '09', '10', '11', '12', '13', '14'];
const TOLERANCE = 1e-5;
const MODELS = ['lr', 'dt2', 'rf', 'xgb'] as const;
/** An average of this row, rounded to six digits in the file, falls on the other side of a split of one tree of 100. */
const ROUNDED_AWAY: Readonly<Record<string, number>> = { rf: 1251681 };

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `v${i}`);

const fraudRows = (): { ids: number[]; rows: number[][] } => {
  const ids: number[] = [];
  const rows: number[][] = [];
  for (const day of DAYS) {
    // The model's first input is the amount; it stands in the raw file: id, time, customer, terminal, amount.
    const amounts = new Map(sharedNumbers(`fraud/raw/2018-08-${day}.csv.gz`).map(row => [row[0]!, row[4]!]));
    for (const [id, ...features] of sharedNumbers(`fraud/features/2018-08-${day}.csv.gz`)) {
      ids.push(id!);
      rows.push([amounts.get(id!)!, ...features]);
    }
  }
  return { ids, rows };
};

const scoreAll = async (scorer: Scorer, rows: readonly number[][], size: number): Promise<number[]> => {
  const scores: number[] = [];
  for (let from = 0; from < rows.length; from += size) {
    const part = rows.slice(from, from + size);
    const { data } = await scorer.score({ rows: part.length, data: Float32Array.from(part.flat()) });
    scores.push(...data);
  }
  return scores;
};

const withScorer = async (
  bytes: Uint8Array,
  manifest: Manifest,
  use: (scorer: Scorer) => Promise<void>,
): Promise<void> => {
  const scorer = await workerScorer(bytes, manifest);
  try {
    await use(scorer);
  } finally {
    await scorer.close();
  }
};

describe('published fraud models', () => {
  for (const name of MODELS)
    sharedDataTest(`${name} scores the test week as published, in batches of any size`, async () => {
      const bytes = sharedBytes(`fraud/reference-models/fraud_${name}.onnx`);
      const column = 2 + MODELS.indexOf(name);
      const published = new Map(
        sharedNumbers('fraud/reference/scores_2018-08-08_2018-08-14.csv.gz').map(r => [r[0]!, r[column]!]),
      );
      const { ids, rows } = fraudRows();
      expect(rows.length).toBeGreaterThan(60_000);
      const manifest = linearManifest(bytes, {
        inputs: [{ name: 'features', type: 'float32', shape: ['N', 15] }],
        features: names(15),
        outputs: [{ name: 'score', tensor: 'probabilities', column: 1, batchAxis: 0 }],
      });
      await withScorer(bytes, manifest, async scorer => {
        for (const [size, count] of [
          [1000, rows.length],
          [128, 20_000],
          [7, 3_000],
          [1, 1_000],
        ] as const) {
          const scores = await scoreAll(scorer, rows.slice(0, count), size);
          const off = scores.map((score, i) =>
            ids[i] === ROUNDED_AWAY[name] ? 0 : Math.abs(score - published.get(ids[i]!)!),
          );
          const worst = off.reduce((most, one) => Math.max(most, one), 0);
          expect(scores).toHaveLength(count);
          expect(worst).toBeLessThanOrEqual(TOLERANCE);
        }
      });
    });
});

describe('models by others', () => {
  const expected = (): Record<string, Record<string, never>> =>
    JSON.parse(new TextDecoder().decode(sharedBytes('models/expected_io.json'))) as never;

  sharedDataTest('a map as output is refused with the remedy; the label beside it works', async () => {
    const bytes = sharedBytes('models/sklearn_randomforest_zipmap.onnx');
    const known = expected()['sklearn_randomforest_zipmap.onnx'] as unknown as {
      rows: number[][];
      output_label: number[];
    };
    const asking = (tensor: string): Manifest =>
      linearManifest(bytes, {
        inputs: [{ name: 'X', type: 'float32', shape: ['N', 4] }],
        features: names(4),
        outputs: [{ name: 'score', tensor, column: 0, batchAxis: 0 }],
      });
    await expect(workerScorer(bytes, asking('output_probability'))).rejects.toThrow(
      'output output_probability is a sequence or a map, which the engine cannot hand over: convert the model without ZipMap',
    );
    await withScorer(bytes, asking('output_label'), async scorer => {
      expect(await scoreAll(scorer, known.rows, 6)).toEqual(known.output_label);
    });
  });

  sharedDataTest(
    'a fixed batch of 16, time-major: padded, split, each row as in the full batch',
    async () => {
      const bytes = sharedBytes('models/ibm_ccf_gru_static_b16.onnx');
      const known = expected()['ibm_ccf_gru_static_b16.onnx'] as unknown as {
        last_step: number[];
        tolerance: number;
      };
      const [steps, slots, width] = [7, 16, 220];
      const at = (step: number, slot: number, k: number): number => (step * slots + slot) * width + k;
      const row = (slot: number): number[] =>
        Array.from({ length: steps * width }, (_, i) =>
          Math.fround(((at(Math.floor(i / width), slot, i % width) * 37) % 101) / 101),
        );
      const manifest = linearManifest(bytes, {
        inputs: [{ name: 'input', type: 'float32', shape: [steps, 'N', width] }],
        features: names(steps * width),
        outputs: [{ name: 'score', tensor: 'dense', column: steps - 1, batchAxis: 1 }],
        fixedBatch: slots,
      });
      await withScorer(bytes, manifest, async scorer => {
        const rows = Array.from({ length: slots }, (_, slot) => row(slot));
        for (const batch of [rows, rows.slice(0, 5), [...rows, ...rows.slice(0, 3)]]) {
          const scores = await scoreAll(scorer, batch, batch.length);
          expect(scores).toHaveLength(batch.length);
          for (const [i, score] of scores.entries())
            expect(Math.abs(score - known.last_step[i % slots]!)).toBeLessThanOrEqual(known.tolerance);
        }
      });
      // A graph of fixed batch is not taken for one of any batch.
      const { fixedBatch: _, ...free } = manifest;
      await expect(workerScorer(bytes, free)).rejects.toThrow('has shape [7, 16, 220]');
    },
  );

  sharedDataTest('an image classifier of an old opset', async () => {
    const bytes = sharedBytes('models/mnist_opset8.onnx');
    const known = expected()['mnist_opset8.onnx'] as unknown as { values: number[]; tolerance: number };
    const manifest = linearManifest(bytes, {
      inputs: [{ name: 'Input3', type: 'float32', shape: ['N', 1, 28, 28] }],
      features: names(784),
      outputs: known.values.map((_, column) => ({
        name: `digit${column}`,
        tensor: 'Plus214_Output_0',
        column,
        batchAxis: 0,
      })),
      fixedBatch: 1,
    });
    const image = Array.from({ length: 784 }, (_, i) => Math.fround(((i * 37) % 101) / 101));
    await withScorer(bytes, manifest, async scorer => {
      const scores = await scoreAll(scorer, [image, image], 2);
      for (const [i, score] of scores.entries())
        expect(Math.abs(score - known.values[i % 10]!)).toBeLessThanOrEqual(known.tolerance);
    });
  });
});
