import { murmur2Partition } from '../broker/murmur2.ts';
import type { OutRecord } from '../broker/port.ts';
import { type SharedBytes, SharedRecord } from '../broker/shared.ts';
import type { OutputOptions } from './options.ts';
import type { Partitions } from './setting.ts';

/** Turns what a task emits into records: encoded, and with the partition that its key belongs to. */
export interface Outlet {
  record(to: string, key: Uint8Array, value: unknown, partition?: number): OutRecord;
  /** Of bytes that are encoded already. */
  shared(to: string, at: SharedBytes): OutRecord;
}

export function outletOf(
  outputs: readonly (readonly [string, OutputOptions<unknown>])[],
  partitions: Partitions,
): Outlet {
  const known = new Map(
    outputs.map(([name, { topic, codec }]) => [name, { topic, codec, partitions: partitions.get(topic)! }]),
  );
  // Most go where the one before went.
  let lastTo = '';
  let last: ReturnType<(typeof known)['get']>;
  const outputOf = (to: string) => {
    if (to !== lastTo) {
      last = known.get(to);
      lastTo = to;
    }
    if (last === undefined) throw new TypeError(`there is no output '${to}'`);
    return last;
  };
  return {
    record: (to, key, value, partition) => {
      const output = outputOf(to);
      return {
        topic: output.topic,
        partition: partition ?? murmur2Partition(key, output.partitions),
        key,
        value: encoded(to, output.codec, value),
      };
    },
    shared: (to, at) => {
      const output = outputOf(to);
      const partition = murmur2Partition(at.bytes, output.partitions, at.keyAt, at.valueAt);
      return SharedRecord.of(output.topic, partition, at);
    },
  };
}

function encoded(to: string, codec: OutputOptions<unknown>['codec'], value: unknown): Uint8Array | null {
  if (value === null || value instanceof Uint8Array) return value;
  if (codec === undefined) throw new TypeError(`output '${to}' has no codec: emit bytes`);
  return codec.encode(value);
}
