/**
 * A night: one run over the newest vector of every entity, through the lane that scores the stream. Its slice, its model
 * and its thresholds are fixed on `millrace.runs.v1` before the first score. How far it is says the group that it reads
 * in, whose offsets move in the transactions that carry the predictions; so a run that was killed is gone on with by
 * asking for it again, and several processes that are given one run share its partitions.
 */
import { openCodec, type RecordCodec } from '@millrace/avro';
import { catalogue, type Deferred, deferredGroup, type FeaturesValue, nightGroup, type PredictionValue, type Run, topicsOf } from '@millrace/contracts'; // prettier-ignore
import { ofSet, type Pipeline } from '@millrace/define';
import { processor } from '@millrace/stream';
import { noLogger, noMetrics, noTracing } from '@millrace/telemetry';
import { PredictionWriter } from '../answer.ts';
import { Lane } from '../lane.ts';
import type { ChooseRoute, PredictionOutputs } from '../laneOptions.ts';
import { openPushCodecs } from '../pushes.ts';
import { Router } from '../routing.ts';
import { VectorReader } from '../vectors.ts';
import { countAnswers } from './answers.ts';
import { captureNight } from './capture.ts';
import { deferredBatches, deferredPart } from './deferred.ts';
import { type Newest, newestOf, placeOf } from './newest.ts';
import type { NightOptions, NightResult } from './options.ts';
import {
  type Codecs,
  displacedAtNight,
  fixedBoard,
  type Part,
  partOptions,
  score,
  withoutFallback,
} from './part.ts';
import { type CapturedNight, doneOf, type NightReport, RunLog } from './record.ts';
import { NightRefused, refuseTooOld } from './slice.ts';
import { NightTask } from './task.ts';

const POLL_MS = 200;
/** Readers may see what was committed some milliseconds later; so long is waited for it. */
const COUNT_MS_MAX = 30_000;

const openCodecs = async ({ pipeline, registry }: NightOptions): Promise<Codecs> => {
  const topics = catalogue([pipeline]);
  const { features, aside, predictions, deferred } = topicsOf(pipeline);
  const codecOf = <T>(_: Pipeline, topic: string): Promise<RecordCodec<T>> =>
    openCodec<T>(registry, topics.find(({ name }) => name === topic)!.value!);
  return {
    features: await codecOf<FeaturesValue>(pipeline, features),
    aside: await codecOf<FeaturesValue>(pipeline, aside),
    deferred: await codecOf<Deferred>(pipeline, deferred),
    predictions: await codecOf<PredictionValue>(pipeline, predictions),
    pushes: await openPushCodecs(pipeline, codecOf),
  };
};

/** The newest vectors of the slice, each handed to a lane like the stream's. */
const portfolio = (options: NightOptions, codecs: Codecs, captured: CapturedNight, { offsets }: Newest): Part => {
  const { clock, run } = options;
  const pipeline = withoutFallback(options.pipeline);
  const { features } = topicsOf(pipeline);
  const group = nightGroup(pipeline, run);
  const reader = new VectorReader(options.pipeline, new Map([[features, codecs.features]]));
  const writer = new PredictionWriter(pipeline, codecs.features, codecs.predictions, codecs.pushes, run);
  const router = new Router(pipeline, codecs.features);
  // It is night: what a rule would put off is answered now.
  const route: ChooseRoute = (vectors, row, inForce) => {
    const routed = router.choose(vectors, row, inForce);
    return routed.to === 'stream' ? routed : { ...routed, to: 'stream' };
  };
  const told = { clock, metrics: noMetrics, tracing: noTracing, logger: noLogger, displaced: displacedAtNight(options) };
  return {
    group,
    topics: [features],
    offsets,
    reading: (serving, way) => {
      const board = fixedBoard(serving, captured);
      const read = new Set<number>();
      return processor<FeaturesValue, PredictionOutputs>({
        ...partOptions(options, codecs, way, task => (read.has(task) ? 'the others of its run' : undefined)),
        name: `night ${run}`,
        group,
        inputs: [{ topic: features, codec: codecs.features }],
        createTask: context => {
          const { id, generation, signal } = context;
          const ofTask = offsets.get(placeOf({ topic: features, partition: id })) ?? new Float64Array();
          const name = `${run}-${id}-${generation}`;
          const lane = new Lane({ pipeline, board, reader, route, writer, name, ...told }, signal);
          const sliceRead = (): void => {
            read.add(id);
            context.pause({ topic: features, partition: id });
          };
          read.delete(id);
          if ((context.positions[0]?.offset ?? 0) > (ofTask.at(-1) ?? -1)) sliceRead();
          return new NightTask({ lane, offsets: ofTask, mayGoOn: of => way.mayGoOn(of), sliceRead });
        },
      });
    },
  };
}; // prettier-ignore

/** Counts until readers see everything that was committed, or the time is up: then what they see is what there is. */
const account = async (options: NightOptions, codecs: Codecs, { terms }: CapturedNight) => {
  const { pipeline, broker, clock, run, signal } = options;
  const { features, predictions, deferred } = topicsOf(pipeline);
  const of = { broker, predictions, codec: codecs.predictions };
  const { answersFrom, deferred: due } = terms;
  const ofRun = {
    ...of,
    group: nightGroup(pipeline, run),
    input: features,
    from: answersFrom,
    isOurs: (p: PredictionValue) => p.runId === run,
  };
  const ofDeferred = {
    ...of,
    group: deferredGroup(pipeline),
    input: deferred,
    from: { ...answersFrom, letters: due.lettersFrom },
    isOurs: (p: PredictionValue) => p.batchId.startsWith(deferredBatches(run)),
  };
  const endMs = clock.now() + COUNT_MS_MAX;
  for (;;) {
    const { scored, deadLettered, ...counted } = await countAnswers(ofRun);
    const ofRules = await countAnswers(ofDeferred);
    const putOff = { scored: ofRules.scored, deadLettered: ofRules.deadLettered, repeated: ofRules.repeated };
    const isAll =
      scored + deadLettered >= terms.entities && putOff.scored + putOff.deadLettered >= due.records;
    if (isAll || clock.now() > endMs) return { ...counted, scored, deadLettered, putOff };
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
  const { model, deferred } = terms;
  const waitedMs =
    (await score(options, portfolio(options, codecs, captured, newest), model)) +
    (await score(options, await deferredPart(options, codecs, captured), model));
  const report: NightReport = { ...terms, ...(await account(options, codecs, captured)), waitedMs };
  const { scored, deadLettered, repeated, putOff } = report;
  // Another process that was given this run may have come to its end meanwhile.
  const others = resultOf(doneOf(await log.of(run)));
  if (others !== undefined) return others;
  const addsUp =
    scored + deadLettered === terms.entities && repeated === 0 &&
    putOff.scored + putOff.deadLettered === deferred.records && putOff.repeated === 0;
  const state = addsUp ? 'done' : 'failed';
  const record = { ...captured.run, state, at: clock.now(), report: JSON.stringify(report) };
  await log.write(record);
  if (!addsUp)
    throw new Error(`the account of run ${run} does not add up: ${terms.entities} entities, ${scored} scored, ${deadLettered} dead letters, ${repeated} repeated; ${deferred.records} had been put off, ${putOff.scored} of them scored, ${putOff.deadLettered} dead letters, ${putOff.repeated} repeated`);
  return { run: record, report, wasDone: false };
}; // prettier-ignore
