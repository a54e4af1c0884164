import { expect, test } from '@jest/globals';
import { Elapsed } from '../src/index.ts';

test('what goes by between looks is summed; a clock that is set ahead counts for a minute, one set back for nothing', () => {
  const elapsed = new Elapsed(1_000);
  const hourMs = 3_600_000;
  const looks = [1_000, 1_500, 31_500, 31_500 + hourMs, 32_500 + hourMs, 0, 250];
  expect(looks.map(nowMs => elapsed.at(nowMs))).toEqual([0, 500, 30_500, 90_500, 91_500, 91_500, 91_750]);
});
