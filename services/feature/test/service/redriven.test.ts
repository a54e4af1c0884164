/** Letters that are sent again through the topic aside of the one that they came from. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import {
  asideTopic, catalogue, deadLetterTopic, type Redriven, redriveHeaders, replayHeaders, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import type { Pipeline } from '@millrace/define';
import { murmur2Partition, type OutRecord } from '@millrace/stream';
import {
  expectedOf, openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until, valueOf,
} from './town.ts'; // prettier-ignore

const running: RunningService[] = [];
const towns: Town[] = [];

async function runningTown(pipeline: Pipeline): Promise<Town> {
  const at = await openTown(pipeline);
  towns.push(at);
  running.push(await startService(at, at.clock));
  return at;
}

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

const SCORED = topicsOf(testPipeline).scored;
const ASIDE = asideTopic(SCORED);
const LETTERS = deadLetterTopic(SCORED);
const payments = someEvents(40).filter(({ stream }) => stream === 'transactions');
const oneKey: Pipeline = {
  ...testPipeline,
  features: {
    ...testPipeline.features,
    views: testPipeline.features.views.filter(({ key }) => key !== 'terminalId'),
  },
};

const send = async ({ broker }: Town, records: readonly OutRecord[]): Promise<void> => {
  const producer = await broker.producer();
  await producer.send(records);
  await producer.close();
};
const vectors = async (at: Town) => (await readVectors(at)).map(({ value }) => value);

const reasonsIn = async ({ broker }: Town): Promise<string[]> => {
  const reasons: string[] = [];
  const end = await broker.admin.endOffsets(LETTERS);
  for await (const run of broker.read({ from: { topic: LETTERS, at: 'beginning' }, until: end }))
    for (let i = 0; i < run.length; i++)
      reasons.push(Buffer.from(run.header(i, '__dlq.errors.message') ?? []).toString());
  return reasons;
};

describe.each([
  ['several keys, in epochs', testPipeline],
  ['one key', oneKey],
])('a letter sent again, where a pipeline has %s', (_, pipeline) => {
  /** Sends the event to a partition that is not its own; gives what sends it again to where it belongs. */
  const misplaced = async (at: Town, event: (typeof payments)[number]) => {
    const codec = await openCodec<object>(at.registry, catalogue([pipeline]).find(t => t.name === SCORED)!.value!);
    const key = Buffer.from(event.value.customerId);
    const home = murmur2Partition(key, pipeline.partitions);
    const partition = (home + 1) % pipeline.partitions;
    const [{ offset } = { offset: 0 }] = (await at.broker.admin.endOffsets(SCORED)).filter(end => end.partition === partition);
    const value = codec.encode(valueOf(event));
    await send(at, [{ topic: SCORED, partition, key, value }]);
    const redriven: Redriven = { source: { topic: SCORED, partition, offset }, count: 1 };
    return { source: redriven.source, again: { topic: ASIDE, partition: home, key, value, headers: redriveHeaders(redriven) } };
  }; // prettier-ignore

  test('is answered once, as of its own time, with the coordinates of where it first stood', async () => {
    const at = await runningTown(pipeline);
    const [first, second, ...others] = payments.slice(0, 12) as [(typeof payments)[0], (typeof payments)[0]];
    const letters = [await misplaced(at, first), await misplaced(at, second)];
    await publish(at, others);
    await until(async () => (await reasonsIn(at)).length === 2 && (await vectors(at)).length === 10);

    await send(at, letters.map(({ again }) => again)); // prettier-ignore
    await until(async () => (await vectors(at)).length === 12);
    const found = new Map((await vectors(at)).map(vector => [vector.eventId, vector]));
    const ideal = expectedOf(
      pipeline,
      letters.map(({ source: { partition, offset } }, i) => {
        const event = [first, second][i]!;
        const fields = valueOf(event);
        return { ...event.value, ...source(partition, offset), fields, stream: event.stream, time: event.value.txAt };
      }),
    ); // prettier-ignore
    letters.forEach(({ source: from }, i) => {
      const { eventId } = [first, second][i]!.value;
      expect(found.get(eventId)).toMatchObject({
        sourceTopic: SCORED,
        sourcePartition: from.partition,
        sourceOffset: from.offset,
        // The oldest of all events: nothing that was folded before them counts.
        features: { customerTxCount1d: ideal.get(eventId)!.values[3] },
      });
    });

    // The same again, and behind it one that has not been seen: there is nothing more of the first.
    const last = await misplaced(at, payments[12]!);
    await send(at, [...letters.map(({ again }) => again), last.again]);
    await until(async () => (await vectors(at)).length >= 13);
    expect((await vectors(at)).length).toBe(13);
  });

  test("does not take the place of its entity's newest", async () => {
    const at = await runningTown(pipeline);
    const [older] = payments as [(typeof payments)[0]];
    const { value } = older;
    const newer = {
      ...older,
      value: { ...value, eventId: 'newer', txAt: value.txAt + 60_000 },
    } as typeof older;
    const { again } = await misplaced(at, older);
    await publish(at, [newer]);
    await until(async () => (await vectors(at)).length === 1);
    await send(at, [again]);
    await until(async () => (await vectors(at)).length === 2);
    const { features, aside } = topicsOf(pipeline);
    expect((await readVectors(at)).map(one => [one.topic, one.value.eventId, one.value.late])).toEqual([
      [features, 'newer', false],
      [aside, value.eventId, true],
    ]);
  });

  test('what a replay has written again is passed over, on the topic and aside of it: it is in no window and has no vector', async () => {
    const at = await runningTown(pipeline);
    const [first, ...others] = payments.slice(0, 6) as [(typeof payments)[0]];
    const { again } = await misplaced(at, first);
    const headers = replayHeaders({ run: 'again', source: { topic: SCORED, partition: 0, offset: 0 } });
    // As if it were new: nobody has folded it, so nothing but the header keeps it out.
    const right = { topic: SCORED, partition: again.partition, key: again.key, value: again.value };
    await send(at, [{ ...right, headers }, { ...again, headers: [...headers, ...again.headers] }, { ...right, value: Buffer.from('?'), headers }]);
    await publish(at, others);
    await until(async () => (await vectors(at)).length === others.length);
    await send(at, [right]);
    await until(async () => (await vectors(at)).length === others.length + 1);
    expect((await vectors(at)).map(({ eventId }) => eventId).toSorted()).toEqual([first, ...others].map(({ value }) => value.eventId).toSorted());
    expect((await reasonsIn(at)).length).toBe(1);
  }); // prettier-ignore

  test('is put aside anew where it does not say where it first stood', async () => {
    const at = await runningTown(pipeline);
    const { again } = await misplaced(at, payments[0]!);
    const elsewhere: Redriven = { source: { topic: 'another.v1', partition: 0, offset: 0 }, count: 1 };
    await send(at, [
      { ...again, headers: [] },
      { ...again, headers: redriveHeaders(elsewhere) },
    ]);
    await until(async () => (await reasonsIn(at)).length === 3);
    expect((await reasonsIn(at)).filter(text => text.includes('millrace dlq redrive')).length).toBe(2);
    expect(await vectors(at)).toEqual([]);
  });
});

const source = (partition: number, offset: number) => ({
  partition,
  offset,
  revision: 0,
  withdrawn: false,
  knownAt: undefined,
});
