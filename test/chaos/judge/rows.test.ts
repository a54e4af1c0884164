import { expect, test } from '@jest/globals';
import type { PredictionLine } from '../rig/follower.ts';
import { judgeRows } from './rows.ts';

const prediction = (predictionId: string, offset: number): PredictionLine =>
  ({ predictionId, partition: 0, offset }) as PredictionLine;
const row = (id: string, event: string, offset: number) => ({
  prediction_id: id,
  event_id: event,
  topic_partition: 0,
  topic_offset: String(offset),
});

test('rows are judged by the predictions: missing, from elsewhere, of nobody, or two of an event', () => {
  const predictions = [prediction('a', 0), prediction('b', 1), prediction('b', 2)];
  expect(judgeRows([row('a', 'ea', 0), row('b', 'eb', 2)], predictions)).toEqual({
    rows: 2,
    missing: 0,
    wrong: 0,
  });
  expect(judgeRows([row('a', 'ea', 0)], predictions)).toEqual({ rows: 1, missing: 1, wrong: 0 });
  expect(judgeRows([row('a', 'ea', 0), row('b', 'eb', 9)], predictions).wrong).toBe(1);
  expect(judgeRows([row('a', 'ea', 0), row('b', 'eb', 1), row('z', 'ez', 3)], predictions).wrong).toBe(1);
  expect(judgeRows([row('a', 'ea', 0), row('b', 'ea', 1)], predictions).wrong).toBe(1);
});
