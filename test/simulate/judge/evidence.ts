import { Bad, type Codec } from '@millrace/avro';
import {
  asideTopic,
  deadLetterTopic,
  type Deferred,
  type FeaturesValue,
  type PredictionValue,
  type Repartition,
} from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { featureGroup } from '@millrace/feature';
import { type Epoch, epochOf, type FoldEvent, readEvent } from '@millrace/features';
import type { PartitionOffset } from '@millrace/stream';
import { inputsOf, readTopic, type Seen } from '../read.ts';
import type { Arrival } from '../reading.ts';
import { truly } from '../clocks.ts';
import type { Redrives } from '../operator.ts';
import type { RulesChange } from '../rules.ts';
import type { Town } from '../town.ts';
import { type Fate, fatesOf, type Sent } from '../traffic.ts';
import type { World } from '../world.ts';
import { unformatted } from '../../../services/feature/src/format.ts';

/** What the seed set for a run. */
export interface Course {
  readonly sent: readonly Sent[];
  /** Rules that were in force from some time on. */
  readonly rules: readonly RulesChange[];
  readonly redrives: Redrives;
}

/** An input where it stands: in its topic, or aside of it, where it was sent again. */
export interface Input extends PartitionOffset {
  readonly sent: Sent;
  readonly seen: Seen;
  /** Where it first stood; of what was sent again, as that says. */
  readonly source: string;
  /** Times it was sent again, as it says. */
  readonly again: number;
  readonly fate: Fate;
  /** Where it is to be folded. */
  readonly event: FoldEvent | undefined;
}

export interface Written<T> extends Omit<Seen, 'value'> {
  readonly value: T;
}

/** What a run has left behind, as a reader of committed records finds it. */
export interface Evidence {
  readonly pipeline: Pipeline;
  readonly world: World;
  readonly inputs: readonly Input[];
  /** Rows between the stages, markers left out; in the order of the first further stage. */
  readonly sentOn: readonly SentOn[];
  /** By partition. */
  readonly features: readonly (readonly Written<FeaturesValue>[])[];
  readonly aside: readonly (readonly Written<FeaturesValue>[])[];
  readonly predictions: readonly (readonly Written<PredictionValue>[])[];
  /** Vectors that rules have put off. */
  readonly deferred: readonly (readonly Written<Deferred>[])[];
  readonly course: Course;
  /** Of every input topic. */
  readonly letters: readonly Seen[];
  /** By partition: newest value of each key. */
  readonly changelog: readonly ReadonlyMap<string, Uint8Array>[];
  /** By partition: what its task has released, and when that was written; ascending. */
  readonly released: readonly (readonly Released[])[];
  /** Runs that feature processes were given. */
  readonly arrivals: readonly Arrival[];
  readonly committed: readonly PartitionOffset[];
}

export interface SentOn extends Written<Repartition> {
  readonly epoch: Epoch;
  /** Where the event first stood. */
  readonly source: string;
  /** Where it was read: the same, but of what was sent again. Undefined: of no input. */
  readonly readAt: PartitionOffset | undefined;
}

export interface Released {
  readonly atMs: number;
  readonly epoch: Epoch;
}

export const placeOf = (topic: string, partition: number, offset: number): string =>
  `${topic}-${partition}@${offset}`;

const decoded = <T>(seen: Seen, codec: Codec<T>): Written<T> => {
  const value = codec.decode(seen.value!);
  if (value instanceof Bad)
    throw new Error(`${placeOf(seen.topic, seen.partition, seen.offset)}: ${value.message}`);
  return { ...seen, value };
};

const tableOf = (records: readonly Seen[]): ReadonlyMap<string, Uint8Array> => {
  const table = new Map<string, Uint8Array>();
  for (const { key, value } of records)
    if (value === null) table.delete(key!);
    else table.set(key!, value);
  return table;
};

/** The books that a task has written one after the other. */
const releasedOf = (records: readonly Seen[], { clocks }: Town): readonly Released[] => {
  const atMs = truly(clocks, records.map(({ appendTimeMs }) => appendTimeMs)); // prettier-ignore
  return records.flatMap(({ key, value }, i) => {
    if (key !== 'epochs') return [];
    const text = new TextDecoder().decode(unformatted('the book of a task', value!));
    return [{ atMs: atMs[i]!, epoch: (JSON.parse(text) as { released: Epoch }).released }];
  });
};

