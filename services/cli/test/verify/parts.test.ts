import { describe, expect, test } from '@jest/globals';
import { featureNames } from '@millrace/define';
import type { FoldEvent } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import fc from 'fast-check';
import { UsageError } from '../../src/io.ts';
import { Comparison, KINDS } from '../../src/verify/compare.ts';
import type { Recomputed } from '../../src/verify/recompute.ts';
import { isSampled, sampleOf } from '../../src/verify/sample.ts';
import type { Served } from '../../src/verify/served.ts';

describe('a sample', () => {
  test('is written as people do', () => {
    expect(['0.05', '5%', '1/20', '1', ' 100% '].map(sampleOf)).toEqual([0.05, 0.05, 0.05, 1, 1]);
    for (const text of ['0', '1.5', '2/1', '-1', 'all', '1/0', ''])
      expect(() => sampleOf(text)).toThrow(UsageError);
  });

  test('goes by the CRC-32 of the name, whose check value everybody knows', () => {
    const check = 0xcb_f4_39_26 / 2 ** 32;
    expect([isSampled('123456789', check), isSampled('123456789', check + 1e-9)]).toEqual([false, true]);
    expect(isSampled(Buffer.from('123456789'), check + 1e-9)).toBe(true);
    const names = Array.from({ length: 20_000 }, (_, i) => `customer-${i}`);
    const [small, large] = [0.05, 0.2].map(part => names.filter(name => isSampled(name, part)));
    expect(small!.every(name => large!.includes(name))).toBe(true);
    expect(Math.abs(small!.length - 1_000)).toBeLessThan(150);
  });
});

const NAMES = featureNames(fraud.features);
const number = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 1, 1 + 5e-7, 2, 1e6, 1e6 + 0.5, 1e6 + 2) }, { weight: 1, arbitrary: fc.constant(Number.NaN) }); // prettier-ignore
const vector = fc.array(number, { minLength: NAMES.length, maxLength: NAMES.length });

test('values of features are counted as a plain look at both sides counts them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(vector, vector), { maxLength: 8 }), pairs => {
      const comparison = new Comparison(fraud, ['customerId', 'terminalId'], 1e-6, 3);
      const key = (i: number): string => `0 e${i}`;
      const event = { time: 0, fields: {} } as FoldEvent;
      const served = new Map(pairs.map(([a], i) => [key(i), { entity: `c${i}`, features: Float32Array.from(a) } as Served]));
      const recomputed = new Map(pairs.map(([, b], i): [string, Recomputed] => [key(i), { event, features: Float32Array.from(b), unknown: [undefined, undefined] }]));
      comparison.add({
        served: { vectors: served, unusable: 0 }, recomputed: { vectors: recomputed, superseded: new Set(), unusable: 0 },
        unanswered: new Map(), isGone: () => false, wholeFromMs: [-Infinity, -Infinity],
      });
      let differing = 0;
      const counts = NAMES.map(() => ({ mismatch: 0, missing: 0, extra: 0 }));
      for (const [a, b] of pairs) {
        let same = true;
        NAMES.forEach((_, i) => {
          const [x, y] = [Math.fround(a[i]!), Math.fround(b[i]!)];
          const [noX, noY] = [Number.isNaN(x), Number.isNaN(y)];
          const isOff = !noX && !noY && Math.abs(x - y) > 1e-6 * Math.max(1, Math.abs(y));
          if (isOff) counts[i]!.mismatch++;
          if (noX && !noY) counts[i]!.missing++;
          if (!noX && noY) counts[i]!.extra++;
          same &&= !isOff && noX === noY;
        });
        if (!same) differing++;
      }
      expect(comparison.features.map(one => one.counts)).toEqual(counts);
      expect([comparison.outcomes.matched, comparison.outcomes.differing]).toEqual([pairs.length - differing, differing]);
      expect(comparison.examples('differing').length).toBe(Math.min(3, differing));
    }),
  );
  expect(KINDS).toEqual(['mismatch', 'missing', 'extra']);
}); // prettier-ignore
