import { expect, test } from '@jest/globals';
import { isReplayHeader, isRunId, REPLAY_RUN_HEADER, replayHeaders, replayRunOf } from '../src/index.ts';

const source = { topic: 'a.v1', partition: 3, offset: 2 ** 40 };
const of = (run: string) => {
  const headers = new Map(replayHeaders({ run, source }));
  return replayRunOf(headers.get(REPLAY_RUN_HEADER));
};

test('a replayed record says by which run, and of what it is a copy', () => {
  expect(of('replay-2026.11')).toBe('replay-2026.11');
  const headers = replayHeaders({ run: 'r', source });
  expect(headers.map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
    ['__replay.run', 'r'],
    ['__replay.source.topic', 'a.v1'],
    ['__replay.source.partition', '3'],
    ['__replay.source.offset', String(2 ** 40)],
  ]);
  expect(headers.every(([name]) => isReplayHeader(name))).toBe(true);
  expect(['__redrive.count', '__dlq.errors.topic', 'replay.run'].some(isReplayHeader)).toBe(false);
});

test.each(['', 'live', 'deferred', 'schedule', 'with space', '-begins', 'x'.repeat(101)])(
  '%j is the id of no run',
  text => {
    expect([isRunId(text), of(text)]).toEqual([false, undefined]);
  },
);

test('without the header there is no run', () => {
  expect(replayRunOf(undefined)).toBeUndefined();
});
