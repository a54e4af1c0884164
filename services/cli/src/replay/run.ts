/**
 * A run on `millrace.runs.v1`: its first record says what it is over, its last one that it is done. How far it is in
 * between say the offsets of its group. States: unknown (neither is there), begun, done, and forgotten: its record is
 * there and Kafka no longer keeps its offsets, so that nobody can tell what was written.
 */
import { createHash } from 'node:crypto';
import { replayGroup, type Run } from '@millrace/contracts';
import type { Admin, PartitionOffset } from '@millrace/stream';
import { UsageError } from '../io.ts';
import { ReplayRefused } from './refused.ts';
import type { Asked } from './slice.ts';

export const REPLAY = 'replay';

/** What a run is over. Kafka's ids of the topics: offsets mean nothing in a topic that was made anew. */
export interface Terms {
  readonly asked: Asked;
  readonly topicId: string;
  readonly toId: string;
}

/** Whoever asks for the same again, and names no run, means the same run. */
export const runIdOf = (terms: Terms): string =>
  `replay-${createHash('sha256').update(JSON.stringify(terms)).digest('hex').slice(0, 12)}`;

export interface Known {
  readonly begun: Run | undefined;
  readonly done: Run | undefined;
}

/** @throws UsageError where the id is of something else than what is asked now */
export const knownOf = (records: readonly Run[], run: string, terms: Terms): Known => {
  const begun = records.find(({ state }) => state === 'captured');
  if (begun !== undefined && begun.kind !== REPLAY)
    throw new UsageError(`${run} is the id of a ${begun.kind}: choose another --run`);
  if (begun !== undefined && begun.report !== JSON.stringify(terms))
    throw new UsageError(
      `run ${run} was begun with ${begun.report}, and now it is ${JSON.stringify(terms)}: say the same, or choose another --run`,
    );
  return { begun, done: records.find(({ state }) => state === 'done') };
};

type OfRun = Pick<Run, 'run' | 'slice'>;

/** Where a run goes on in each partition, as far as can be told while it may be at work; undefined where it is unknown. */
export const positionsOf = async (
  admin: Admin,
  { run, slice }: OfRun,
): Promise<readonly PartitionOffset[] | undefined> => {
  const committed = await admin.committed(replayGroup(run), [...new Set(slice.map(({ topic }) => topic))]);
  const found = slice.map(({ partition }) => committed.find(at => at.partition === partition));
  return found.every(at => at !== undefined) ? found : undefined;
};

/** The same after its transactional id was fenced: what a transaction still holds back is waited for. */
export const settledPositionsOf = async (
  admin: Admin,
  { run, slice }: OfRun,
): Promise<readonly PartitionOffset[] | undefined> => {
  const found: PartitionOffset[] = [];
  for (const { topic, partition } of slice)
    found.push(...(await admin.committed(replayGroup(run), [topic], partition)));
  return found.length === slice.length ? found : undefined;
};

/** Nobody can tell what was written. */
export const forgotten = (run: string, to: string): ReplayRefused =>
  new ReplayRefused(
    `how far run ${run} came is no longer known: Kafka keeps offsets of a group for a time (offsets.retention.minutes) only. ` +
      `Records that it has written to ${to} say so in the header __replay.run; for the others choose another --run`,
  );
