/** The parity runner on the stack that the tests share, over two days; the whole fortnight is `pnpm parity fraud`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { openWorld } from '@millrace/cli';
import { workerScorer } from '@millrace/model';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { testUnless } from '../jest/skip.ts';
import { daysOf } from './days.ts';
import { sharedData } from './read.ts';
import { differences } from './report.ts';
import { runParity } from './run.ts';

const data = sharedData('fraud');
const without = noStack ?? (data === undefined ? 'no ../shared/data/fraud' : undefined);
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

testUnless(without)(
  'two days through the real stack: calendar and customer columns and every score are equal',
  async () => {
    const addresses = stackAddresses();
    const world = openWorld(addresses);
    closing.push(() => world.broker.close());
    const directory = mkdtempSync(join(tmpdir(), 'millrace-parity-test-'));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const days = daysOf(join(data!, 'raw'), join(data!, 'features'), undefined, '2018-04-02');
    const result = await runParity({
      world,
      addresses,
      directory,
      environment: process.env,
      days,
      models: join(data!, 'reference-models'),
      scores: undefined,
      // Other customers than any other test's: windows hold this run's payments alone.
      prefix: `${uniqueName('p')}-`,
      // The engine in this thread refuses the arrays of jest's own realm.
      makeScorer: workerScorer,
      signal: new AbortController().signal,
      say: () => undefined,
    });
    expect(differences(result)).toEqual([]);
    // 9,488 + 9,583 rows of the raw files, none of them a reversed tie.
    expect(result.rows).toBe(19_071);
    expect(Object.values(result.columns).map(({ compared }) => compared)).toEqual(
      Array.from({ length: 14 }, () => 19_071),
    );
    expect(Object.entries(result.scores!).map(([name, { rows }]) => [name, rows])).toEqual(
      ['fraud', 'fraud-dt2', 'fraud-lr', 'fraud-rf', 'fraud-xgb'].map(name => [name, 19_071]),
    );
  },
  180_000,
);
