import { Bad, type Codec } from '@millrace/avro';
import {
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
import type { RulesChange } from '../rules.ts';
import type { Town } from '../town.ts';
import { type Fate, fatesOf, type Sent } from '../traffic.ts';
import type { World } from '../world.ts';
import { unformatted } from '../../../services/feature/src/format.ts';

/** An input where it stands in its topic. */
export interface Input {
  readonly sent: Sent;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly fate: Fate;
  /** Where it can be read. */
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
  /** Rows between the stages, markers left out, with their epochs; in the order of the first further stage. */
  readonly sentOn: readonly (Written<Repartition> & { readonly epoch: Epoch })[];
  /** By partition. */
  readonly features: readonly (readonly Written<FeaturesValue>[])[];
  readonly aside: readonly (readonly Written<FeaturesValue>[])[];
  readonly predictions: readonly (readonly Written<PredictionValue>[])[];
  /** Vectors that rules have put off. */
  readonly deferred: readonly (readonly Written<Deferred>[])[];
  /** Rules that were in force from some time on. */
  readonly rules: readonly RulesChange[];
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
const releasedOf = (records: readonly Seen[]): readonly Released[] =>
  records
    .filter(({ key }) => key === 'epochs')
    .map(({ appendTimeMs, value }) => {
      const text = new TextDecoder().decode(unformatted('the book of a task', value!));
      return { atMs: appendTimeMs, epoch: (JSON.parse(text) as { released: Epoch }).released };
    });

async function placesOf(
  world: World,
  town: Town,
  pipeline: Pipeline,
  sent: readonly Sent[],
): Promise<readonly Input[]> {
  const places: Omit<Input, 'fate'>[] = [];
  for (const [stream, topic] of Object.entries(world.topics.events))
    for (const { partition, offset, header } of (await readTopic(town, topic)).flat()) {
      const of = sent[Number(header('n'))]!;
      const event =
        of.fate === 'folded' ? readEvent(pipeline, stream, of.fields!, partition, offset) : undefined;
      places.push({ sent: of, topic, partition, offset, event });
    }
  const fates = fatesOf(places.map(place => place.sent));
  return places.map(place => ({ ...place, fate: fates.get(place.sent.n)! }));
}

export async function evidenceOf(
  world: World,
  town: Town,
  pipeline: Pipeline,
  sent: readonly Sent[],
  rules: readonly RulesChange[],
): Promise<Evidence> {
  const { topics } = world;
  const all = async <T>(topic: string, codec: Codec<T>): Promise<readonly (readonly Written<T>[])[]> =>
    (await readTopic(town, topic)).map(records => records.map(seen => decoded(seen, codec)));
  const ofFeature = inputsOf(world, 'feature');
  const letters: Seen[] = [];
  for (const topic of new Set([...ofFeature, ...inputsOf(world, 'inference')].map(deadLetterTopic)))
    letters.push(...(await readTopic(town, topic)).flat());
  const between = await all(Object.values(topics.repartition)[0]!, world.repartition);
  const changelog = await readTopic(town, topics.changelog);
  return {
    pipeline,
    world,
    inputs: await placesOf(world, town, pipeline, sent),
    sentOn: between
      .flat()
      .flatMap(row => (row.value.row === null ? [] : [{ ...row, epoch: epochOf(row.value.epoch) }])),
    features: await all(topics.features, world.features),
    aside: await all(topics.aside, world.features),
    predictions: await all(topics.predictions, world.predictions),
    deferred: await all(topics.deferred, world.deferred),
    rules,
    letters,
    changelog: changelog.map(tableOf),
    released: changelog.map(releasedOf),
    arrivals: town.reading.arrivals,
    committed: await town.ask(town.outside.admin.committed(featureGroup(pipeline), ofFeature)),
  };
}
