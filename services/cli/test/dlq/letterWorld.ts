/** A world in memory with letters as a processor writes them. */
import { memoryRegistry } from '@millrace/avro';
import { asideTopic, catalogue, deadLetterTopic, schemaPlan, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { type MemoryBroker, memoryBroker, type OutRecord, perRecord, processor } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { redriveLetters } from '../../src/commands/dlq/redrive.ts';
import type { Selection } from '../../src/dlq/letters.ts';
import { applySchemaPlan, applyTopics, planTopics, type World } from '../../src/world/prepare.ts';
import { type FakeIo, fakeIo } from '../fakeIo.ts';

export const TOPIC = topicsOf(fraud).scored;
export const ASIDE = asideTopic(TOPIC);
export const LETTERS = deadLetterTopic(TOPIC);
export const PII = 'canary-4111-1111';

export interface Here extends World {
  readonly broker: MemoryBroker;
}
const opened: MemoryBroker[] = [];
export const closeAll = async (): Promise<void> => {
  for (const broker of opened.splice(0)) await broker.close();
};

export const openHere = async (): Promise<Here> => {
  const clock = systemClock;
  const world: Here = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  opened.push(world.broker);
  const topics = catalogue([fraud]);
  await applyTopics(world, await planTopics(world, topics));
  await applySchemaPlan(world, await schemaPlan(world.registry, topics));
  return world;
};

export const send = async ({ broker }: Here, records: readonly OutRecord[]): Promise<void> => {
  const producer = await broker.producer();
  await producer.send(records);
  await producer.close();
};

/** Rejects every record of the topic and of what lies aside of it, until as many letters have been written. */
export const rejectAll = async (world: Here, letters: number): Promise<void> => {
  const plain = { prepare: async () => undefined, decode: (value: Uint8Array) => value, encode: () => new Uint8Array() };
  const running = processor<Uint8Array, Record<string, never>>({
    name: 'feature fraud',
    broker: world.broker.connect(),
    group: 'g',
    inputs: [TOPIC, ASIDE].map(topic => ({ topic, codec: plain })),
    outputs: {},
    delivery: 'exactly_once',
    deadLetters: deadLetterTopic,
    commit: { intervalMs: 2 },
    fetchWaitMsMax: 5,
    createTask: () => ({ handle: perRecord((record, out) => out.reject(Buffer.from(record.value).toString().startsWith('key') ? 'wrong-key' : 'bad-value', 'no')) }),
  });
  await running.start(new AbortController().signal);
  const end = Date.now() + 10_000;
  while ((await read(world, LETTERS)).length < letters) {
    if (Date.now() > end) throw new Error('not all were rejected in time');
    await systemClock.sleep(5);
  }
  await running.stop(1_000);
}; // prettier-ignore

export interface Found {
  readonly partition: number;
  readonly value: string;
  readonly headers: ReadonlyMap<string, Uint8Array>;
}
export const read = async ({ broker }: World, topic: string): Promise<readonly Found[]> => {
  const found: Found[] = [];
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
    for (let i = 0; i < run.length; i++)
      found.push({
        partition: run.partition,
        value: Buffer.from(run.value(i) ?? []).toString(),
        headers: new Map(run.headers(i)),
      });
  return found;
};
export const valuesOf = (found: readonly Found[]): string[] => found.map(({ value }) => value).toSorted();

export const badRecords = (count: number, prefix = 'v'): OutRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    topic: TOPIC,
    partition: i % 3,
    key: Buffer.from(PII),
    value: Buffer.from(`${prefix}${i}`),
    headers: [['traceparent', Buffer.from('00-1')], ['customer', Buffer.from(PII)]],
  })); // prettier-ignore

export const again = async (
  world: World,
  options: { execute?: boolean; lettersMax?: number; loopsMax?: number } = {},
  selection: Selection = { topic: TOPIC },
): Promise<{ readonly code: number; readonly io: FakeIo; readonly told: Record<string, unknown> }> => {
  const io = fakeIo();
  const code = await redriveLetters(io, world, [fraud], selection, {
    execute: true,
    lettersMax: Number.POSITIVE_INFINITY,
    loopsMax: 3,
    output: 'json',
    ...options,
  });
  return { code, io, told: JSON.parse(io.data.at(-1) ?? '{}') as Record<string, unknown> };
};
