/**
 * Compares the features with which a sample of entities was answered with what their events give when they are folded again
 * in order time. What is read is fixed once, and stands in the report.
 */
import { type Stretch, topicsOf } from '@millrace/contracts';
import { ofSet } from '@millrace/define';
import { backfillTopics, findBackfill, rereadEvents } from '@millrace/feature';
import { compileSet } from '@millrace/features';
import type { World } from '../world/prepare.ts';
import { captureTopic } from '../world/slice.ts';
import { absencesOf } from './absent.ts';
import { Comparison } from './compare.ts';
import { reachOf, recompute } from './recompute.ts';
import { type Asked, readServed, type Served } from './served.ts';

export interface VerifyOptions {
  readonly asked: Asked;
  /** Values a and b are equal where |a - b| <= tolerance * max(1, |b|). */
  readonly tolerance: number;
  /** Examples of each outcome. */
  readonly top: number;
  readonly eventsMax?: number;
  readonly progressed: (line: string) => void;
}

export interface Verified {
  readonly asked: Asked;
  readonly comparison: Comparison;
  readonly stretches: readonly Stretch[];
  readonly unusable: number;
}

const isSamePlace = (
  a: Pick<Stretch, 'topic' | 'partition'>,
  b: Pick<Stretch, 'topic' | 'partition'>,
): boolean => a.topic === b.topic && a.partition === b.partition;

/** Events that are there now; of a set that began with a backfill, those that it was given. */
const eventStretches = async (world: World, { pipeline, set }: Asked): Promise<readonly Stretch[]> => {
  const own = ofSet(pipeline, set);
  const topics = backfillTopics(own).sources;
  const here = (await Promise.all(topics.map(topic => captureTopic(world.broker, topic)))).flat();
  const { captured } = await findBackfill(world, own);
  return here.map(stretch => {
    const begun = captured?.slice.find(at => isSamePlace(at, stretch))?.from ?? 0;
    return { ...stretch, from: Math.min(stretch.until, Math.max(stretch.from, begun)) };
  });
};

/**
 * Event time from which on a stage finds all that its windows reach back to: where the beginning of a partition is not kept,
 * that of the oldest event there, and the reach.
 */
const wholeFrom = async (world: World, { pipeline, set }: Asked, stretches: readonly Stretch[]): Promise<readonly number[]> => {
  const own = ofSet(pipeline, set);
  const cut = stretches.filter(({ from, until }) => from > 0 && from < until);
  const firsts = cut.map(stretch => ({ ...stretch, until: stretch.from + 1 }));
  let oldestMs = Number.NEGATIVE_INFINITY;
  // What compaction takes of a table is replaced, not missing.
  const streams = Object.keys(own.events).filter(name => own.events[name]!.table !== true);
  for await (const read of rereadEvents(world, own, firsts, streams))
    if (read.reason === undefined) oldestMs = Math.max(oldestMs, read.event.time);
  return compileSet(own).stages.map(stage => oldestMs + reachOf(own, stage));
}; // prettier-ignore

/** @throws SampleTooLarge where less has to be asked for */
export const verify = async (world: World, options: VerifyOptions): Promise<Verified> => {
  const { asked, tolerance, top, progressed } = options;
  const { pipeline, set } = asked;
  const predictions = await captureTopic(world.broker, topicsOf(pipeline).predictions);
  const events = await eventStretches(world, asked);
  progressed('reading predictions');
  const served = await readServed(world, asked, predictions);
  const recomputed = await recompute(world, { ...options, stretches: events });
  const without = new Map([...recomputed.vectors].filter(([key]) => !served.vectors.has(key)));
  const unanswered = await absencesOf(world, asked, served, without);
  const own = ofSet(pipeline, set);
  const keys = compileSet(own).stages.map(({ key }) => key);
  const comparison = new Comparison(own, keys, tolerance, top);
  const isGone = ({ sourceTopic: topic, sourcePartition: partition, sourceOffset }: Served): boolean =>
    events.some(at => isSamePlace(at, { topic, partition }) && sourceOffset < at.from);
  const wholeFromMs = await wholeFrom(world, asked, events);
  comparison.add({ served, recomputed, unanswered, isGone, wholeFromMs });
  const stretches = [...predictions, ...events];
  return { asked, comparison, stretches, unusable: served.unusable + recomputed.unusable };
};
