/** Why recomputed vectors have no answer: what stands on the topics about them. */
import { Bad, openCodec } from '@millrace/avro';
import {
  asideTopic, catalogue, consumerGroup, deadLetterTopic, type Deferred, type FeaturesValue, letterOf, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import { ofSet } from '@millrace/define';
import { readEvent } from '@millrace/features';
import type { RecordRun } from '@millrace/stream';
import { captureTopic } from '../world/slice.ts';
import type { World } from '../world/prepare.ts';
import type { Absence } from './causes.ts';
import type { Recomputed } from './recompute.ts';
import { type Asked, type ServedVectors, vectorKey } from './served.ts';

/** By key, of those that have one. */
type Unanswered = ReadonlyMap<string, Recomputed>;

const placeOf = (topic: string, partition: number): string => `${topic} ${partition}`;

/** The newest event of each partition that was answered: what stands behind it is still to come. */
const answeredUntil = ({ vectors }: ServedVectors): ReadonlyMap<string, number> => {
  const newest = new Map<string, number>();
  for (const { sourceTopic, sourcePartition, sourceOffset } of vectors.values()) {
    const place = placeOf(sourceTopic, sourcePartition);
    newest.set(place, Math.max(newest.get(place) ?? -1, sourceOffset));
  }
  return newest;
};

/** The runs of topics that hold records of entities in question. */
async function* runsOf({ broker }: World, topics: readonly string[]): AsyncGenerator<RecordRun> {
  for (const topic of topics) {
    const stretches = await captureTopic(broker, topic);
    const from = stretches.map(at => ({ topic, partition: at.partition, offset: at.from }));
    const until = stretches.map(at => ({ topic, partition: at.partition, offset: at.until }));
    yield* broker.read({ from, until });
  }
}

const textOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString();

export const absencesOf = async (
  world: World,
  { pipeline, set }: Asked,
  served: ServedVectors,
  unanswered: Unanswered,
): Promise<ReadonlyMap<string, Absence>> => {
  const found = new Map<string, Absence>();
  if (unanswered.size === 0) return found;
  const own = ofSet(pipeline, set);
  const topics = topicsOf(own);
  const codecOf = <T>(topic: string) => openCodec<T>(world.registry, catalogue([own]).find(({ name }) => name === topic)!.value!);
  const until = answeredUntil(served);
  for (const [key, { event }] of unanswered) {
    const place = placeOf(topics.events[event.stream]!, event.partition);
    if (event.offset > (until.get(place) ?? -1)) found.set(key, 'not-yet');
  }
  const entities = new Set([...unanswered.values()].map(({ event }) => String(event.fields[own.entity])));
  const features = await codecOf<FeaturesValue>(topics.features);
  const say = async (vector: Uint8Array | null, why: Absence): Promise<void> => {
    if (vector === null) return;
    await features.prepare([vector]);
    const value = features.decode(vector);
    const key = value instanceof Bad ? '' : vectorKey(value);
    if (unanswered.has(key)) found.set(key, why);
  };
  const deferred = await codecOf<Deferred>(topics.deferred);
  for await (const run of runsOf(world, [topics.deferred, asideTopic(topics.deferred)]))
    for (let i = 0; i < run.length; i++) {
      if (!entities.has(textOf(run.key(i)))) continue;
      await deferred.prepare([run.value(i)]);
      const value = run.value(i) === null ? null : deferred.decode(run.value(i)!);
      if (value !== null && !(value instanceof Bad)) await say(value.vector, 'put-off');
    }
  const events = await codecOf<Parameters<typeof readEvent>[2]>(topics.scored);
  const feature = consumerGroup('feature', own);
  // What was refused as late; what cannot be read is no event of those in question.
  for await (const run of runsOf(world, [deadLetterTopic(topics.scored)]))
    for (let i = 0; i < run.length; i++) {
      if (!entities.has(textOf(run.key(i))) || letterOf(name => run.header(i, name))?.group !== feature) continue;
      await events.prepare([run.value(i)]);
      const value = run.value(i) === null ? null : events.decode(run.value(i)!);
      if (value === null || value instanceof Bad) continue;
      const key = vectorKey(readEvent(own, own.scores, value, run.partition, run.offset(i)));
      if (unanswered.has(key)) found.set(key, 'dead-letter');
    }
  const group = consumerGroup('inference', pipeline);
  for await (const run of runsOf(world, [deadLetterTopic(topics.features)]))
    for (let i = 0; i < run.length; i++)
      if (entities.has(textOf(run.key(i))) && letterOf(name => run.header(i, name))?.group === group)
        await say(run.value(i), 'dead-letter');
  return found;
}; // prettier-ignore
