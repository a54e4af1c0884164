import { type Codec, memoryRegistry, openCodec, type Registry } from '@millrace/avro';
import {
  applySchemas,
  catalogue,
  type FeaturesValue,
  schemaPlan,
  topicsOf,
  valueSubject,
} from '@millrace/contracts';
import { field, type Pipeline, share } from '@millrace/define';
import {
  compareOrder,
  compileSet,
  type FoldEvent,
  foldInOrder,
  readEvent,
  type Vector,
} from '@millrace/features';
import { fraud, FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import type { Component } from '@millrace/runtime';
import {
  type Broker,
  BrokerError,
  memoryBroker,
  type MemoryBroker,
  murmur2Partition,
} from '@millrace/stream';
import { type Clock, type Logger, noLogger, noMetrics, systemClock } from '@millrace/telemetry';
import { FEATURE_DEFAULTS, type FeatureSettings } from '../../src/config.ts';
import { featureService } from '../../src/service.ts';

/** The system's clock, moved forward by the tests to spread what they publish over many epochs. */
export interface ShiftedClock extends Clock {
  shift(ms: number): void;
}

function shiftedClock(): ShiftedClock {
  let shiftMs = 0;
  return {
    now: () => systemClock.now() + shiftMs,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    shift: ms => (shiftMs += ms),
  };
}

/** A world with topics and schemas for one pipeline, and somebody who publishes. */
export interface Town {
  readonly pipeline: Pipeline;
  readonly clock: ShiftedClock;
  readonly broker: MemoryBroker;
  readonly registry: Registry;
}

export const testPipeline: Pipeline = {
  ...fraud,
  delivery: { ...fraud.delivery, epochMs: 20 },
};

/** The same payments and labels with customers alone: one key, two streams. */
export const oneKeyPipeline: Pipeline = {
  ...testPipeline,
  events: Object.fromEntries(
    Object.entries(testPipeline.events).map(([stream, of]) => [stream, { ...of, keys: ['customerId'] }]),
  ),
  features: {
    ...testPipeline.features,
    views: [
      ...testPipeline.features.views.filter(({ key }) => key !== 'terminalId'),
      {
        name: 'customer-risk',
        version: 1,
        key: 'customerId',
        features: { customerRisk30d: share({ of: 'labels', where: field('isFraud'), window: '30d' }) },
      },
    ],
  },
};

/** @param runRecordsMax most records that a task is handed at once */
export async function openTown(pipeline: Pipeline = testPipeline, runRecordsMax?: number): Promise<Town> {
  const clock = shiftedClock();
  const town = {
    pipeline,
    clock,
    broker: memoryBroker({ clock, ...(runRecordsMax !== undefined && { runRecordsMax }) }),
    registry: memoryRegistry(),
  };
  await prepareTown(town);
  return town;
}

export async function prepareTown(world: {
  pipeline: Pipeline;
  broker: Broker;
  registry: Registry;
}): Promise<void> {
  const topics = catalogue([world.pipeline]);
  await world.broker.admin.createTopics(
    topics.map(({ name, partitions, config }) => ({ name, partitions, config })),
  );
  await applySchemas(world.registry, await schemaPlan(world.registry, topics));
}

export type Published = readonly { readonly event: FoldEvent; readonly appended: number }[];

/** Some days of payments and their labels, the labels soon enough to count. */
export function someEvents(count: number, seed = 1): readonly SimulatedEvent[] {
  const days = 12;
  const simulation = { ...FRAUD_SIMULATION, seed, customers: 30, terminals: 12, days, labelDelayDays: 7 };
  const events: SimulatedEvent[] = [];
  for (const event of simulateFraud(simulation)) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

export const valueOf = ({ value }: SimulatedEvent): Record<string, unknown> => ({
  revision: 0,
  withdrawn: false,
  lineage: null,
  ...value,
});

/** Publishes in the order given; the clock goes forward by `gapMs` after each. */
export async function publish(
  {
    pipeline,
    broker,
    registry,
    clock,
  }: Pick<Town, 'pipeline' | 'registry'> & { broker: Broker; clock?: ShiftedClock },
  events: readonly SimulatedEvent[],
  gapMs = 5,
): Promise<readonly FoldEvent[]> {
  const codecs = new Map<string, Codec<Record<string, unknown>>>();
  const topics = topicsOf(pipeline);
  for (const { name, value } of catalogue([pipeline]))
    if (value !== undefined && Object.values(topics.events).includes(name))
      codecs.set(name, await openCodec(registry, value));
  const producer = await broker.producer();
  const ends = await endsOf({ pipeline, broker });
  const next = new Map<string, number>();
  const published: FoldEvent[] = [];
  for (const event of events) {
    const topic = topics.events[event.stream]!;
    const value = valueOf(event);
    const key = Buffer.from(String(value[pipeline.events[event.stream]!.keys[0]!]));
    const partition = murmur2Partition(key, pipeline.partitions);
    const place = `${topic} ${partition}`;
    const offset = next.get(place) ?? ends.get(place)!;
    next.set(place, offset + 1);
    await producer.send([{ topic, partition, key, value: codecs.get(topic)!.encode(value) }]);
    clock?.shift(gapMs);
    published.push(readEvent(pipeline, event.stream, value, partition, offset));
  }
  await producer.close();
  return published;
}

/** What the features topic and the one beside it should hold, by event id. */
export function expectedOf(pipeline: Pipeline, events: readonly FoldEvent[]): ReadonlyMap<string, Vector> {
  const vectors = foldInOrder(compileSet(pipeline), [...events].sort(compareOrder));
  return new Map([...vectors].map(vector => [vector.event.eventId, vector]));
}

export interface Written {
  readonly value: FeaturesValue;
  readonly key: string;
  readonly partition: number;
  readonly topic: string;
}

export async function readVectors({
  pipeline,
  broker,
  registry,
}: Pick<Town, 'pipeline' | 'registry'> & { broker: Broker }): Promise<readonly Written[]> {
  const { features, aside } = topicsOf(pipeline);
  const written: Written[] = [];
  for (const topic of [features, aside]) {
    const { schema } = catalogue([pipeline]).find(t => t.name === topic)!.value!;
    const codec = await openCodec<FeaturesValue>(registry, { subject: valueSubject(topic), schema });
    const until = await broker.admin.endOffsets(topic);
    for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
      for (let i = 0; i < run.length; i++) {
        const value = codec.decode(run.value(i)!) as FeaturesValue;
        written.push({ value, topic, partition: run.partition, key: Buffer.from(run.key(i)!).toString() });
      }
  }
  return written;
}

/** Ends of all topics of the pipeline: whatever is written moves one of them. */
export async function endsOf({
  pipeline,
  broker,
}: {
  pipeline: Pipeline;
  broker: Broker;
}): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  for (const { name } of catalogue([pipeline]))
    for (const { partition, offset } of await broker.admin.endOffsets(name))
      ends.set(`${name} ${partition}`, offset);
  return ends;
}

export interface RunningService {
  readonly component: Component;
  readonly abort: AbortController;
  stop(): Promise<void>;
}

export async function startService(
  { pipeline, broker, registry }: Pick<Town, 'pipeline' | 'registry'> & { broker: Broker },
  clock: Clock,
  settings: Partial<FeatureSettings> = {},
  logger: Logger = noLogger,
): Promise<RunningService> {
  const component = featureService({
    pipeline,
    broker,
    registry,
    clock,
    random: Math.random,
    metrics: noMetrics,
    logger,
    config: { ...FEATURE_DEFAULTS, fetchWaitMsMax: 10, ...settings },
  });
  const abort = new AbortController();
  await component.start(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await component.stop(2_000);
  };
  return { component, abort, stop };
}

/** Waits until the question has this answer; the limit is there for tests that fail. */
export async function until(answer: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  const endMs = systemClock.now() + limitMs;
  while (!(await answer())) {
    if (systemClock.now() > endMs) throw new Error('it did not happen in time');
    await systemClock.sleep(20);
  }
}

/** Waits for the end of a life. @returns false where all was done before: on a busy machine few commits carry much */
export async function diedBefore(dead: Promise<void>, isDone: () => Promise<boolean>): Promise<boolean> {
  let isDead = false;
  void dead.then(() => (isDead = true));
  await until(async () => isDead || (await isDone()));
  return isDead;
}

/** A client of the broker that dies without a word after so many commits, of whatever task. */
export function doomed(
  broker: MemoryBroker,
  commits: number,
): { readonly broker: Broker; readonly dead: Promise<void> } {
  const client = broker.connect();
  const { promise: dead, resolve: die } = Promise.withResolvers<void>();
  let left = commits;
  const alive = (): void => {
    if (left <= 0) throw new BrokerError('this client is dead', { retriable: true });
  };
  const transactionalProducer: Broker['transactionalProducer'] = async id => {
    alive();
    const producer = await client.transactionalProducer(id);
    return {
      ...delegate(producer, ['sendOffsets', 'abort', 'close']),
      send: async records => {
        alive();
        await producer.send(records);
      },
      commit: async () => {
        alive();
        await producer.commit();
        if (--left > 0) return;
        client.silence();
        die();
      },
    };
  };
  const rest = delegate(client, ['producer', 'join', 'read', 'close']);
  return { broker: { ...rest, admin: client.admin, transactionalProducer }, dead };
}

/** The methods of an object as functions of their own. */
function delegate<T extends object, K extends keyof T>(to: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.map(name => [name, (to[name] as (...given: unknown[]) => unknown).bind(to)]),
  ) as Pick<T, K>;
}
