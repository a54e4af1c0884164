/** A world in memory with records to replay, and what was replayed as another reader finds it. */
import { memoryRegistry } from '@millrace/avro';
import { catalogue, schemaPlan, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { type MemoryBroker, memoryBroker, type OutRecord } from '@millrace/stream';
import { type Clock, systemClock } from '@millrace/telemetry';
import { askedOf, type ReplayFlags, replayRun } from '../../src/commands/replay.ts';
import { applySchemaPlan, type World } from '../../src/world/prepare.ts';
import { type FakeIo, fakeIo } from '../fakeIo.ts';

export const TOPICS = topicsOf(fraud);
export const TOPIC = TOPICS.scored;
export const COPY = 'copy.v1';

export interface Here extends World {
  readonly broker: MemoryBroker;
}
const opened: MemoryBroker[] = [];
export const closeAll = async (): Promise<void> => {
  for (const broker of opened.splice(0).toReversed()) await broker.close();
};

/** @param appends clock of the broker: its append times */
export const openHere = async (appends: Clock = systemClock): Promise<Here> => {
  const world = { broker: memoryBroker({ clock: appends }), registry: memoryRegistry(), clock: systemClock };
  opened.push(world.broker);
  const topics = catalogue([fraud]);
  await world.broker.admin.createTopics([...topics, { name: COPY, partitions: fraud.partitions }]);
  await applySchemaPlan(world, await schemaPlan(world.registry, topics));
  return world;
};

/** Another client of it. */
export const connected = ({ broker }: Here): MemoryBroker => {
  const client = broker.connect();
  opened.push(client);
  return client;
};

export const send = async ({ broker }: World, records: readonly OutRecord[]): Promise<void> => {
  const producer = await broker.producer();
  await producer.send(records);
  await producer.close();
};

/** Bytes that are no value of ours, and headers of which one comes twice: a replay looks into nothing. */
export const records = (count: number, topic = TOPIC): OutRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    topic,
    partition: i % 3,
    key: i % 7 === 0 ? null : Buffer.from(`k${i}`),
    value: i % 11 === 0 ? null : Buffer.from([0, 255, i % 256, i >> 8]),
    headers: [['a', Buffer.from('1')], ['number', Buffer.from(String(i))], ['a', Buffer.from('2')]],
  })); // prettier-ignore

export interface Found {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

const hex = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('hex');

/** All that is committed, each partition in its order. */
export const found = async ({ broker }: World, topic: string): Promise<readonly Found[]> => {
  const all: Found[] = [];
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
    for (let i = 0; i < run.length; i++)
      all.push({
        partition: run.partition,
        offset: run.offset(i),
        key: hex(run.key(i)),
        value: hex(run.value(i)),
        headers: run.headers(i).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
      });
  return all.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
};

const RUN = '__replay.run';
export const runOf = ({ headers }: Found): string | undefined => headers.find(([name]) => name === RUN)?.[1];
/** As it was before it was replayed. */
export const plain = ({ partition, key, value, headers }: Found) => ({
  partition,
  key,
  value,
  headers: headers.filter(([name]) => !name.startsWith('__replay.')),
});

export interface Told extends Readonly<Record<string, unknown>> {
  readonly run: string;
}

export const run = async (
  world: World,
  flags: Partial<ReplayFlags> = {},
): Promise<{ readonly code: number; readonly io: FakeIo; readonly told: Told }> => {
  const io = fakeIo();
  const all: ReplayFlags = {
    topic: TOPIC,
    toTopic: COPY,
    by: 'test',
    execute: true,
    output: 'json',
    ...flags,
  };
  const options = { asked: askedOf(all), run: all.run, by: all.by, pipelines: [fraud] };
  const code = await replayRun(io, world, options, all);
  return { code, io, told: JSON.parse(io.data.at(-1) ?? '{}') as Told };
};
