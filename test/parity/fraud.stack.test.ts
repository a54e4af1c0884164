/** `pnpm parity fraud` over two days, on a stack of its own; the whole fortnight is for hand. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program } from '../journey/command.ts';
import { noStack } from '../jest/stack.ts';
import { testUnless } from '../jest/skip.ts';
import type { ParityResult } from './compare.ts';
import { findPandas } from './dataset/judge.ts';
import { sharedData } from './read.ts';

const data = sharedData('fraud');
const python =
  noStack === undefined && data !== undefined ? await findPandas() : { missing: 'no stack or no data' };
const without = noStack ?? (data === undefined ? 'no ../shared/data/fraud' : undefined);

const parity = async (...more: readonly string[]): Promise<{ code: number | null; result: ParityResult }> => {
  const folders = ['--raw', join(data!, 'raw'), '--features', join(data!, 'features')];
  const args = ['fraud', ...folders, '--to', '2018-04-02', '--output', 'json', ...more];
  const { code, lines, said } = await program('test/parity/main.ts', args, PARITY_MS_MAX);
  if (code === 1) throw new Error(said);
  return { code, result: JSON.parse(lines.at(-1)!) as ParityResult };
};
const PARITY_MS_MAX = 240_000;
const LIMIT_MS = 280_000;
/** 9,488 + 9,583 rows of the raw files, none of them a reversed tie. */
const ROWS = 19_071;

const REPLAYED = ['--disturb', '1', '--models', join(data ?? '', 'reference-models')];
let replayedOnce: ReturnType<typeof parity> | undefined;
/** One run for what is looked at in several tests; rows to train on are judged in it where there is pandas. */
const replayed = (): ReturnType<typeof parity> =>
  (replayedOnce ??= parity(...REPLAYED, ...('path' in python ? ['--dataset'] : [])));

testUnless(without)(
  'replayed by order time, partition after partition, with duplicates: all 14 columns and every score are equal',
  async () => {
    const { code, result } = await replayed();
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
  LIMIT_MS,
);

testUnless(without ?? ('missing' in python ? python.missing : undefined))(
  'rows to train on are the same bytes again, and what pandas computes from what was published',
  async () => {
    const { dataset } = (await replayed()).result;
    expect(new Set(Object.values(dataset!.digests)).size).toBe(1);
    // Two days, and labels that come after seven: no row has one.
    expect(dataset!.judged).toMatchObject({
      wrong: [],
      rows: ROWS,
      values: ROWS * 19,
      mismatches: 0,
      labelled: 0,
    });
  },
  LIMIT_MS,
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
  LIMIT_MS,
);
