import type { Codec } from '@millrace/avro';
import type { RecordRun } from '../broker/port.ts';
import type { InboundBatch } from '../task.ts';

/** Part of a run, as a handler sees it; `to` excluded. */
export function viewOf<In>(run: RecordRun, codec: Codec<In>, from: number, to: number): InboundBatch<In> {
  return {
    topic: run.topic,
    partition: run.partition,
    length: to - from,
    offset: i => run.offset(from + i),
    appendTimeMs: i => run.appendTimeMs(from + i),
    key: i => run.key(from + i),
    bytes: i => run.value(from + i),
    header: (i, name) => run.header(from + i, name),
    value: i => {
      const bytes = run.value(from + i);
      return bytes === null ? null : codec.decode(bytes);
    },
  };
}

export function* valuesOf(run: RecordRun): Generator<Uint8Array | null> {
  for (let i = 0; i < run.length; i++) yield run.value(i);
}
