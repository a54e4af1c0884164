import { expect, test } from '@jest/globals';
import { readOptions } from './options.ts';
import { planOf, wantsRed } from './plan.ts';
import { summaryOf, tableOf } from './report.ts';
import type { Outcome, Skipped } from './run.ts';

const [run] = planOf(readOptions(['--scenario', 'kill-services', '--brokers', '1']));
const outcome = (more: Partial<Outcome['verdict']> = {}, problems: readonly string[] = []): Outcome => ({
  run: run!,
  seconds: 100,
  faults: 6,
  memory: { feature: 100 << 20 },
  heaps: {},
  ownEnds: [],
  problems,
  verdict: {
    inputs: 20, outputs: 20, letters: 1, lost: 0, doubled: 0, repeats: 0, reordered: 0, strange: 0, examples: [],
    wrong: 0, moved: 0, hanging: [], open: [], seenOtherwise: 0,
    state: { chunks: 1, different: 0, examples: [] },
    rows: { rows: 19, missing: 0, wrong: 0 },
    recovery: { p50: 0, max: 6.5, count: 6, never: 0 },
    takeOvers: [
      { of: 'inference, kill -9', partition: 1, seconds: 6.5 },
      { of: 'inference, kill -9', partition: 2, seconds: 6.1 },
    ],
    ...more,
  },
}); // prettier-ignore

test('a take-over is told by what ended, for each partition', () => {
  expect(tableOf([outcome()])).toContain(
    'kill-services, inference, kill -9: 6.1 / 6.5 s from the fault, 2 partitions; 1: 6.5 / 6.5, 2: 6.1 / 6.1',
  );
  expect(summaryOf([outcome()], [], 1)).toMatchObject({
    recoverySeconds: { p50: 0, max: 6.5 },
    takeOverSeconds: { 'inference, kill -9': { p50: 6.1, max: 6.5, partitions: { 1: { max: 6.5 } } } },
  });
});

test('a partition that is not answered again is told as that', () => {
  const never = { p50: 1, max: Number.POSITIVE_INFINITY, count: 6, never: 1 };
  expect(tableOf([outcome({ recovery: never }, ['1 time'])])[1]).toContain('1.0 / never');
});

test('what was not run is neither good nor red', () => {
  const [large] = planOf(readOptions(['--scenario', 'disk-full']));
  const skipped: Skipped = { run: large!, reason: 'the disk is large' };
  const lines = tableOf([outcome()], [skipped]);
  expect(lines[1]).toMatch(/good$/);
  expect(lines[2]).toMatch(/^27 +disk-full +1 +SKIPPED$/);
  expect(lines.at(-1)).toBe('disk-full: skipped, the disk is large');
  expect(JSON.parse(JSON.stringify(summaryOf([outcome()], [skipped], 1)))).toMatchObject({
    inputs: 20,
    skipped: 1,
    scenarios: [{ name: 'kill-services', verdict: 'good' }, { name: 'disk-full', verdict: 'skipped', reason: 'the disk is large' }],
  });
}); // prettier-ignore

test('a control has to stay good, whatever else is taken out to turn red', () => {
  const reds = planOf(readOptions(['--reds']));
  expect(reds.filter(one => !wantsRed(one)).map(({ without }) => without?.name)).toEqual(['fencing-alone', 'looking-alone']);
  expect(wantsRed(run!)).toBe(false);
}); // prettier-ignore
