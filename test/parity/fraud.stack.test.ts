/** `pnpm parity fraud` over two days, on a stack of its own; the whole fortnight is for hand. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program } from '../journey/command.ts';
import { noStack } from '../jest/stack.ts';
import { testUnless } from '../jest/skip.ts';
import type { ParityResult } from './compare.ts';
import { sharedData } from './read.ts';

const data = sharedData('fraud');
const without = noStack ?? (data === undefined ? 'no ../shared/data/fraud' : undefined);

const parity = async (...more: readonly string[]): Promise<{ code: number | null; result: ParityResult }> => {
  const folders = ['--raw', join(data!, 'raw'), '--features', join(data!, 'features')];
  const args = ['fraud', ...folders, '--to', '2018-04-02', '--output', 'json', ...more];
  const { code, lines, said } = await program('test/parity/main.ts', args, PARITY_MS_MAX);
  if (code === 1) throw new Error(said);
  return { code, result: JSON.parse(lines.at(-1)!) as ParityResult };
};
const PARITY_MS_MAX = 200_000;
/** 9,488 + 9,583 rows of the raw files, none of them a reversed tie. */
const ROWS = 19_071;

testUnless(without)(
  'replayed by order time, partition after partition, with duplicates: all 14 columns and every score are equal',
  async () => {
    const { code, result } = await parity('--disturb', '1', '--models', join(data!, 'reference-models'));
    expect(code).toBe(0);
    expect(result.rows).toBe(ROWS);
    expect(result.duplicates).toBeGreaterThan(0);
    expect(Object.values(result.columns)).toEqual(
      Array.from({ length: 14 }, () => expect.objectContaining({ compared: ROWS, mismatches: 0 })),
    );
    expect(Object.entries(result.scores!).map(([name, { rows }]) => [name, rows])).toEqual(
      ['fraud', 'fraud-dt2', 'fraud-lr', 'fraud-rf', 'fraud-xgb'].map(name => [name, ROWS]),
    );
  },
  240_000,
);

testUnless(without)(
  'live: calendar and customer columns are equal, all else has a cause; run again with its recorded epochs, every bit is',
  async () => {
    const { code, result } = await parity('--epochs', 'live', '--processes', '1', '--again', '--no-models');
    expect(code).toBe(0);
    expect(result.rows).toBe(ROWS);
    expect(result.why?.unexplained).toBe(0);
    expect(result.again).toEqual({ rows: ROWS, differing: 0 });
  },
  240_000,
);
