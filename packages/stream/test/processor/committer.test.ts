import { beforeEach, expect, test } from '@jest/globals';
import { type TurnedClock, turnedClock } from '@millrace/telemetry';
import { Committer } from '../../src/processor/committer.ts';

let clock: TurnedClock;
let cuts: number[];
let ends: PromiseWithResolvers<boolean>[];
let errors: unknown[];
let committer: Committer;

/** A flush waits for the event loop's next turn; one that follows another needs two. */
const settled = async (): Promise<void> => {
  await clock.turn(0);
  await clock.turn(0);
};

beforeEach(() => {
  clock = turnedClock(1_000);
  cuts = [];
  ends = [];
  errors = [];
  const deliver = (): Promise<boolean> => {
    cuts.push(clock.now());
    const end = Promise.withResolvers<boolean>();
    ends.push(end);
    return end.promise;
  };
  const options = { intervalMs: 100, marks: { recordsMark: 10, bytesMark: 1_000 } };
  committer = new Committer(clock, options, deliver, error => errors.push(error));
});

test('waits its interval from the first change', async () => {
  committer.touch(1, 10);
  await clock.turn(60);
  committer.touch(1, 10);
  await clock.turn(39);
  expect(cuts).toEqual([]);
  await clock.turn(1);
  await settled();
  expect(cuts).toEqual([1_100]);
});

test('what waits on the grid waits to its next line, however many changes come', async () => {
  const options = { intervalMs: 100, marks: { recordsMark: 10, bytesMark: 1_000 }, onGrid: true };
  const onGrid = new Committer(
    clock,
    options,
    async () => {
      cuts.push(clock.now());
      return false;
    },
    error => errors.push(error),
  );
  await clock.turn(30);
  for (let i = 0; i < 20; i++) {
    if (i % 3 === 0) onGrid.touch(1, 1);
    await clock.turn(10);
    await settled();
  }
  expect(cuts).toEqual([1_100, 1_200]);
  await clock.turn(70);
  await settled();
  expect(cuts).toEqual([1_100, 1_200, 1_300]);
});

test('a timer that was not needed runs on, and what comes meanwhile still waits its interval', async () => {
  committer.touch(1, 1);
  committer.soon();
  await settled();
  ends[0]!.resolve(false);
  await clock.turn(50);
  committer.touch(1, 1);
  await clock.turn(99);
  await settled();
  expect(cuts).toEqual([1_000]);
  await clock.turn(1);
  await settled();
  expect(cuts).toEqual([1_000, 1_150]);
});

test('a clock that steps back makes it wait no longer than its interval', async () => {
  let nowMs = 5_000;
  const stepping = { now: () => nowMs, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal) };
  const options = { intervalMs: 100, marks: { recordsMark: 10, bytesMark: 1_000 } };
  const stepped = new Committer(
    stepping,
    options,
    async () => cuts.push(nowMs) > 99,
    error => errors.push(error),
  );
  stepped.touch(1, 1);
  nowMs = 1_000;
  await clock.turn(100);
  nowMs = 1_100;
  await clock.turn(100);
  await settled();
  expect(cuts).toEqual([1_100]);
});

test.each([
  ['records', 10, 0],
  ['bytes', 1, 1_000],
])('does not wait when the mark of %s is reached', async (_, records, bytes) => {
  committer.touch(records, bytes);
  expect(cuts).toEqual([]);
  await settled();
  expect(cuts).toEqual([1_000]);
});

test('sends one at a time, and cuts what gathered meanwhile as soon as its interval is over', async () => {
  committer.soon();
  await settled();
  committer.touch(1, 1);
  await clock.turn(500);
  await settled();
  expect(cuts).toEqual([1_000]);
  ends[0]!.resolve(false);
  await settled();
  expect(cuts).toEqual([1_000, 1_500]);
  ends[1]!.resolve(false);
  await clock.turn(1_000);
  await settled();
  expect(cuts).toHaveLength(2);
});

test('asked while it sends, it sends again without a wait', async () => {
  committer.soon();
  await settled();
  committer.soon();
  ends[0]!.resolve(false);
  await settled();
  expect(cuts).toHaveLength(2);
});

test('a drain waits for what is in flight and sends the rest', async () => {
  committer.soon();
  await settled();
  committer.touch(1, 1);
  let drained = false;
  const draining = committer.drain().then(() => (drained = true));
  ends[0]!.resolve(false);
  await settled();
  expect([cuts.length, drained]).toEqual([2, false]);
  ends[1]!.resolve(false);
  await draining;
});

test('what one commit had no room for follows at once, also in a drain', async () => {
  committer.soon();
  await settled();
  ends[0]!.resolve(true);
  await settled();
  expect(cuts).toHaveLength(2);
  let drained = false;
  const draining = committer.drain().then(() => (drained = true));
  for (const more of [true, true]) {
    ends.at(-1)!.resolve(more);
    await settled();
  }
  expect([cuts.length, drained]).toEqual([4, false]);
  ends[3]!.resolve(false);
  await draining;
  expect(cuts).toHaveLength(4);
});

test('after an error it cuts nothing more', async () => {
  committer.soon();
  await settled();
  ends[0]!.reject(new Error('gone'));
  await settled();
  committer.touch(10, 0);
  await clock.turn(1_000);
  await settled();
  expect(errors).toEqual([new Error('gone')]);
  expect(cuts).toHaveLength(1);
});
