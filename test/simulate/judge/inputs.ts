import { asideTopic } from '@millrace/contracts';
import { type Evidence, placeOf, rejectedAt } from './evidence.ts';

const counted = (places: Iterable<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
};

/**
 * The closed equation of the feature service, record by record: what is folded is sent on once and, where it is scored,
 * has one vector; what cannot be used has one letter; all else has nothing. What is sent again counts where it first stood,
 * and its letter, if it comes back, where it was sent to.
 */
export function judgeInputs(evidence: Evidence): readonly string[] {
  const { inputs, sentOn, features, aside, letters, world, pipeline } = evidence;
  const rows = counted(sentOn.map(({ source }) => source));
  const vectors = counted(
    [...features.flat(), ...aside.flat()].map(({ value }) =>
      placeOf(value.sourceTopic, value.sourcePartition, value.sourceOffset),
    ),
  );
  const sources = new Set(Object.values(world.topics.events).flatMap(topic => [topic, asideTopic(topic)]));
  const mine = letters.filter(({ header }) => sources.has(header('__dlq.errors.topic')!));
  const dead = counted(mine.map(rejectedAt));
  const folded = new Map(inputs.filter(({ fate }) => fate === 'folded').map(input => [input.source, input]));
  const wrong: string[] = [];
  const judge = (place: string, fate: string, found: object, right: object): void => {
    if (JSON.stringify(found) !== JSON.stringify(right))
      wrong.push(
        `answered once: ${place} (${fate}) has ${JSON.stringify(found)}, not ${JSON.stringify(right)}`,
      );
  };
  for (const { topic, partition, offset, fate, again, source } of inputs) {
    const place = placeOf(topic, partition, offset);
    const letter = { letters: fate === 'dead-letter' ? 1 : 0 };
    const found = { letters: dead.get(place) ?? 0 };
    if (again > 0) {
      judge(place, fate, found, letter);
      continue;
    }
    const of = folded.get(source);
    const isScored = of?.sent.stream === pipeline.scores && of.event?.withdrawn === false;
    judge(
      place,
      fate,
      { ...found, rows: rows.get(place) ?? 0, vectors: vectors.get(place) ?? 0 },
      { ...letter, rows: of === undefined ? 0 : 1, vectors: isScored ? 1 : 0 },
    );
  }
  const others = letters.length - mine.length - letters.filter(isOfVectors(evidence)).length;
  if (others > 0) wrong.push(`answered once: ${others} letters of what stages sent each other`);
  const total = [...rows.values(), ...vectors.values()].reduce((sum, count) => sum + count, 0);
  const known = inputs
    .filter(({ again }) => again === 0)
    .reduce((sum, { source }) => sum + (rows.get(source) ?? 0) + (vectors.get(source) ?? 0), 0);
  if (total !== known) wrong.push(`answered once: ${total - known} rows or vectors of no input`);
  return wrong;
}

const isOfVectors =
  ({ world }: Evidence) =>
  ({ header }: Evidence['letters'][number]): boolean =>
    [world.topics.features, world.topics.aside].includes(header('__dlq.errors.topic')!);
