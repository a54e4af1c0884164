/** A live stretch run again by another version of the set, with the epochs that were written down: the same to the last bit. */
import { createHash } from 'node:crypto';
import { FIRST_MODEL_VERSION, openWorld, prepare } from '@millrace/cli';
import { type FeaturesValue, type Run, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { captureBackfill, FEATURE_DEFAULTS, featureService } from '@millrace/feature';
import { fraud } from '@millrace/pipelines';
import { noLogger, noMetrics } from '@millrace/telemetry';
import { collect, type Ends, endsOf } from './collect.ts';
import type { ParityOptions } from './run.ts';

export interface Again {
  readonly rows: number;
  /** Places of the topics that hold another vector than the first time, or none. */
  readonly differing: number;
}

const SECOND: Pipeline = { ...fraud, features: { ...fraud.features, version: fraud.features.version + 1 } };

/** All of a vector but the version of its set; numbers by their bits. */
export const digestOf = (value: FeaturesValue): string => {
  const { featureSet: _, featureSetHash: __, features, ...rest } = value;
  return createHash('sha1')
    .update(JSON.stringify(rest))
    .update(new Uint8Array(Float32Array.from(Object.values(features)).buffer))
    .digest('base64');
};

/** Digests in the order of each partition, of the features topic and of what lies aside; of the stretch alone. */
const digests = async (
  { world, signal }: ParityOptions,
  pipeline: Pipeline,
  from: Ends,
  { slice }: Run,
  rows: number,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const { features } = topicsOf(pipeline);
  const ends = new Map(slice.map(({ topic, partition, until }) => [`${topic} ${partition}`, until]));
  const found = new Map<string, string[]>();
  let count = 0;
  const take = (value: FeaturesValue, _appendMs: number, at: { topic: string; partition: number }): void => {
    if (value.sourceOffset >= (ends.get(`${value.sourceTopic} ${value.sourcePartition}`) ?? 0)) return;
    const place = `${at.topic === features ? 'features' : 'aside'} ${at.partition}`;
    const digest = digestOf(value);
    const own = found.get(place);
    if (own === undefined) found.set(place, [digest]);
    else own.push(digest);
    count++;
  };
  await collect<FeaturesValue>(world, pipeline, from, take, () => count >= rows, signal);
  return found;
};

const sizeOf = (all: ReadonlyMap<string, readonly string[]>): number =>
  [...all.values()].reduce((sum, { length }) => sum + length, 0);

const differingIn = (
  first: ReadonlyMap<string, readonly string[]>,
  second: ReadonlyMap<string, readonly string[]>,
): number => {
  let differing = 0;
  for (const place of new Set([...first.keys(), ...second.keys()])) {
    const [a, b] = [first.get(place) ?? [], second.get(place) ?? []];
    for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) differing++;
  }
  return differing;
};

/** @param from where the topics of vectors ended before the first run */
export const runAgain = async (options: ParityOptions, from: Ends): Promise<Again> => {
  const { world, addresses, signal, say } = options;
  await prepare(world, [SECOND], () => FIRST_MODEL_VERSION);
  const run = await captureBackfill({ ...world, pipeline: SECOND, epochsOf: fraud.features.version, sliceMs: 0, disorderMs: 0, by: 'parity' });
  const before = await digests(options, fraud, from, run, 0);
  const rows = sizeOf(before);
  const { features, aside } = topicsOf(SECOND);
  const beginning = await endsOf(world, [features, aside]);
  const other = openWorld(addresses);
  const service = featureService({
    ...other, pipeline: SECOND, random: Math.random, metrics: noMetrics, logger: noLogger, config: FEATURE_DEFAULTS,
  });
  try {
    await service.start(signal);
    say(`Running ${rows} vectors again, by the epochs that were written down.`);
    const again = await digests(options, SECOND, beginning, run, rows);
    return { rows, differing: differingIn(before, again) };
  } finally {
    await service.stop(STOP_MS_MAX);
    await other.broker.close();
  }
}; // prettier-ignore

const STOP_MS_MAX = 10_000;
