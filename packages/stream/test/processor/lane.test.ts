import { beforeEach, expect, test } from '@jest/globals';
import { type Metrics, noMetrics, turnedClock } from '@millrace/telemetry';
import type { RecordRun } from '../../src/broker/port.ts';
import { Gate } from '../../src/processor/gate.ts';
import { Lane } from '../../src/processor/lane.ts';
import type { LaneMarks } from '../../src/processor/options.ts';
import { bytes, textCodec } from './rig.ts';

const at = { topic: 'in', partition: 0 };
const clock = turnedClock(0);
let told: string[];
let counted: [string, number][];

const runOf = (first: number, length: number, size = 10): RecordRun => ({
  ...at,
  length,
  bytes: length * size,
  nextOffset: first + length,
  highWatermark: 1_000,
  offset: i => first + i,
  appendTimeMs: () => 0,
  key: () => null,
  value: () => bytes('x'.repeat(size)),
  header: () => undefined,
  headers: () => [],
});

const gate = (): Gate => {
  const metrics: Metrics = {
    ...noMetrics,
    count: (name, _, by) => counted.push([name, by ?? 1]),
    set: (name, _, value) => counted.push([name, value]),
  };
  return new Gate(at, { pause: () => told.push('pause'), resume: () => told.push('resume') }, clock, metrics);
};

const laneOf = (marks: LaneMarks | 'unbounded'): Lane<string> =>
  new Lane({ topic: 'in', codec: textCodec, lane: marks }, { ...at, offset: 0 }, gate());

beforeEach(() => {
  told = [];
  counted = [];
});

test('closes at the high mark of rows and opens at the low one, by what is committed', () => {
  const lane = laneOf({ rowsHigh: 10, rowsLow: 4, bytesHigh: 1e9, bytesLow: 1e9 });
  lane.push(runOf(0, 9));
  expect(told).toEqual([]);
  lane.push(runOf(9, 3));
  expect([told, lane.rows]).toEqual([['pause'], 12]);
  lane.release(7);
  expect(told).toEqual(['pause']);
  lane.release(1);
  expect([told, lane.rows]).toEqual([['pause', 'resume'], 4]);
});

test('closes at the high mark of bytes; bytes are freed with the last record of their run', () => {
  const lane = laneOf({ rowsHigh: 1e9, rowsLow: 1e9, bytesHigh: 100, bytesLow: 50 });
  lane.push(runOf(0, 6));
  lane.push(runOf(6, 4));
  expect(told).toEqual(['pause']);
  lane.release(5);
  expect(told).toEqual(['pause']);
  lane.release(1);
  expect(told).toEqual(['pause', 'resume']);
});

test('an unbounded lane never closes', () => {
  const lane = laneOf('unbounded');
  lane.push(runOf(0, 100_000, 100));
  expect(told).toEqual([]);
});

test('started anew it is empty, and says whether reading has to go back', () => {
  const lane = laneOf({ rowsHigh: 1, rowsLow: 0, bytesHigh: 1e9, bytesLow: 0 });
  expect(lane.startAt(0)).toBe(false);
  lane.push(runOf(0, 2));
  expect(lane.startAt(0)).toBe(true);
  expect([lane.rows, lane.queue.length, told]).toEqual([0, 0, ['pause', 'resume']]);
  lane.drop(runOf(0, 2));
  expect(lane.startAt(2)).toBe(false);
});

test('a gate stays closed while anybody has a reason, and counts the time', async () => {
  const one = gate();
  one.close('task');
  one.close('lane');
  one.close('task');
  await clock.turn(2_000);
  one.open('task');
  one.open('task');
  expect(told).toEqual(['pause']);
  one.open('lane');
  expect(told).toEqual(['pause', 'resume']);
  expect(counted).toEqual([
    ['millrace_partition_paused', 1],
    ['millrace_paused_seconds_total', 2],
    ['millrace_partition_paused', 0],
  ]);
});
