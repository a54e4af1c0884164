import { Bad, type Codec } from '@millrace/avro';
import { systemClock } from '@millrace/telemetry';
import type { Broker, OutRecord, RecordRun, TransactionalProducer } from '../../src/broker/port.ts';
import { type MemoryBroker, memoryBroker } from '../../src/memory/broker.ts';
import type { Processor, ProcessorOptions } from '../../src/processor/options.ts';
import { processor } from '../../src/processor/processor.ts';
import type { Group } from '../../src/processor/setting.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | null | undefined): string =>
  value === null || value === undefined ? '∅' : new TextDecoder().decode(value);

/** UTF-8 text; a value that begins with `!` cannot be decoded. */
export const textCodec: Codec<string> = {
  prepare: () => Promise.resolve(),
  decode: value => {
    const found = text(value);
    return found.startsWith('!') ? new Bad('bad-value', 'begins with a mark', 'text') : found;
  },
  encode: bytes,
};

export interface Seen {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
  readonly headers: ReadonlyMap<string, string>;
}

export const seenIn = (run: RecordRun): Seen[] =>
  Array.from({ length: run.length }, (_, i) => ({
    partition: run.partition,
    offset: run.offset(i),
    key: text(run.key(i)),
    value: text(run.value(i)),
    headers: new Map(run.headers(i).map(([name, value]) => [name, text(value)])),
  }));

/** What a read_committed reader finds in a topic now. */
export async function readAll(broker: Broker, topic: string): Promise<Seen[]> {
  const until = await broker.admin.endOffsets(topic);
  const seen: Seen[] = [];
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until })) seen.push(...seenIn(run));
  return seen;
}

export const eventually = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  longestMs = 20_000,
): Promise<void> => {
  const until = Date.now() + longestMs;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
};

export type Outputs = { out: string };

export interface Rig {
  readonly broker: MemoryBroker;
  send(
    topic: string,
    partition: number,
    values: readonly string[],
    key?: (i: number) => string,
  ): Promise<void>;
  /** Starts a processor on another client of the same cluster; it is stopped by `close`. */
  run<In>(
    options: Partial<ProcessorOptions<In, Outputs>> & Pick<ProcessorOptions<In, Outputs>, 'createTask'>,
  ): Promise<Processor>;
  committed(partition: number): Promise<number | undefined>;
  close(): Promise<void>;
}

/** A cluster in memory with `in`, `out`, `in.dlq` and `state`, and processors of the group `g` on it. */
export async function makeRig(
  partitions = 1,
  wrap: (broker: MemoryBroker) => Broker = broker => broker,
): Promise<Rig> {
  const broker = memoryBroker({ clock: systemClock });
  await broker.admin.createTopics(['in', 'out', 'in.dlq', 'state'].map(name => ({ name, partitions })));
  const producer = await broker.producer();
  const running: Processor[] = [];
  return {
    broker,
    send: (topic, partition, values, key = i => `k${i}`) =>
      producer.send(
        values.map((value, i): OutRecord => ({ topic, partition, key: bytes(key(i)), value: bytes(value) })),
      ),
    run: async options => {
      const started = processor({
        broker: wrap(broker.connect()),
        group: 'g',
        inputs: [{ topic: 'in', codec: textCodec as Codec<never> }],
        outputs: { out: { topic: 'out', codec: textCodec } },
        delivery: 'exactly_once',
        commit: { intervalMs: 2 },
        tickMs: 5,
        retry: { delayMsFirst: 1, delayMsMax: 5 },
        fetchWaitMsMax: 5,
        ...options,
      });
      running.push(started);
      await started.start(new AbortController().signal);
      return started;
    },
    committed: async partition =>
      (await broker.admin.committed('g', ['in'])).find(at => at.partition === partition)?.offset,
    close: async () => {
      await Promise.all(running.map(one => one.stop(2_000)));
      await broker.close();
    },
  };
}

/** A producer and a group that take everything, but for what is said. The group is in generation 3. */
export const producerAndGroup = (faults: Partial<TransactionalProducer> & Partial<Group> = {}) => {
  const done = (): Promise<void> => Promise.resolve();
  const calls: string[] = [];
  const producer: TransactionalProducer = {
    send: done,
    sendOffsets: done,
    commit: async () => void calls.push('commit'),
    abort: done,
    close: done,
    ...faults,
  };
  const group: Group = {
    pause: () => undefined,
    resume: () => undefined,
    seek: () => undefined,
    commit: async () => void calls.push('offsets'),
    heartbeat: async () => void calls.push('heartbeat'),
    member: async () => ({ group: 'g', generation: 3, memberId: 'm' }),
    ...faults,
  };
  return { calls, producer, group };
};
