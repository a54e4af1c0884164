/**
 * A night: one run over the newest vector of every entity, through the lane that scores the stream. Its slice, its model
 * and its thresholds are fixed on `millrace.runs.v1` before the first score. How far it is says the group that it reads
 * in, whose offsets move in the transactions that carry the predictions; so a run that was killed is gone on with by
 * asking for it again, and several processes that are given one run share its partitions.
 */
import { openCodec, type RecordCodec } from '@millrace/avro';
import {
  catalogue, CHAMPION, consumerGroup, deadLetterTopic, type FeaturesValue, nightGroup, type PredictionValue, type Run, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import { everySet, ofSet } from '@millrace/define';
import { type PartitionOffset, processor } from '@millrace/stream';
import { noLogger, noMetrics, noTracing } from '@millrace/telemetry';
import { PredictionWriter } from '../answer.ts';
import { Lane, type PredictionOutputs } from '../lane.ts';
import type { Serving } from '../models.ts';
import { VectorReader } from '../vectors.ts';
import { countAnswers } from './answers.ts';
import { captureNight } from './capture.ts';
import { openNightModel } from './model.ts';
import { countBelow, type Newest, newestOf } from './newest.ts';
import type { NightOptions, NightResult } from './options.ts';
import { type CapturedNight, doneOf, type NightReport, RunLog } from './record.ts';
import { RightOfWay } from './rightOfWay.ts';
import { NightRefused, refuseTooOld } from './slice.ts';
import { NightTask } from './task.ts';

const POLL_MS = 200;
const STOP_MS_MAX = 10_000;
/** Readers may see what was committed some milliseconds later; so long is waited for it. */
const COUNT_MS_MAX = 30_000;
const SESSION_MS_DEFAULT = 6_000;
const COMMIT_INTERVAL_MS = 250;
/** A run of vectors fetched at once, for each partition: the night is in no hurry and leaves memory to others. */
const FETCH_BYTES_MAX = 512 * 1024;

interface Codecs {
  readonly features: RecordCodec<FeaturesValue>;
  readonly predictions: RecordCodec<PredictionValue>;
}

const openCodecs = async ({ pipeline, registry }: NightOptions): Promise<Codecs> => {
  const topics = catalogue([pipeline]);
  const { features, predictions } = topicsOf(pipeline);
  const valueOf = (topic: string) => topics.find(({ name }) => name === topic)!.value!;
  return {
    features: await openCodec<FeaturesValue>(registry, valueOf(features)),
    predictions: await openCodec<PredictionValue>(registry, valueOf(predictions)),
  };
};

/** Where nothing else is asked: one model, whatever the control topic says meanwhile. */
const fixedBoard = (serving: Serving, { terms }: CapturedNight) => {
  const { controlRevision, thresholds, route, routeVersion } = terms;
  const inForce = { controlRevision, thresholds, route, routeVersion, arm: CHAMPION };
  const lease = { model: serving, release: () => undefined };
  return {
    choose: () => ({ lease, inForce }),
    smaller: () => undefined,
    restore: () => undefined,
    first: Promise.resolve(),
    notReady: () => undefined,
  };
};

/** A night in the making: reads, scores and commits until every newest vector of its slice is answered. */
const nightProcessor = (
  options: NightOptions,
  codecs: Codecs,
  captured: CapturedNight,
  newest: Newest,
  serving: Serving,
  way: RightOfWay,
) => {
  const { broker, clock, random, run } = options;
  // A fallback would hide that the model is gone: a night can wait.
  const pipeline = { ...options.pipeline, model: { ...options.pipeline.model, fallback: [] } };
  const { features, predictions } = topicsOf(pipeline);
  const reader = new VectorReader(pipeline, new Map([[features, codecs.features]]));
  const writer = new PredictionWriter(pipeline, codecs.features, codecs.predictions, run);
  const board = fixedBoard(serving, captured);
  const told = { clock, metrics: noMetrics, tracing: noTracing, logger: noLogger };
  const read = new Set<number>();
  return processor<FeaturesValue, PredictionOutputs>({
    name: `night ${run}`,
    broker,
    group: nightGroup(pipeline, run),
    inputs: [{ topic: features, codec: codecs.features }],
    outputs: { predictions: { topic: predictions, codec: codecs.predictions } },
    partitions: pipeline.partitions,
    // Whatever the pipeline asks for live: a portfolio is answered once.
    delivery: 'exactly_once',
    deadLetters: deadLetterTopic,
    createTask: context => {
      const { id, generation, signal } = context;
      const offsets = newest.offsets.get(id) ?? new Float64Array();
      const lane = new Lane({ pipeline, board, reader, writer, name: `${run}-${id}-${generation}`, ...told }, signal);
      const sliceRead = (): void => {
        read.add(id);
        context.pause({ topic: features, partition: id });
      };
      read.delete(id);
      if ((context.positions[0]?.offset ?? 0) > (offsets.at(-1) ?? -1)) sliceRead();
      return new NightTask({ lane, offsets, mayGoOn: of => way.mayGoOn(of), sliceRead });
    },
    commit: { intervalMs: COMMIT_INTERVAL_MS },
    waitsFor: task =>
      way.isClosed ? 'the stream has the right of way' : read.has(task) ? 'the others of its run' : undefined,
    fetchBytesPerPartitionMax: FETCH_BYTES_MAX,
    sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_MS_DEFAULT,
    clock,
    random,
  });
}; // prettier-ignore

const doneBelow = (newest: Newest, committed: readonly PartitionOffset[]): number =>
  committed.reduce(
    (sum, at) => sum + countBelow(newest.offsets.get(at.partition) ?? new Float64Array(), at.offset),
    0,
  );

/** Scores what is not scored yet. Resolves when the offsets of the run say that everything is committed. */
const score = async (options: NightOptions, codecs: Codecs, captured: CapturedNight, newest: Newest): Promise<number> => {
  const { pipeline, broker, clock, run, progressed, signal } = options;
  const group = nightGroup(pipeline, run);
  const { features } = topicsOf(pipeline);
  const done = async (): Promise<number> => doneBelow(newest, await broker.admin.committed(group, [features]));
  const total = newest.entities;
  if ((await done()) === total) return 0;
  const serving = await openNightModel(options, captured.terms.model);
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const groups = options.yieldsTo.map(one => ({
    group: consumerGroup('inference', one),
    topics: everySet(one).map(topicsOf).flatMap(of => [of.features, of.aside]),
  }));
  const { lagMax, waitMsTotalMax, tell } = options;
  const way = new RightOfWay({ admin: broker.admin, groups, lagMax, waitMsTotalMax, clock, tell });
  await way.look();
  const reading = nightProcessor(options, codecs, captured, newest, serving, way);
  const watching = way.watch(both);
  watching.catch(() => undefined); // Whoever races with it below hears of it.
  const settled = async (): Promise<void> => {
    for (let now = await done(); now < total; now = await done()) {
      progressed({ done: now, total });
      await clock.sleep(POLL_MS, both);
    }
  };
  try {
    await reading.start(both);
    const failing = watching.then(() => new Promise<never>(() => undefined));
    await Promise.race([settled(), reading.failed, failing]);
    progressed({ done: total, total });
    return way.waitedMs;
  } finally {
    over.abort(new Error('the night is over'));
    await reading.stop(STOP_MS_MAX);
    await serving.close();
  }
}; // prettier-ignore

/** Counts until readers see everything that was committed, or the time is up: then what they see is what there is. */
const account = async (options: NightOptions, codecs: Codecs, { terms }: CapturedNight) => {
  const { pipeline, broker, clock, run, signal } = options;
  const { features, predictions } = topicsOf(pipeline);
  const group = nightGroup(pipeline, run);
  const of = {
    broker,
    run,
    group,
    features,
    predictions,
    codec: codecs.predictions,
    from: terms.answersFrom,
  };
  const endMs = clock.now() + COUNT_MS_MAX;
  for (;;) {
    const counted = await countAnswers(of);
    if (counted.scored + counted.deadLettered >= terms.entities || clock.now() > endMs) return counted;
    await clock.sleep(POLL_MS, signal);
  }
};

const resultOf = (done: Run | undefined): NightResult | undefined =>
  done && { run: done, report: JSON.parse(done.report!) as NightReport, wasDone: true };

/**
 * Does a run, goes on with it, or says what came of it before.
 * @throws NightRefused where it cannot be done as asked. @throws Error where the account does not add up, or the signal was aborted
 */
export const runNight = async (asked: NightOptions): Promise<NightResult> => {
  // Versions of the set beside it are served by their own models; a night is over one.
  const options = { ...asked, pipeline: ofSet(asked.pipeline, asked.pipeline.features.version) };
  const { pipeline, broker, registry, run, clock, tell, signal } = options;
  const log = await RunLog.open(broker, registry);
  const before = await log.of(run);
  const captured = await captureNight(options, log, before);
  const known = resultOf(doneOf(before));
  if (known !== undefined) return known;
  const { terms } = captured;
  const { features } = topicsOf(pipeline);
  const atMs = terms.asOf === null ? captured.run.at : Date.parse(terms.asOf);
  await refuseTooOld(broker.admin, features, atMs, clock.now());
  const newest = await newestOf(broker, captured.run.slice, signal);
  if (newest.entities !== terms.entities)
    throw new NightRefused(
      `the slice of run ${run} had ${terms.entities} entities, and ${newest.entities} are found in it now: ${features} was compacted or made anew`,
    );
  tell(`${newest.entities} entities in the slice of run ${run}`);
  const codecs = await openCodecs(options);
  const waitedMs = await score(options, codecs, captured, newest);
  const report: NightReport = { ...terms, ...(await account(options, codecs, captured)), waitedMs };
  const { scored, deadLettered, repeated } = report;
  // Another process that was given this run may have come to its end meanwhile.
  const others = resultOf(doneOf(await log.of(run)));
  if (others !== undefined) return others;
  const addsUp = scored + deadLettered === terms.entities && repeated === 0;
  const state = addsUp ? 'done' : 'failed';
  const record = { ...captured.run, state, at: clock.now(), report: JSON.stringify(report) };
  await log.write(record);
  if (!addsUp)
    throw new Error(`the account of run ${run} does not add up: ${terms.entities} entities, ${scored} scored, ${deadLettered} dead letters, ${repeated} repeated`);
  return { run: record, report, wasDone: false };
}; // prettier-ignore
