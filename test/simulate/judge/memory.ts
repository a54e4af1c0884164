import { type Epoch, EPOCH_NONE } from '@millrace/features';
import type { Evidence } from './evidence.ts';

const WRONG_MAX = 5;

/**
 * Sources are read on only while no more of their epochs than allowed lie past what the last stage has released, so that
 * all stages hold those and a fetched run of each. By the epochs as they were recorded: what had been read before, and
 * what the same life of a task has not committed, is left out.
 */
export function judgeMemory(
  { sentOn, released, arrivals }: Evidence,
  epochsAheadMax: number,
): readonly string[] {
  const sources = Map.groupBy(sentOn, ({ readAt }) => `${readAt!.topic}-${readAt!.partition}`);
  const releasedAt = (atMs: number): Epoch =>
    Math.min(...released.map(books => books.findLast(book => book.atMs <= atMs)?.epoch ?? EPOCH_NONE));
  const wrong: string[] = [];
  for (const { topic, partition, offset, atMs, of, isFurther } of arrivals) {
    const rows = sources.get(`${topic}-${partition}`);
    if (rows === undefined || !isFurther) continue;
    const past = releasedAt(atMs);
    const known = Math.min(offset, of.committedTo);
    const ahead = new Set(
      rows.filter(({ epoch, readAt }) => readAt!.offset < known && epoch > past).map(({ epoch }) => epoch),
    );
    if (ahead.size > epochsAheadMax)
      wrong.push(
        `memory stays within its marks: ${topic}-${partition} was read from ${offset} on with ${ahead.size} epochs ahead, and not ${epochsAheadMax}`,
      );
  }
  return wrong.slice(0, WRONG_MAX);
}
