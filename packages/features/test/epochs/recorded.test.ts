/** What a source writes down of its live epochs, and how it goes by that again. */
import { expect, test } from '@jest/globals';
import { type CutterState, SourceCutter } from '../../src/epochs/cutter.ts';
import { type History, recordedHistory, replayHistory } from '../../src/epochs/history.ts';
import { EPOCH_NONE, epochOf } from '../../src/epochs/number.ts';

const cutter = (histories: readonly (History | undefined)[], state?: CutterState): SourceCutter<string> =>
  new SourceCutter(
    { epochMs: 100, marginMs: 10, epochsAheadMax: 9, histories },
    histories.map(() => 0),
    state,
  );

test('each live epoch begins where the one before ended, also over what belongs to none, and after a restart', () => {
  const one = cutter([undefined]);
  one.add(0, 0, 910, 910, 'a');
  one.pass(0, 1);
  one.add(0, 2, 950, 950, 'b');
  one.pass(0, 3);
  one.add(0, 4, 1_150, 1_150, 'c');
  expect(one.cut(0, EPOCH_NONE)!.stretches).toEqual([{ input: 0, epoch: 900, from: 0, until: 3 }]);
  const after = cutter([undefined], one.state());
  after.add(0, 4, 1_150, 1_150, 'c');
  after.add(0, 5, 1_250, 1_250, 'd');
  expect(after.cut(0, EPOCH_NONE)!.stretches).toEqual([{ input: 0, epoch: 1_100, from: 3, until: 5 }]);
});

test('state of before it was written down begins with the first record', () => {
  const [input] = cutter([undefined]).state().inputs;
  const { endedAt: _, ...older } = input!;
  const one = cutter([undefined], { closed: 800, inputs: [older] });
  one.add(0, 7, 950, 950, 'a');
  one.add(0, 8, 1_050, 1_050, 'b');
  expect(one.cut(0, EPOCH_NONE)!.stretches).toEqual([{ input: 0, epoch: 900, from: 7, until: 8 }]);
});

test('of a replay only what came too late is counted', () => {
  const history = replayHistory({ sliceMs: 100, disorderMs: 0, until: 3 });
  const one = cutter([history]);
  one.add(0, 0, 5_000, 150, 'a');
  one.add(0, 1, 5_000, 250, 'b');
  expect(one.cut(0, EPOCH_NONE)).toMatchObject({ stretches: [], bumpedPast: 0 });
  one.add(0, 2, 5_000, 120, 'late');
  one.add(0, 3, 5_000, 300, 'live');
  one.add(0, 4, 5_100, 300, 'later');
  const cut = one.cut(0, EPOCH_NONE)!;
  expect(cut.bumpedPast).toBe(1);
  expect(cut.stretches).toEqual([{ input: 0, epoch: 5_000, from: 3, until: 4 }]);
});

test('by recorded ends epochs are the same, and what lies behind belongs to none of them, whatever the append clock says', () => {
  const ends = [
    { epoch: 900, end: 2 },
    { epoch: 1_100, end: 3 },
  ];
  const [busy, quiet] = [3, 1].map((until, i) =>
    recordedHistory({
      ends: i === 0 ? ends : ends.slice(0, 1).map(end => ({ ...end, end: 1 })),
      last: 1_200,
      until,
    }),
  );
  const two = cutter([busy, quiet]);
  two.add(1, 0, 950, 950, 'q');
  // In the first life it had come too late, so that it lies behind the stretch.
  two.add(1, 1, 960, 960, 'behind');
  two.add(0, 0, 990, 990, 'a');
  two.add(0, 1, 1_010, 1_010, 'bumped then');
  two.add(0, 2, 1_150, 1_150, 'b');
  two.add(0, 3, 1_300, 1_300, 'c');
  expect(two.cut(0, EPOCH_NONE)!.epochs.map(({ epoch, rows }) => [epoch, rows])).toEqual([
    [900, ['q', 'a', 'bumped then']],
    [1_100, ['b']],
  ]);
  two.add(1, 2, 1_400, 1_400, 'd');
  expect(two.cut(0, EPOCH_NONE)!.epochs).toEqual([{ epoch: 1_201, rows: ['behind'] }]);
});

test('before the recorded epochs comes the replay with which they began', () => {
  const before = replayHistory({ sliceMs: 100, disorderMs: 0, until: 2 });
  const history = recordedHistory({ ends: [{ epoch: 900, end: 3 }], last: 900, until: 3, before });
  const one = cutter([history]);
  one.add(0, 0, 0, 250, 'b');
  one.add(0, 1, 0, 350, 'c');
  one.add(0, 2, 0, 10, 'live');
  one.add(0, 3, 1_000, 20, 'behind');
  expect(one.cut(0, EPOCH_NONE)!.epochs.map(({ epoch }) => epoch)).toEqual([
    epochOf({ phase: 'replay', n: 2 }),
    epochOf({ phase: 'replay', n: 3 }),
    900,
  ]);
});