async function placesOf(
  world: World,
  town: Town,
  pipeline: Pipeline,
  sent: readonly Sent[],
  sentOn: ReadonlySet<string>,
): Promise<readonly Input[]> {
  const places: (Omit<Input, 'fate' | 'event'> & { readonly stream: string })[] = [];
  for (const [stream, topic] of Object.entries(world.topics.events)) {
    for (const seen of (await readTopic(town, topic)).flat()) {
      const { partition, offset } = seen;
      const source = placeOf(topic, partition, offset);
      places.push({ seen, topic, partition, offset, stream, source, again: 0, sent: sent[Number(seen.header('n'))]! });
    }
    for (const seen of (await readTopic(town, asideTopic(topic))).flat())
      places.push({ seen, topic: seen.topic, partition: seen.partition, offset: seen.offset, stream, source: sourceOf(seen), again: Number(seen.header('__redrive.count')), sent: sent[Number(seen.header('n'))]! });
  }
  const fates = fatesOf(places.filter(({ again }) => again === 0).map(place => place.sent));
  const isMixed = mixedIn(places.filter(({ again }) => again > 0).map(place => place.sent));
  return places.map(({ stream, ...place }) => {
    const { sent: of, again, source } = place;
    const alone = again === 0 ? fates.get(of.n)! : (of.again ?? 'dead-letter');
    const fate = alone === 'dead-letter' || !isMixed(of) ? alone : sentOn.has(source) ? 'folded' : 'skipped';
    const [, partition, offset] = /-(\d+)@(\d+)$/.exec(source) ?? [];
    const isFolded = fate === 'folded' || fate === 'skipped';
    const event = isFolded ? readEvent(pipeline, stream, of.fields!, Number(partition), Number(offset)) : undefined;
    return { ...place, fate, event };
  });
} // prettier-ignore

/**
 * Events that were sent again, and come among others of their id. Which of those count is up to the order of epochs, and is
 * taken as it was: `judgeRepeats` says whether it can be so.
 */
const mixedIn = (copies: readonly Sent[]): ((of: Sent) => boolean) => {
  const idOf = ({ stream, fields }: Sent): string => `${stream} ${String(fields?.['eventId'])}`;
  const ids = new Set(copies.filter(({ stream, again }) => stream === 'transactions' && again !== undefined).map(idOf)); // prettier-ignore
  return of => ids.has(idOf(of));
};

/** The record that a letter is of. */
export const rejectedAt = ({ header }: Seen): string =>
  placeOf(
    header('__dlq.errors.topic')!,
    Number(header('__dlq.errors.partition')),
    Number(header('__dlq.errors.offset')),
  );

const sourceOf = ({ header }: Seen): string =>
  placeOf(
    header('__redrive.source.topic')!,
    Number(header('__redrive.source.partition')),
    Number(header('__redrive.source.offset')),
  );

export async function evidenceOf(
  world: World,
  town: Town,
  pipeline: Pipeline,
  course: Course,
): Promise<Evidence> {
  const { topics } = world;
  const all = async <T>(topic: string, codec: Codec<T>): Promise<readonly (readonly Written<T>[])[]> =>
    (await readTopic(town, topic)).map(records => records.map(seen => decoded(seen, codec)));
  const ofFeature = inputsOf(world, 'feature');
  const letters: Seen[] = [];
  for (const topic of new Set([...ofFeature, ...inputsOf(world, 'inference')].map(deadLetterTopic)))
    letters.push(...(await readTopic(town, topic)).flat());
  const between = await all(Object.values(topics.repartition)[0]!, world.repartition);
  const rows = between.flat().flatMap(one => {
    const { row, epoch } = one.value;
    if (row === null) return [];
    const source = placeOf(row.sourceTopic, row.sourcePartition, row.sourceOffset);
    return [{ ...one, epoch: epochOf(epoch), source }];
  });
  const sentOn = new Set(rows.map(({ source }) => source));
  const inputs = await placesOf(world, town, pipeline, course.sent, sentOn);
  const readAt = new Map(inputs.flatMap(input => (input.event === undefined ? [] : [[input.source, input]])));
  const changelog = await readTopic(town, topics.changelog);
  return {
    pipeline,
    world,
    inputs,
    sentOn: rows.map(row => ({ ...row, readAt: readAt.get(row.source) })),
    features: await all(topics.features, world.features),
    aside: await all(topics.aside, world.features),
    predictions: await all(topics.predictions, world.predictions),
    deferred: await all(topics.deferred, world.deferred),
    course,
    letters,
    changelog: changelog.map(tableOf),
    released: changelog.map(records => releasedOf(records, town)),
    arrivals: town.reading.arrivals,
    committed: await town.ask(town.outside.admin.committed(featureGroup(pipeline), ofFeature)),
  };
}
