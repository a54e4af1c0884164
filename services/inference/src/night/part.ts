/** One part of a night: records that are read in a group of their own until everything of them is committed. */
import type { RecordCodec } from '@millrace/avro';
import {
  CHAMPION, consumerGroup, deadLetterTopic, type Deferred, type FeaturesValue, type PredictionValue, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import { everySet, type Pipeline } from '@millrace/define';
import type { Processor } from '@millrace/stream';
import { type Displaced, tellDisplaced } from '../engines.ts';
import type { Serving } from '../models.ts';
import { openNightModel } from './model.ts';
import { countOf, doneBelow, type Offsets } from './newest.ts';
import type { NightOptions } from './options.ts';
import type { CapturedNight } from './record.ts';
import { type PushCodecs, pushOutputs } from '../pushes.ts';
import { RightOfWay } from './rightOfWay.ts';

export interface Codecs {
  readonly features: RecordCodec<FeaturesValue>;
  readonly aside: RecordCodec<FeaturesValue>;
  readonly deferred: RecordCodec<Deferred>;
  readonly predictions: RecordCodec<PredictionValue>;
  readonly pushes: PushCodecs;
}

export interface Part {
  readonly group: string;
  readonly topics: readonly string[];
  /** What has to be answered. */
  readonly offsets: Offsets;
  readonly reading: (serving: Serving, way: RightOfWay) => Processor;
}

const POLL_MS = 200;
const STOP_MS_MAX = 10_000;
const SESSION_MS_DEFAULT = 6_000;
const COMMIT_INTERVAL_MS = 250;
/** A run of vectors fetched at once, for each partition: the night is in no hurry and leaves memory to others. */
const FETCH_BYTES_MAX = 512 * 1024;

/** A fallback would hide that the model is gone: a night can wait. */
export const withoutFallback = (pipeline: Pipeline): Pipeline => ({
  ...pipeline,
  model: { ...pipeline.model, fallback: [] },
});

/** What the processors of all parts have in common. @param waitsFor why a task has nothing to do, beside the stream */
export const partOptions = (
  { pipeline, broker, clock, random, sessionTimeoutMs = SESSION_MS_DEFAULT }: NightOptions,
  codecs: Codecs,
  way: RightOfWay,
  waitsFor: (task: number) => string | undefined,
) => {
  const { predictions, deferred } = topicsOf(pipeline);
  return {
    broker,
    clock,
    random,
    partitions: pipeline.partitions,
    outputs: {
      predictions: { topic: predictions, codec: codecs.predictions },
      deferred: { topic: deferred, codec: codecs.deferred },
      ...pushOutputs(pipeline),
    },
    // Whatever the pipeline asks for live: a portfolio is answered once.
    delivery: 'exactly_once' as const,
    deadLetters: deadLetterTopic,
    commit: { intervalMs: COMMIT_INTERVAL_MS },
    waitsFor: (task: number) => (way.isClosed ? 'the stream has the right of way' : waitsFor(task)),
    fetchBytesPerPartitionMax: FETCH_BYTES_MAX,
    sessionTimeoutMs,
  };
};

/** Rows that were not answered on what their rule asks for are counted, and told of. */
export const displacedAtNight = ({ pipeline, metrics, tell }: NightOptions): Displaced =>
  tellDisplaced(pipeline.name, metrics, (cause, line) =>
    tell(cause instanceof Error ? `${line}: ${cause.message}` : line),
  );

/** Where nothing else is asked: one model, whatever the control topic says meanwhile. */
export const fixedBoard = (serving: Serving, { terms }: CapturedNight) => {
  const { controlRevision, thresholds, routes = [], routeVersion } = terms;
  const inForce = { controlRevision, thresholds, routes, routeVersion, arm: CHAMPION };
  const lease = { model: serving, release: () => undefined };
  return {
    choose: () => ({ lease, inForce }),
    smaller: () => undefined,
    restore: () => undefined,
    first: Promise.resolve(),
    notReady: () => undefined,
  };
};

const wayOf = (options: NightOptions): RightOfWay => {
  const { pipeline, broker, lagMax, waitMsTotalMax, clock, metrics, tell } = options;
  const groups = options.yieldsTo.map(one => ({
    group: consumerGroup('inference', one),
    topics: everySet(one).map(topicsOf).flatMap(of => [of.features, of.aside]),
  }));
  return new RightOfWay({ pipeline: pipeline.name, admin: broker.admin, groups, lagMax, waitMsTotalMax, clock, metrics, tell });
}; // prettier-ignore

/**
 * Scores what is not scored yet. Resolves, with the milliseconds that it gave way to the stream, when the offsets of the
 * group say that everything is committed.
 */
export const score = async (
  options: NightOptions,
  { group, topics, offsets, reading }: Part,
  model: CapturedNight['terms']['model'],
): Promise<number> => {
  const { broker, clock, progressed, signal } = options;
  const total = countOf(offsets);
  const done = async (): Promise<number> => doneBelow(offsets, await broker.admin.committed(group, topics));
  if ((await done()) === total) return 0;
  const serving = await openNightModel(options, model);
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const way = wayOf(options);
  await way.look();
  const processor = reading(serving, way);
  const watching = way.watch(both);
  watching.catch(() => undefined); // Whoever races with it below hears of it.
  const settled = async (): Promise<void> => {
    for (let now = await done(); now < total; now = await done()) {
      progressed({ done: now, total });
      await clock.sleep(POLL_MS, both);
    }
  };
  try {
    await processor.start(both);
    const failing = watching.then(() => new Promise<never>(() => undefined));
    await Promise.race([settled(), processor.failed, failing]);
    progressed({ done: total, total });
    return way.waitedMs;
  } finally {
    over.abort(new Error('the night is over'));
    await processor.stop(STOP_MS_MAX);
    await serving.close();
  }
};
