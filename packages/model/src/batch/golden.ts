import { inputWidth, type Manifest } from '../manifest/manifest.ts';
import type { Rows, Scorer } from '../scorer.ts';

const rowsOf = (table: readonly (readonly number[])[], width: number): Rows => {
  const data = new Float32Array(table.length * width);
  for (const [i, row] of table.entries()) data.set(row, i * width);
  return { rows: table.length, data };
};

const within = (given: number, known: number, tolerance: number): boolean =>
  Math.abs(given - known) <= tolerance * Math.max(1, Math.abs(known));

/**
 * Asks a model its golden rows, together and each alone, which warms it too.
 * @returns what differs, each a sentence naming row and output; empty when all is well
 * @throws what the engine throws
 */
export const goldenProblems = async (scorer: Scorer, manifest: Manifest): Promise<readonly string[]> => {
  const { golden, outputs } = manifest;
  const width = inputWidth(manifest);
  const together = await scorer.score(rowsOf(golden.rows, width));
  const problems: string[] = [];
  for (const [i, row] of golden.rows.entries()) {
    const alone = await scorer.score(rowsOf([row], width));
    for (const [j, output] of outputs.entries()) {
      const known = golden.outputs[i]![j]!;
      for (const [how, given] of [
        ['in the batch', together.data[i * outputs.length + j]!],
        ['alone', alone.data[j]!],
      ] as const)
        if (!within(given, known, golden.tolerance))
          problems.push(`golden row ${i} ${how}: ${output.name} is ${given}, should be ${known}`);
    }
  }
  return problems;
};
