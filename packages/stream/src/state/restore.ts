import type { Broker, RecordRun } from '../broker/port.ts';
import type { StateStore } from './store.ts';

export interface RestoreOptions {
  readonly broker: Broker;
  readonly store: StateStore;
  readonly changelog: string;
  readonly partition: number;
  readonly signal: AbortSignal;
}

/**
 * Reads what the store does not have yet from the changelog, up to its end now. Call it after fencing: nobody writes
 * there any more, and the transaction of the owner before us has ended.
 * @returns how many records were read.
 */
export async function restore(options: RestoreOptions): Promise<number> {
  const { broker, store, changelog, partition, signal } = options;
  const [beginning, end] = await Promise.all([
    broker.admin.beginningOffsets(changelog).then(offsets => offsetOf(offsets, changelog, partition)),
    broker.admin.endOffsets(changelog).then(offsets => offsetOf(offsets, changelog, partition)),
  ]);
  // A store beyond the end belongs to another changelog; one below the beginning may have missed tombstones.
  const next = store.changelogNext;
  if (next > end || (next > 0 && next < beginning)) await store.clear();
  const at = { topic: changelog, partition };
  const from = [{ ...at, offset: Math.max(store.changelogNext, beginning) }];
  let count = 0;
  for await (const run of broker.read({ from, until: [{ ...at, offset: end }], signal })) {
    await store.apply(changesOf(run), run.nextOffset);
    count += run.length;
  }
  signal.throwIfAborted();
  return count;
}

const decoder = new TextDecoder();

function* changesOf(run: RecordRun): Generator<readonly [string, Uint8Array | null]> {
  for (let i = 0; i < run.length; i++) {
    const key = run.key(i);
    // A view into a fetched response would keep the whole response alive for one entry.
    if (key !== null) yield [decoder.decode(key), run.value(i)?.slice() ?? null];
  }
}

const offsetOf = (
  offsets: readonly { readonly partition: number; readonly offset: number }[],
  topic: string,
  partition: number,
): number => {
  const found = offsets.find(at => at.partition === partition);
  if (found === undefined) throw new Error(`changelog ${topic} has no partition ${partition}`);
  return found.offset;
};
