import { type Evidence, placeOf } from './evidence.ts';

const counted = (places: Iterable<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
};

/**
 * The closed equation of the feature service, record by record: what is folded is sent on once and, where it is scored,
 * has one vector; what cannot be used has one letter; all else has nothing.
 */
export function judgeInputs(evidence: Evidence): readonly string[] {
  const { inputs, sentOn, features, aside, letters, world, pipeline } = evidence;
  const rows = counted(
    sentOn.map(({ value: { row } }) => placeOf(row!.sourceTopic, row!.sourcePartition, row!.sourceOffset)),
  );
  const vectors = counted(
    [...features.flat(), ...aside.flat()].map(({ value }) =>
      placeOf(value.sourceTopic, value.sourcePartition, value.sourceOffset),
    ),
  );
  const sources = new Set(Object.values(world.topics.events));
  const mine = letters.filter(({ header }) => sources.has(header('__dlq.errors.topic')!));
  const dead = counted(
    mine.map(({ header }) => {
      const [topic, partition, offset] = ['topic', 'partition', 'offset'].map(name =>
        header(`__dlq.errors.${name}`)!,
      );
      return placeOf(topic!, Number(partition), Number(offset));
    }),
  );
  const wrong: string[] = [];
  for (const { sent, topic, partition, offset, fate, event } of inputs) {
    const place = placeOf(topic, partition, offset);
    const isFolded = fate === 'folded';
    const isScored = isFolded && sent.stream === pipeline.scores && event?.withdrawn === false;
    const found = {
      rows: rows.get(place) ?? 0,
      vectors: vectors.get(place) ?? 0,
      letters: dead.get(place) ?? 0,
    };
    const right = {
      rows: isFolded ? 1 : 0,
      vectors: isScored ? 1 : 0,
      letters: fate === 'dead-letter' ? 1 : 0,
    };
    if (JSON.stringify(found) !== JSON.stringify(right))
      wrong.push(
        `answered once: ${place} (${fate}) has ${JSON.stringify(found)}, not ${JSON.stringify(right)}`,
      );
  }
  const others = letters.length - mine.length - letters.filter(isOfVectors(evidence)).length;
  if (others > 0) wrong.push(`answered once: ${others} letters of what stages sent each other`);
  const total = [...rows.values(), ...vectors.values()].reduce((sum, count) => sum + count, 0);
  const known = inputs.reduce((sum, { topic, partition, offset }) => {
    const place = placeOf(topic, partition, offset);
    return sum + (rows.get(place) ?? 0) + (vectors.get(place) ?? 0);
  }, 0);
  if (total !== known) wrong.push(`answered once: ${total - known} rows or vectors of no input`);
  return wrong;
}

const isOfVectors =
  ({ world }: Evidence) =>
  ({ header }: Evidence['letters'][number]): boolean =>
    [world.topics.features, world.topics.aside].includes(header('__dlq.errors.topic')!);
