import { expect, test } from '@jest/globals';
import { KEPT, Meter, oneByOne } from '../../src/micro/piece.ts';

test('the meter counts while it runs, and not between', async () => {
  const times = [10, 13, 100, 107];
  const meter = new Meter(() => times.shift()!);
  expect(await meter.run(() => 'now')).toBe('now');
  expect(meter.us).toBe(3);
  expect(await meter.run(async () => 'later')).toBe('later');
  expect(meter.us).toBe(10);
});

test.each([1, KEPT, 2 * KEPT + 3])(
  '%p records: each is made once, and the last are looked at',
  async records => {
    const [made, seen] = [[] as number[], [] as number[]];
    const piece = oneByOne(
      'doubled',
      { pool: [1, 2, 3], records },
      n => {
        made.push(n);
        return 2 * n;
      },
      (n, twice) => {
        seen.push(n);
        return twice === 2 * n ? undefined : 'not doubled';
      },
    );
    expect(await piece.round(new Meter())).toBeUndefined();
    expect(made).toEqual(Array.from({ length: records }, (_, i) => [1, 2, 3][i % 3]));
    expect(seen).toEqual(made.slice(-KEPT));
  },
);

test('one wrong result is told', async () => {
  let n = 0;
  const piece = oneByOne(
    'counted',
    { pool: ['x'], records: 1_000 },
    () => n++,
    (_, made) => (made === 700 ? 'seven hundred' : undefined),
  );
  expect(await piece.round(new Meter())).toBe('record 700: seven hundred');
});
