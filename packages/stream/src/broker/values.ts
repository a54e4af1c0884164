/** Records with their values, one after the other, for who reads a topic without a group. */
import type { Bad, Codec } from '@millrace/avro';
import type { Broker, RecordRun } from './port.ts';

/** One record with its value decoded. */
export interface Seen<T> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly key: Uint8Array | null;
  readonly bytes: Uint8Array | null;
  readonly value: T | Bad | null;
}

/** Decodes runs record by record; schemas are looked up a run at a time. */
export async function* decoded<T>(runs: AsyncIterable<RecordRun>, codec: Codec<T>): AsyncGenerator<Seen<T>> {
  for await (const run of runs) {
    await codec.prepare(Array.from({ length: run.length }, (_, i) => run.value(i)));
    for (let i = 0; i < run.length; i++) {
      const bytes = run.value(i);
      yield {
        topic: run.topic,
        partition: run.partition,
        offset: run.offset(i),
        appendTimeMs: run.appendTimeMs(i),
        key: run.key(i),
        bytes,
        value: bytes === null ? null : codec.decode(bytes),
      };
    }
  }
}

/** Everything that is in a topic now. */
export const wholeTopic = async (broker: Broker, topic: string): Promise<AsyncIterable<RecordRun>> =>
  broker.read({ from: { topic, at: 'beginning' }, until: await broker.admin.endOffsets(topic) });
