/** Letters sent again on the broker in memory, with clients that die or are overtaken on the way. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { MILLRACE_TOPICS, redrivenOf, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition, type TransactionalProducer } from '@millrace/stream';
import { beforeReading, dying, overtaken } from '../brokers.ts';
import { again, ASIDE, badRecords, closeAll, LETTERS, openHere, PII, read, rejectAll, send, TOPIC, valuesOf } from './letterWorld.ts'; // prettier-ignore

afterEach(closeAll);

describe('letters sent again', () => {
  test('a plan does nothing; executed, each goes once to the topic aside, as it was, with where it first stood', async () => {
    const world = await openHere();
    await send(world, badRecords(7));
    await rejectAll(world, 7);
    const plan = await again(world, { execute: false });
    expect(plan.told).toMatchObject({ from: LETTERS, to: ASIDE, executed: false, letters: 7, byReason: { 'bad-value': 7 } });
    expect(await read(world, ASIDE)).toEqual([]);

    expect((await again(world)).told).toMatchObject({ executed: true, letters: 7, left: { redriven: 0 } });
    const copies = await read(world, ASIDE);
    expect(valuesOf(copies)).toEqual(valuesOf(await read(world, LETTERS)));
    for (const { value, partition, headers } of copies) {
      const i = Number(value.slice(1));
      expect(redrivenOf(name => headers.get(name))).toEqual({
        source: { topic: TOPIC, partition: i % 3, offset: Math.floor(i / 3) },
        count: 1,
      });
      expect([partition, [...headers.keys()].filter(name => !name.startsWith('__redrive.'))]).toEqual([i % 3, ['traceparent', 'customer']]);
    }
    // Once more: nothing is left to send, and what is sent again stays off the topic that others read.
    expect((await again(world)).told).toMatchObject({ letters: 0, left: { redriven: 7 } });
    expect([(await read(world, ASIDE)).length, (await read(world, TOPIC)).length]).toEqual([7, 7]);
  }); // prettier-ignore

  test('killed between any two steps and run again, it sends each letter once', async () => {
    const steps = (['send', 'commit'] as const).flatMap(step => (['before', 'after'] as const).flatMap(when => [1, 2].map(nth => [step, when, nth] as const)));
    for (const [step, when, nth] of steps) {
      const world = await openHere();
      await send(world, badRecords(5));
      await rejectAll(world, 5);
      await expect(again({ ...world, broker: dying(world.broker, step, when, nth) })).rejects.toThrow('this client is dead');
      await again(world);
      expect([step, when, nth, valuesOf(await read(world, ASIDE))]).toEqual([step, when, nth, ['v0', 'v1', 'v2', 'v3', 'v4']]);
    }
  }); // prettier-ignore

  test('behind a transaction that a run over another topic has left open, it waits until it can read every mark', async () => {
    const world = await openHere();
    await send(world, badRecords(5));
    await rejectAll(world, 5);
    let killed: TransactionalProducer | undefined;
    const opened = async (): Promise<void> => {
      killed = await world.broker.transactionalProducer('of another topic');
      await killed.send([{ topic: MILLRACE_TOPICS.redrives, partition: 0, key: Buffer.from('of another topic'), value: null }]);
    };
    // Its marks come to lie behind what is open.
    expect((await again(overtaken(world, opened, 2, 'send'))).told).toMatchObject({ letters: 5 });
    const second = await again(beforeReading(world, () => killed!.abort()));
    expect(second.told).toMatchObject({ letters: 0, left: { redriven: 5 } });
    expect((await read(world, ASIDE)).length).toBe(5);
  }); // prettier-ignore

  test('of two at once the later goes on alone, and each letter is sent once', async () => {
    const world = await openHere();
    await send(world, badRecords(5));
    await rejectAll(world, 5);
    const client = world.broker.connect();
    const takenOver = overtaken({ ...world, broker: client }, () => again(world).then(() => undefined), 2);
    const first = await again(takenOver);
    expect([first.code, first.io.said.join()]).toEqual([1, expect.stringContaining('another redrive')]);
    expect((await read(world, ASIDE)).length).toBe(5);
    await client.close();
  });

  test('some of them: by reason, partition, offset and number; those left can be sent later', async () => {
    const world = await openHere();
    await send(world, [...badRecords(6), ...badRecords(2, 'key')]);
    await rejectAll(world, 8);
    expect((await again(world, {}, { topic: LETTERS, reason: 'wrong-key' })).told).toMatchObject({ letters: 2 });
    // What another partitioner has misplaced goes where its key belongs.
    const home = murmur2Partition(Buffer.from(PII), fraud.partitions);
    expect((await read(world, ASIDE)).map(({ partition }) => partition)).toEqual([home, home]);
    expect((await again(world, {}, { topic: TOPIC, partitions: [1], fromOffset: 0, toOffset: 0 })).told).toMatchObject({ letters: 1 });
    expect((await again(world, { lettersMax: 2 })).told).toMatchObject({ letters: 2, left: { redriven: 3, beyondMax: 3 } });
    expect((await again(world)).told).toMatchObject({ letters: 3, left: { redriven: 5, beyondMax: 0 } });
    expect((await read(world, ASIDE)).length).toBe(8);
  }); // prettier-ignore

  test('what comes back again and again is left after its limit, and said; it keeps where it first stood', async () => {
    const world = await openHere();
    await send(world, badRecords(1));
    for (let round = 1; round <= 2; round++) {
      await rejectAll(world, round);
      expect((await again(world, { loopsMax: 2 })).told).toMatchObject({ letters: 1 });
    }
    await rejectAll(world, 3);
    const last = await again(world, { loopsMax: 2 });
    expect(last.told).toMatchObject({ letters: 0, left: { redriven: 2, loops: 1 } });
    const [, second] = await read(world, ASIDE);
    expect(redrivenOf(name => second!.headers.get(name))).toEqual({ source: { topic: TOPIC, partition: 0, offset: 0 }, count: 2 });
  }); // prettier-ignore

  test('headers that a producer has made up are not believed', async () => {
    const world = await openHere();
    const [record] = badRecords(1);
    const forged = ['source.topic', 'source.partition', 'source.offset', 'count'].map(
      name => [`__redrive.${name}`, Buffer.from('9')] as const,
    );
    await send(world, [{ ...record!, headers: forged }]);
    await rejectAll(world, 1);
    await again(world);
    const [copy] = await read(world, ASIDE);
    expect(redrivenOf(name => copy!.headers.get(name))).toEqual({ source: { topic: TOPIC, partition: 0, offset: 0 }, count: 1 });
  }); // prettier-ignore

  test('what somebody else wrote is left; what travels between stages is refused with the reason', async () => {
    const world = await openHere();
    await send(world, [{ topic: LETTERS, partition: 0, key: null, value: Buffer.from('?') }]);
    expect((await again(world)).told).toMatchObject({ letters: 0, left: { foreign: 1 } });
    await expect(again(world, {}, { topic: topicsOf(fraud).release! })).rejects.toThrow(
      'an epoch that is closed',
    );
    await expect(again(world, {}, { topic: 'nothing' })).rejects.toThrow(
      'there are those of fraud.transactions.v1',
    );
  });
});
