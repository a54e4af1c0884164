/**
 * Rows to train on: features as they were known at each event, and what turned out to be true by a given time. One row for
 * each event: its newest revision. What has been withdrawn since is no row.
 */
import { Bad } from '@millrace/avro';
import { asideTopic, type PredictionValue, type Stretch, topicsOf } from '@millrace/contracts';
import { type Evaluation, ofSet, type Pipeline } from '@millrace/define';
import { backfillTopics, rereadEvents } from '@millrace/feature';
import { compareOrder, compileSet, type FoldEvent, foldInOrder } from '@millrace/features';
import { isNewer } from '../evaluate/join.ts';
import { readLabels } from '../evaluate/labels.ts';
import type { World } from '../world/prepare.ts';
import { captureTopic, valuesOf } from '../world/slice.ts';

/** Most events, and most withdrawals, that are held in memory. */
export const EVENTS_MAX = 10_000_000;

/** `served`: vectors as predictions carry them. `recomputed`: one fold over the events, by the code that serves. */
export type DatasetSource = 'served' | 'recomputed';

export interface DatasetRow {
  readonly eventId: string;
  readonly revision: number;
  readonly sequence: number;
  readonly entity: string;
  readonly eventTime: number;
  /** In the set's order; missing is NaN. */
  readonly features: ArrayLike<number>;
  /** Undefined where no label was known. */
  readonly truth: boolean | undefined;
  readonly knownAt: number | undefined;
}

export interface DatasetOf {
  readonly source: DatasetSource;
  /** Version of the feature set. */
  readonly set: number;
  readonly evaluation: Evaluation;
  /** Event times, milliseconds since the epoch: first included, last excluded. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Labels count that were known by then, milliseconds since the epoch. */
  readonly asOfMs: number;
  /** What is read of each topic. */
  readonly stretches: readonly Stretch[];
}

export interface DatasetRows {
  readonly rows: readonly DatasetRow[];
  /** Records that the service rejects or nobody can decode, and vectors of another content of the set. */
  readonly unusable: number;
}

/** What there is to read now, for the source. */
export const captureStretches = async (
  world: World,
  pipeline: Pipeline,
  source: DatasetSource,
  evaluation: Evaluation,
): Promise<readonly Stretch[]> => {
  const { events, predictions } = topicsOf(pipeline);
  const scored = events[pipeline.scores]!;
  const read =
    source === 'served' ? [predictions, scored, asideTopic(scored)] : backfillTopics(pipeline).sources;
  // Features need not read labels.
  const labels = events[evaluation.labels]!;
  const topics = new Set([...read, labels, asideTopic(labels)]);
  return (await Promise.all([...topics].map(topic => captureTopic(world.broker, topic)))).flat();
};

type Vectors = Omit<DatasetRow, 'truth' | 'knownAt'>;

interface Found {
  /** By event id: the newest revision that has a vector. */
  readonly newest: ReadonlyMap<string, Vectors>;
  /** By event id: the highest revision that takes the event back. */
  readonly withdrawn: ReadonlyMap<string, number>;
  readonly unusable: number;
}

const noteWithdrawn = (withdrawn: Map<string, number>, { eventId, revision }: FoldEvent): void => {
  withdrawn.set(eventId, Math.max(revision, withdrawn.get(eventId) ?? revision));
  if (withdrawn.size > EVENTS_MAX)
    throw new RangeError(`more than ${EVENTS_MAX} events are withdrawn: no rows can be told from them`);
};

const served = async (world: World, pipeline: Pipeline, of: DatasetOf): Promise<Found> => {
  const own = ofSet(pipeline, of.set);
  const { names, hash } = compileSet(own);
  const { predictions } = topicsOf(pipeline);
  const answers = new Map<string, PredictionValue>();
  let unusable = 0;
  for await (const { value } of valuesOf<PredictionValue>(world, pipeline, predictions, of.stretches)) {
    if (value === null || (!(value instanceof Bad) && value.featureSet !== of.set)) continue;
    if (value instanceof Bad || value.featureSetHash !== hash) {
      unusable++;
      continue;
    }
    const isAsked = value.role === 'answer' && value.eventTime >= of.fromMs && value.eventTime < of.untilMs;
    const before = answers.get(value.eventId);
    if (isAsked && (before === undefined || isNewer(value, before))) answers.set(value.eventId, value);
  }
  // A withdrawal is never answered: only the events say so.
  const withdrawn = new Map<string, number>();
  for await (const { event } of rereadEvents(world, own, of.stretches, [own.scores]))
    if (event?.withdrawn === true) noteWithdrawn(withdrawn, event);
  const newest = new Map<string, Vectors>();
  for (const { eventId, revision, sequence, entity, eventTime, features } of answers.values())
    newest.set(eventId, {
      eventId, revision, sequence, entity, eventTime, features: names.map(name => features[name] ?? Number.NaN),
    });
  return { newest, withdrawn, unusable };
}; // prettier-ignore

const recomputed = async (world: World, pipeline: Pipeline, of: DatasetOf): Promise<Found> => {
  const own = ofSet(pipeline, of.set);
  const events: FoldEvent[] = [];
  const withdrawn = new Map<string, number>();
  let unusable = 0;
  for await (const { event } of rereadEvents(world, own, of.stretches)) {
    if (event === undefined) {
      unusable++;
      continue;
    }
    if (event.stream === pipeline.scores && event.withdrawn) noteWithdrawn(withdrawn, event);
    events.push(event);
    if (events.length > EVENTS_MAX) throw new RangeError(`more than ${EVENTS_MAX} events: ask for --source served`);
  }
  const newest = new Map<string, Vectors>();
  for (const { event, values } of foldInOrder(compileSet(own), events.sort(compareOrder))) {
    const { eventId, revision, sequence, time, fields } = event;
    if (time < of.fromMs || time >= of.untilMs || revision <= (newest.get(eventId)?.revision ?? Number.NEGATIVE_INFINITY)) continue;
    newest.set(eventId, { eventId, revision, sequence, entity: String(fields[pipeline.entity]), eventTime: time, features: values });
  }
  return { newest, withdrawn, unusable };
}; // prettier-ignore

/** In the order of event time, sequence and id, so that the same stretches give the same rows. */
export const datasetRows = async (world: World, pipeline: Pipeline, of: DatasetOf): Promise<DatasetRows> => {
  const labels = await readLabels(world, pipeline, of.evaluation, of.asOfMs, of.stretches);
  const source = of.source === 'served' ? served : recomputed;
  const { newest, withdrawn, unusable } = await source(world, pipeline, of);
  const rows = [...newest.values()]
    .filter(({ eventId, revision }) => revision >= (withdrawn.get(eventId) ?? revision))
    .sort((a, b) => a.eventTime - b.eventTime || a.sequence - b.sequence || (a.eventId < b.eventId ? -1 : 1));
  return {
    rows: rows.map(row => {
      const label = labels.known.get(row.eventId);
      const stands = label !== undefined && !label.withdrawn;
      return { ...row, truth: stands ? label.truth : undefined, knownAt: stands ? label.knownAt : undefined };
    }),
    unusable: unusable + labels.unusable,
  };
};
