import { type Codec, FRAME_BYTES } from '@millrace/avro';
import { noPlace, placeOf, placeOfKey } from '../broker/place.ts';
import type { RecordRun } from '../broker/port.ts';
import type { InboundBatch } from '../task.ts';

/** Part of a run, as a handler sees it; `to` excluded. */
export function viewOf<In>(run: RecordRun, codec: Codec<In>, from: number, to: number): InboundBatch<In> {
  // Most are asked for their bytes and their value, one after the other.
  let last = -1;
  let lastBytes: Uint8Array | null = null;
  const bytesOf = (i: number): Uint8Array | null => {
    if (i !== last) {
      lastBytes = run.value(from + i);
      last = i;
    }
    return lastBytes;
  };
  const place = noPlace();
  return {
    topic: run.topic,
    partition: run.partition,
    length: to - from,
    offset: i => run.offset(from + i),
    appendTimeMs: i => run.appendTimeMs(from + i),
    key: i => run.key(from + i),
    keyIn: (i, at) => placeOfKey(run, from + i, at),
    valueIn: (i, at) =>
      run.valueIn === undefined ? placeOf(run.value(from + i), at) : run.valueIn(from + i, at),
    bytes: bytesOf,
    header: (i, name) => run.header(from + i, name),
    value: i => {
      if (run.valueIn !== undefined && codec.decodeIn !== undefined)
        return run.valueIn(from + i, place) ? codec.decodeIn(place.bytes, place.from, place.to) : null;
      const bytes = bytesOf(i);
      return bytes === null ? null : codec.decode(bytes);
    },
  };
}

/** By which the schemas of a run are learnt: of values whose frames are the same, the first. */
export function* framesOf(run: RecordRun): Generator<Uint8Array | null> {
  for (let i = 0; i < run.length; i = run.nextUnlike?.(i, FRAME_BYTES) ?? i + 1) yield run.value(i);
}
