/** The hot path asks for no more than it did: counts against those that are committed, never times. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Counts } from './count.ts';
import { counted, RATIO_MAX, regressions } from './gate.ts';

/** A machine that is busy with other tests may take as long. */
const LIMIT_MS = 300_000;
const baseline = JSON.parse(readFileSync(join(import.meta.dirname, 'baseline.json'), 'utf8')) as Counts;

test(
  'requests, engine calls, records and bytes are at most a tenth above the baseline',
  async () => {
    const now = await counted();
    // Whoever means it runs `node test/hotpath/main.ts > test/hotpath/baseline.json`, and says why.
    expect(regressions(baseline, now)).toEqual([]);
    expect(now['scored events']).toBe(baseline['scored events']);
  },
  LIMIT_MS,
);

describe('the gate', () => {
  test('sees more than is allowed, and what came and went', () => {
    const before = { calls: 100, gone: 1 };
    expect(regressions(before, { calls: 100 * RATIO_MAX, gone: 1 })).toEqual([]);
    expect(regressions(before, { calls: 111, fresh: 2 })).toEqual([
      'calls: 111, was 100',
      'fresh: 2, and not in the baseline',
      'gone: not counted any more, was 1',
    ]);
  });
});
