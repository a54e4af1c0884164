import { afterAll, beforeAll, expect } from '@jest/globals';
import type { PredictionValue } from '@millrace/contracts';
import { describeStack, stackAddresses, stackTest as test, uniqueName } from '../../../../test/jest/stack.ts';
import {
  type Database,
  ForeignTopicError,
  openDatabase,
  OvertakenError,
} from '../../src/postgres/database.ts';

const prediction = (id: string, changes: Partial<PredictionValue> = {}): PredictionValue => ({
  predictionId: id, eventId: `e-${id}`, revision: 0, sequence: 1, entity: 'C1', eventTime: Date.UTC(2026, 0, 5, 12, 0, 0, 1),
  appendTime: Date.UTC(2026, 0, 5, 12, 0, 1), scoredAt: Date.UTC(2026, 0, 5, 12, 0, 2), outputs: { score: 0.25 }, decision: 'approve',
  kpis: { expectedLoss: 2.5 }, model: 'fraud', modelVersion: '1', modelDigest: 'd', featureSet: 1, featureSetHash: 'h', controlRevision: 1,
  route: 'stream', routeVersion: 1, arm: 'champion', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: 't',
  sourcePartition: 0, sourceOffset: 9, vectorOffset: 8, inputHash: 'i', batchId: 'b', runId: 'live', seq: 0, final: true,
  supersedes: null, traceparent: null, features: { amount: 10, gap: Number.NaN }, ...changes,
}); // prettier-ignore

describeStack('predictions in PostgreSQL', () => {
  let database: Database;
  const pipeline = uniqueName('sink');
  const at = { clusterId: 'c', group: uniqueName('group'), topic: 'p', topicId: 'one', partition: 0 };

  beforeAll(async () => {
    database = openDatabase({ url: stackAddresses().postgres, connectionsMax: 4, connectTimeoutS: 10 });
    await Promise.all([database.migrate(), database.migrate(), database.migrate()]);
  });
  afterAll(() => database.close());

  test('rows and offset move together, and come back as they were', async () => {
    expect(await database.storedOffset(at)).toBeUndefined();
    await database.store(at, 0, 2, pipeline, [
      { prediction: prediction(`${pipeline}-1`), offset: 0 },
      { prediction: prediction(`${pipeline}-2`, { decision: 'block' }), offset: 1 },
    ]);
    expect(await database.storedOffset(at)).toBe(2);
    const [row] = await database.predictions(pipeline, `e-${pipeline}-1`);
    expect(row).toMatchObject({
      event_time: new Date(Date.UTC(2026, 0, 5, 12, 0, 0, 1)),
      outputs: { score: 0.25 },
      features: { amount: 10, gap: null },
      topic_offset: '0',
      fallback: null,
    });
    expect(await database.summary(pipeline)).toEqual({ rows: 2, decisions: { approve: 1, block: 1 } });
  });

  test('a writer that was overtaken stores nothing', async () => {
    const rows = [{ prediction: prediction(`${pipeline}-late`), offset: 0 }];
    await expect(database.store(at, 0, 5, pipeline, rows)).rejects.toThrow(OvertakenError);
    expect(await database.storedOffset(at)).toBe(2);
    expect(await database.predictions(pipeline, `e-${pipeline}-late`)).toEqual([]);
  });

  test('the same id again is the same row, and the last one stands', async () => {
    const twice = [0.5, 0.75].map((score, i) => ({
      prediction: prediction(`${pipeline}-1`, { outputs: { score } }),
      offset: 2 + i,
    }));
    await database.store(at, 2, 4, pipeline, twice);
    const rows = await database.predictions(pipeline, `e-${pipeline}-1`);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ outputs: { score: 0.75 }, topic_offset: '3' });
  });

  test('a letter sent again does not take the place of what was scored after it', async () => {
    const earlier = prediction(`${pipeline}-1`, { scoredAt: Date.UTC(2026, 0, 5), outputs: { score: 0.1 } });
    const aside = { ...at, topic: 'p.aside' };
    await database.store(aside, 0, 1, pipeline, [{ prediction: earlier, offset: 0 }]);
    expect(await database.storedOffset(aside)).toBe(1);
    const [row] = await database.predictions(pipeline, `e-${pipeline}-1`);
    expect(row).toMatchObject({ outputs: { score: 0.75 }, topic_offset: '3' });
  });

  test('an empty batch moves the offset alone', async () => {
    await database.store(at, 4, 10, pipeline, []);
    expect(await database.storedOffset(at)).toBe(10);
  });

  test('offsets of a recreated topic are refused with the remedy', async () => {
    await expect(database.storedOffset({ ...at, topicId: 'two' })).rejects.toThrow(ForeignTopicError);
    await expect(database.storedOffset({ ...at, clusterId: 'other' })).rejects.toThrow('Delete its rows');
    await expect(database.store({ ...at, topicId: 'two' }, 10, 11, pipeline, [])).rejects.toThrow(
      OvertakenError,
    );
  });
});
