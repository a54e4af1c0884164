import { type Evidence, type Input, placeOf, rejectedAt } from './evidence.ts';

const WRONG_MAX = 5;
const bytesOf = (text: string | Uint8Array | null | undefined): string =>
  text === null || text === undefined ? 'null' : Buffer.from(text).toString('hex');

/**
 * What lies aside of the events are letters that were sent again: each letter once at most, as the record that it is of,
 * with nothing of the letter in it; no record more often than the operator allows.
 */
export function judgeRedriven({ inputs, letters, course }: Evidence): readonly string[] {
  const wrong: string[] = [];
  const { loopsMax } = course.redrives;
  const refused = new Set(letters.map(rejectedAt));
  const bySource = Map.groupBy(inputs, ({ source }) => source);
  for (const [source, all] of bySource) {
    // Each time that it was sent, the first included: so it stands there with 0, 1, 2 and so on.
    const times = all.map(({ again }) => again).toSorted((a, b) => a - b);
    if (times.some((time, i) => time !== i) || times.length > 1 + loopsMax)
      wrong.push(
        `sent again once: ${source} was sent as ${times.join()}, and may be ${loopsMax} times again`,
      );
    for (const { again, ...copy } of all) {
      if (again === 0) continue;
      const place = placeOf(copy.topic, copy.partition, copy.offset);
      const before = all.find(one => one.again === again - 1);
      if (before !== undefined && !refused.has(placeOf(before.topic, before.partition, before.offset)))
        wrong.push(`sent again once: ${place} is no letter's`);
      if (!isAsSent(copy)) wrong.push(`sent again once: ${place} is not the record that it was`);
    }
  }
  return wrong.slice(0, WRONG_MAX);
}

const isAsSent = ({ sent, seen }: Pick<Input, 'sent' | 'seen'>): boolean =>
  bytesOf(seen.value) === bytesOf(sent.value) &&
  bytesOf(seen.key) === bytesOf(sent.key) &&
  seen.header('__dlq.errors.topic') === undefined;

/**
 * Of each scored event, by the order in which the next stage was given them: every revision once, none behind a higher one,
 * and the highest that came. So what is sent again is no duplicate of its own letter, and one of what came in its place.
 */
export function judgeRepeats({ inputs, sentOn, pipeline }: Evidence): readonly string[] {
  const at = new Map(sentOn.map(({ source, offset }) => [source, offset]));
  const scored = inputs.flatMap(({ event, source }) =>
    event?.stream === pipeline.scores ? [{ ...event, at: at.get(source) }] : [],
  );
  const wrong: string[] = [];
  for (const [id, all] of Map.groupBy(scored, ({ eventId }) => eventId)) {
    const counted = all.filter(one => one.at !== undefined).toSorted((a, b) => a.at! - b.at!);
    const revisions = counted.map(({ revision }) => revision);
    const highest = Math.max(...all.map(({ revision }) => revision));
    if (
      revisions.at(-1) !== highest ||
      revisions.some((revision, i) => i > 0 && revision <= revisions[i - 1]!)
    )
      wrong.push(
        `answered once: of ${id}, revisions ${revisions.join()} count, and ${highest} is the highest`,
      );
  }
  return wrong.slice(0, WRONG_MAX);
}
