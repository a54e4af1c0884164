import { describe, expect, test } from '@jest/globals';
import { type CutterState, SourceCutter } from '../../src/epochs/cutter.ts';
import { EPOCH_NONE } from '../../src/epochs/number.ts';

const OPTIONS = { epochMs: 100, marginMs: 10, epochsAheadMax: 2 };
const cutter = (inputs = 1, state?: CutterState): SourceCutter<string> =>
  new SourceCutter(
    OPTIONS,
    Array.from({ length: inputs }, () => 0),
    state,
  );

describe('numbering', () => {
  test('never decreases along a partition when the append clock steps back', () => {
    const one = cutter();
    one.add(0, 0, 950, 950, 'a');
    one.add(0, 1, 310, 310, 'b');
    one.add(0, 2, 1_000, 1_000, 'c');
    expect(one.cut(0, EPOCH_NONE)?.epochs).toEqual([{ epoch: 900, rows: ['a', 'b'] }]);
  });

  test('another grid goes on from where the one before ended', () => {
    const before = cutter();
    before.add(0, 0, 950, 950, 'a');
    before.caughtUp(0, 1);
    const closed = before.cut(1_010, EPOCH_NONE)!.closed;
    const after = new SourceCutter<string>({ ...OPTIONS, epochMs: 250 }, [1], {
      closed,
      inputs: [{ readTo: 1, ahead: [] }],
    });
    after.add(0, 1, 1_050, 1_050, 'b');
    after.caughtUp(0, 2);
    expect(after.cut(1_259, EPOCH_NONE)).toBeUndefined();
    expect(after.cut(1_260, EPOCH_NONE)?.epochs).toEqual([{ epoch: 1_000, rows: ['b'] }]);
  });

  test('a record of a closed epoch goes into the next open one and is counted', () => {
    const two = cutter(2);
    two.add(0, 0, 950, 950, 'a');
    two.caughtUp(0, 1);
    two.caughtUp(1, 0);
    expect(two.cut(1_010, EPOCH_NONE)?.closed).toBe(900);
    two.add(1, 0, 930, 930, 'late');
    two.caughtUp(1, 1);
    expect(two.bumped).toBe(1);
    expect(two.cut(1_110, EPOCH_NONE)?.epochs).toEqual([{ epoch: 901, rows: ['late'] }]);
  });
});

describe('closing', () => {
  test('waits until the clock is past the epoch by the margin, or a later record was read', () => {
    const one = cutter();
    one.add(0, 0, 950, 950, 'a');
    expect(one.cut(5_000, EPOCH_NONE)).toBeUndefined(); // not read to its end
    one.caughtUp(0, 1);
    expect(one.cut(1_009, EPOCH_NONE)).toBeUndefined();
    expect(one.cut(1_010, EPOCH_NONE)?.closed).toBe(900);
  });

  test('closes nothing that nobody waits for', () => {
    const one = cutter();
    one.caughtUp(0, 0);
    expect(one.cut(1_020, 1_200)).toBeUndefined(); // epoch 900 is over, but the others have rows of 1200
    expect(one.cut(1_320, 1_300)?.closed).toBe(1_299);
    expect(one.cut(1_420, 2_000)?.closed).toBe(1_399);
  });

  test('waits for the slowest input', () => {
    const two = cutter(2);
    two.add(0, 0, 950, 950, 'a');
    two.add(0, 1, 2_000, 2_000, 'b');
    expect(two.cut(5_000, EPOCH_NONE)).toBeUndefined();
    two.caughtUp(1, 0);
    expect(two.cut(5_000, EPOCH_NONE)).toMatchObject({
      closed: 1_999,
      epochs: [{ epoch: 900, rows: ['a'] }],
    });
  });

  test('an idle source closes up to the highest head and never beyond', () => {
    const idle = cutter();
    idle.caughtUp(0, 0);
    expect(idle.cut(9_999, EPOCH_NONE)).toBeUndefined();
    expect(idle.cut(9_999, 3_000)).toEqual({ closed: 3_000, epochs: [], stretches: [], bumpedPast: 0 });
    expect(idle.cut(99_999, 3_000)).toBeUndefined();
  });
});

describe('after a restart', () => {
  const before: CutterState = { closed: 999, inputs: [{ readTo: 3, ahead: [] }] };

  test('nothing closes before the partition was read again as far as before', () => {
    const again = cutter(1, before);
    expect(again.add(0, 1, 920, 920, 'applied')).toBe(false);
    expect(again.cut(9_999, 5_000)).toBeUndefined();
    expect(again.add(0, 2, 1_020, 1_020, 'open')).toBe(true);
    again.caughtUp(0, 3);
    expect(again.cut(9_999, 5_000)?.epochs).toEqual([{ epoch: 1_000, rows: ['open'] }]);
  });

  test('what is new and late is bumped, not taken for applied', () => {
    const again = cutter(1, before);
    expect(again.add(0, 3, 920, 920, 'late')).toBe(true);
    again.caughtUp(0, 4);
    expect(again.cut(9_999, EPOCH_NONE)?.epochs).toEqual([{ epoch: 1_000, rows: ['late'] }]);
  });
});

describe('pacing', () => {
  test('pauses an input that is more non-empty epochs ahead than allowed, whatever the gaps between them', () => {
    const one = cutter();
    one.add(0, 0, 100, 100, 'a');
    one.add(0, 1, 900_000, 900_000, 'b');
    expect(one.pace(EPOCH_NONE)).toEqual([false]);
    one.add(0, 2, 900_100, 900_100, 'c');
    expect(one.pace(EPOCH_NONE)).toEqual([true]);
    expect(one.pace(100)).toEqual([false]);
  });

  test('a paused input is not at its end: what is appended meanwhile is not seen', () => {
    const one = cutter();
    [100, 200, 300].forEach((at, i) => one.add(0, i, at, at, 'x'));
    one.caughtUp(0, 3);
    one.pace(EPOCH_NONE);
    expect(one.cut(9_999, EPOCH_NONE)?.closed).toBe(299);
  });

  test('epochs closed before a restart still count', () => {
    const again = cutter(1, { closed: 999, inputs: [{ readTo: 3, ahead: [700, 800, 900] }] });
    expect(again.pace(EPOCH_NONE)).toEqual([false]); // it must read to where it was first
    again.caughtUp(0, 3);
    expect(again.pace(EPOCH_NONE)).toEqual([true]);
    expect(again.pace(700)).toEqual([false]);
  });
});
