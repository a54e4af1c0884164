import { expect, test } from '@jest/globals';
import { seededRandom } from '@millrace/pipelines';
import { atRandom, inTurn } from '../../../src/capacity/simulate/changes.ts';

test('kills hit one instance after the other, and bring back those that come back', () => {
  expect(inTurn([{ atMs: 5, backAfterMs: 10 }, { atMs: 50, backAfterMs: undefined }, { atMs: 60, backAfterMs: undefined }], 2)).toEqual([
    { atMs: 5, instance: 0, what: 'killed' },
    { atMs: 15, instance: 0, what: 'started' },
    { atMs: 50, instance: 1, what: 'killed' },
    { atMs: 60, instance: 0, what: 'killed' },
  ]);
}); // prettier-ignore

test('at random: as many a day as asked for, of any, and the same by the same seed', () => {
  const day = 86_400_000;
  const draw = () => atRandom(20, 30_000, 8, 200 * day, seededRandom(3));
  const kills = draw().filter(({ what }) => what === 'killed');
  expect(Math.abs(kills.length / 4_000 - 1)).toBeLessThan(0.05);
  expect(new Set(kills.map(({ instance }) => instance)).size).toBe(8);
  expect(draw()).toEqual(draw());
});
