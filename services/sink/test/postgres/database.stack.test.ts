import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { PredictionValue } from '@millrace/contracts';
import { describeStack, stackAddresses, stackTest as test, uniqueName } from '../../../../test/jest/stack.ts';
import { type Database, openDatabase } from '../../src/postgres/database.ts';
import { prediction } from '../prediction.ts';
import { BadRows, OvertakenError, StoredOffsetError } from '../../src/postgres/errors.ts';

const UNSTORABLE: Readonly<Record<string, Partial<PredictionValue>>> = {
  'a character that PostgreSQL has no text for': { entity: 'a\u0000b' },
  'half of a character': { entity: 'a\ud800b' },
  'an entity longer than its index takes': { entity: randomBytes(6_000).toString('hex') },
  'a time that no calendar of PostgreSQL has': { eventTime: 8.64e15 },
};

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
    expect(await database.openPartition(at, 0)).toBe(0);
    await database.store(at, 0, 2, pipeline, [
      { prediction: prediction(`${pipeline}-1`), offset: 0 },
      { prediction: prediction(`${pipeline}-2`, { decision: 'block' }), offset: 1 },
    ]);
    expect(await database.openPartition(at, 0)).toBe(2);
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
    expect(await database.openPartition(at, 0)).toBe(2);
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
    await database.openPartition(aside, 0);
    await database.store(aside, 0, 1, pipeline, [{ prediction: earlier, offset: 0 }]);
    expect(await database.openPartition(aside, 0)).toBe(1);
    const [row] = await database.predictions(pipeline, `e-${pipeline}-1`);
    expect(row).toMatchObject({ outputs: { score: 0.75 }, topic_offset: '3' });
  });

  test('an empty batch moves the offset alone', async () => {
    await database.store(at, 4, 10, pipeline, []);
    expect(await database.openPartition(at, 0)).toBe(10);
  });

  test('offsets of a recreated topic are refused with the remedy', async () => {
    await expect(database.openPartition({ ...at, topicId: 'two' }, 0)).rejects.toThrow(StoredOffsetError);
    await expect(database.openPartition({ ...at, clusterId: 'other' }, 0)).rejects.toThrow(
      'DELETE FROM millrace.consumer_offsets',
    );
    await expect(database.store({ ...at, topicId: 'two' }, 10, 11, pipeline, [])).rejects.toThrow(
      OvertakenError,
    );
  });

  test('of two first writers one stores, and the other is told; without its offset nobody stores', async () => {
    const fresh = { ...at, partition: 1 };
    const store = async (id: string): Promise<string> => {
      const from = await database.openPartition(fresh, 0);
      await database.store(fresh, from, 2, pipeline, [{ prediction: prediction(id), offset: 1 }]);
      return id;
    };
    const [one, other] = [`${pipeline}-first-a`, `${pipeline}-first-b`];
    const results = await Promise.allSettled([store(one), store(other)]);
    expect(results.map(result => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await database.storedIds([one, other])).size).toBe(1);
    // The row may be gone under a writer that had it, such as after a restore.
    await expect(database.store({ ...at, partition: 2 }, 7, 9, pipeline, [])).rejects.toThrow(OvertakenError);
    expect(await database.openPartition({ ...at, partition: 2 }, 3)).toBe(3);
  });

  for (const [what, changes] of Object.entries(UNSTORABLE))
    test(`${what} is the fault of the row, and moves nothing`, async () => {
      const before = await database.openPartition(at, 0);
      const rows = [{ prediction: prediction(`${pipeline}-bad`, changes), offset: before }];
      await expect(database.store(at, before, before + 1, pipeline, rows)).rejects.toThrow(BadRows);
      expect(await database.openPartition(at, 0)).toBe(before);
    });
});
