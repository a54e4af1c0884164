import { Bad, openCodec } from '@millrace/avro';
import { catalogue, CHAMPION, championOf, type ControlRecord, deadLetterTopic, MILLRACE_TOPICS, type Run, topicsOf } from '@millrace/contracts'; // prettier-ignore
import { hashFeatureSet } from '@millrace/define';
import { ControlEntries, type Wanted } from '../inForce.ts';
import { captureDeferred } from './deferred.ts';
import { openNightModel } from './model.ts';
import { newestOf } from './newest.ts';
import type { NightOptions } from './options.ts';
import { type CapturedNight, capturedOf, NIGHT, type NightTerms, type RunLog } from './record.ts';
import { captureSlice, endsOf, NightRefused, refuseTooOld } from './slice.ts';

/** What the control topic wants now. */
const wantedNow = async ({ broker, registry, pipeline }: NightOptions): Promise<Wanted> => {
  const topic = MILLRACE_TOPICS.control;
  const codec = await openCodec<ControlRecord>(registry, catalogue([]).find(({ name }) => name === topic)!.value!); // prettier-ignore
  const entries = new ControlEntries(pipeline, [championOf(pipeline.features.version), CHAMPION]);
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until })) {
    await codec.prepare(Array.from({ length: run.length }, (_, i) => run.value(i)));
    for (let i = 0; i < run.length; i++) {
      const [key, bytes] = [run.key(i), run.value(i)];
      const value = bytes === null ? undefined : codec.decode(bytes);
      if (key !== null && !(value instanceof Bad)) entries.apply(Buffer.from(key).toString(), value);
    }
  }
  return entries.wanted();
};

const isoOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

/** @throws NightRefused where the run was captured for something else than what is asked now */
const refuseOther = ({ run, terms }: CapturedNight, options: NightOptions): void => {
  const { pipeline, asOfMs } = options;
  if (run.kind !== NIGHT || run.pipeline !== pipeline.name)
    throw new NightRefused(`${run.run} is the id of a ${run.kind} of pipeline ${run.pipeline}: choose another --run`);
  if (run.featureSetHash !== hashFeatureSet(pipeline))
    throw new NightRefused(`run ${run.run} began with feature set ${run.featureSetHash.slice(0, 12)}…, and here it is another: choose another --run`);
  if (asOfMs !== undefined && isoOf(asOfMs) !== terms.asOf)
    throw new NightRefused(`run ${run.run} is as of ${terms.asOf ?? run.at}: leave --as-of out to go on with it, or choose another --run`);
}; // prettier-ignore

const capture = async (options: NightOptions): Promise<Run> => {
  const { pipeline, broker, clock, run, by, asOfMs, signal } = options;
  const { admin } = broker;
  const { features, predictions } = topicsOf(pipeline);
  const at = clock.now();
  if (asOfMs !== undefined) {
    if (asOfMs > at) throw new NightRefused(`--as-of ${isoOf(asOfMs)} is still to come`);
    await refuseTooOld(admin, features, asOfMs, at);
  }
  const wanted = await wantedNow(options);
  const { alias, featureSet } = wanted;
  const { version } = pipeline.features;
  if (featureSet !== undefined && featureSet !== version)
    throw new NightRefused(`version ${featureSet} of the feature set of ${pipeline.name} is served, not ${version}: say --pipeline ${pipeline.name}@${featureSet}`);
  if (alias === undefined)
    throw new NightRefused(`the control topic names no model for alias '${CHAMPION}' of pipeline ${pipeline.name}`);
  // Loaded once before anything is fixed: a model that does not fit is told of now.
  const serving = await openNightModel(options, { name: alias.model, version: alias.version });
  const digest = serving.model.manifest.sha256;
  await serving.close();
  const slice = await captureSlice(admin, features, asOfMs);
  const { entities, tombstones } = await newestOf(broker, slice, signal);
  const terms: NightTerms = {
    asOf: isoOf(asOfMs), model: { name: alias.model, version: alias.version, digest },
    controlRevision: Math.max(wanted.revision, alias.revision), thresholds: wanted.thresholds,
    routes: wanted.routes, routeVersion: wanted.routeVersion, entities, tombstones, deferred: await captureDeferred(options),
    answersFrom: { predictions: await endsOf(admin, predictions), letters: await endsOf(admin, deadLetterTopic(features)) },
  };
  return {
    run, kind: NIGHT, pipeline: pipeline.name, state: 'captured', at, by, featureSet: pipeline.features.version,
    featureSetHash: hashFeatureSet(pipeline), sliceMs: 0, disorderMs: 0, epochsOf: 0, epochsUntil: 0, slice, report: JSON.stringify(terms),
  };
}; // prettier-ignore

/** What the run is over and with, as it is captured now, or was before. @throws NightRefused */
export const captureNight = async (
  options: NightOptions,
  log: RunLog,
  before: readonly Run[],
): Promise<CapturedNight> => {
  const known = capturedOf(before);
  if (known === undefined) await log.write(await capture(options));
  const captured = known ?? capturedOf(await log.of(options.run))!;
  refuseOther(captured, options);
  return captured;
};
