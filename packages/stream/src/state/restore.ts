import type { Clock } from '@millrace/telemetry';
import type { Broker, PartitionOffset, RecordRun } from '../broker/port.ts';
import type { Change, Mark, StateStore } from './store.ts';

export interface RestoreOptions {
  readonly broker: Broker;
  readonly store: StateStore;
  readonly changelog: string;
  readonly partition: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after each run that was applied. */
  readonly moved?: () => void;
}

export interface Restored {
  readonly records: number;
  readonly bytes: number;
  /** Why what was in the store could not be used; undefined where it could, or where it held nothing. */
  readonly emptied: string | undefined;
}

/** Kafka's own default, for a topic that does not say. */
const DELETE_RETENTION_MS = 86_400_000;

/**
 * Reads what the store does not have yet from the changelog, up to the end of what is written there now. Call it once the
 * committed offsets are known: then nothing that is written later will count. What was written before may still lie in a
 * transaction that is about to end; reading waits for that. Memory is bounded by a fetch.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { broker, store, changelog, partition, clock, signal } = options;
  const [found] = await broker.admin.describeTopics([changelog]);
  if (found === undefined) throw new Error(`there is no changelog topic ${changelog}`);
  const beginning = await offsetOf(() => broker.admin.beginningOffsets(changelog), changelog, partition);
  const atMs = clock.now();
  const end = await offsetOf(() => broker.admin.endOffsets(changelog, 'written'), changelog, partition);
  const keptMs = Number(found.config['delete.retention.ms'] ?? DELETE_RETENTION_MS);
  const stale = staleness(store, { topicId: found.id, next: end, atMs }, beginning, keptMs);
  if (stale !== undefined) await store.clear();
  const at = { topic: changelog, partition };
  const from = [{ ...at, offset: Math.max(store.mark?.next ?? 0, beginning) }];
  const read = { records: 0, bytes: 0 };
  for await (const run of broker.read({ from, until: [{ ...at, offset: end }], signal })) {
    await store.apply(changesOf(run, read), { topicId: found.id, next: run.nextOffset, atMs });
    options.moved?.();
  }
  signal.throwIfAborted();
  await store.apply([], { topicId: found.id, next: end, atMs });
  return { ...read, emptied: stale };
}

/** How much of the changelog is committed now; only to be asked where no commit of its owner is on its way. */
export async function markNow({
  broker,
  store,
  changelog,
  partition,
  clock,
}: Omit<RestoreOptions, 'signal'>): Promise<Mark> {
  const { topicId } = store.mark!;
  const atMs = clock.now();
  const next = await offsetOf(() => broker.admin.endOffsets(changelog), changelog, partition);
  return { topicId, next, atMs };
}

/** Why what a store holds cannot be added to, or undefined where it can. */
function staleness(store: StateStore, now: Mark, beginning: number, keptMs: number): string | undefined {
  const { mark } = store;
  if (mark === undefined) return store.size === 0 ? undefined : 'it cannot be read';
  if (mark.topicId !== now.topicId) return 'it belongs to another changelog topic';
  if (mark.next > now.next) return 'it is ahead of the changelog';
  // Below the beginning, or after a long time, tombstones may have gone that it has not seen.
  if (mark.next < beginning && mark.next > 0) return 'the changelog begins later';
  // Half of the time, so that clocks need not agree.
  return now.atMs - mark.atMs > keptMs / 2 ? 'it is older than tombstones are kept' : undefined;
}

const decoder = new TextDecoder();

function* changesOf(run: RecordRun, read: { records: number; bytes: number }): Generator<Change> {
  for (let i = 0; i < run.length; i++) {
    const key = run.key(i);
    const value = run.value(i);
    read.records++;
    read.bytes += (key?.length ?? 0) + (value?.length ?? 0);
    if (key !== null) yield [decoder.decode(key), value];
  }
}

async function offsetOf(
  ask: () => Promise<readonly PartitionOffset[]>,
  topic: string,
  partition: number,
): Promise<number> {
  const found = (await ask()).find(at => at.partition === partition);
  if (found === undefined) throw new Error(`changelog ${topic} has no partition ${partition}`);
  return found.offset;
}
