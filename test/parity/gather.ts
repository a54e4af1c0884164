/** Transactions in, vectors out: live, or replayed by order time once everything is there, with or without kills. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPublisher, type Services, startServices } from '@millrace/cli';
import type { FeaturesValue } from '@millrace/contracts';
import { captureBackfill, DISORDER_MS_DEFAULT, SLICE_MS_DEFAULT } from '@millrace/feature';
import { fraud } from '@millrace/pipelines';
import { collect, type Ends } from './collect.ts';
import type { ParityResult } from './compare.ts';
import { cpuSeconds } from './cpu.ts';
import { type Dice, diceOf, killAtRandom } from './disturb.ts';
import { type Published, publishDays, publishDisturbed } from './publish.ts';
import type { ParityOptions } from './run.ts';
import { Vectors } from './vectors.ts';

/** Of a machine under load, which all of this is to run on as well. */
const READY_MS_MAX = 240_000;
/** More than there are kills in any run. */
const RESTARTS_MAX = 1_000;

type Figures = Pick<
  ParityResult,
  'seconds' | 'recordsPerSecond' | 'cpuSecondsPerMillion' | 'missing' | 'kills' | 'duplicates'
>;

/** One service as a process of its own; it is started again when it ends. */
export const startService = (
  options: ParityOptions,
  name: 'feature' | 'inference',
  directory: string,
): Promise<Services> => {
  mkdirSync(directory, { recursive: true });
  return startServices({
    names: [name],
    addresses: options.addresses,
    directory,
    environment: {
      ...options.environment,
      MILLRACE_PIPELINES: fraud.name,
      MILLRACE_MODELS: join(options.directory, 'models'),
    },
    clock: options.world.clock,
    signal: options.signal,
    apiKey: 'none',
    token: `millrace-parity-${process.pid}`,
    say: options.say,
    readyMsMax: READY_MS_MAX,
    restartsMax: RESTARTS_MAX,
  });
};

const startFeature = (options: ParityOptions): Promise<readonly Services[]> =>
  Promise.all(
    Array.from({ length: options.processes }, (_, i) =>
      startService(
        options,
        'feature',
        i === 0 ? options.directory : join(options.directory, `feature-${i + 1}`),
      ),
    ),
  );

const pidsOf = (services: readonly Services[]): readonly number[] =>
  services.flatMap(one => one.list().map(({ pid }) => pid));

/** CPU of all; undefined where one is not known. A process that was started again has taken the first one's with it. */
const cpuOf = (pids: readonly number[]): number | undefined => {
  const seconds = pids.map(cpuSeconds);
  return seconds.includes(undefined) ? undefined : seconds.reduce<number>((sum, one) => sum + one!, 0);
};

const publish = async (options: ParityOptions, dice: Dice | undefined): Promise<Published> => {
  const { world, days, prefix, signal, say } = options;
  const publisher = await openPublisher(world, fraud);
  try {
    const startedMs = world.clock.now();
    const published =
      dice === undefined
        ? await publishDays(publisher, days.raw, prefix, signal)
        : await publishDisturbed(publisher, days.raw, prefix, signal, dice);
    const seconds = ((world.clock.now() - startedMs) / 1000).toFixed(1);
    const again = published.duplicates > 0 ? `, ${published.duplicates} of them twice` : '';
    say(
      `Published ${published.transactions} transactions and ${published.labels} labels${again} in ${seconds} s.`,
    );
    return published;
  } finally {
    await publisher.close();
  }
};

/**
 * Time and CPU count to the last vector appended: live from the first record published, replayed from the start of the
 * feature processes.
 */
export const gather = async (
  options: ParityOptions,
  from: Ends,
): Promise<{ readonly vectors: Vectors; readonly figures: Figures }> => {
  const { world, prefix, signal, epochs } = options;
  const dice = options.disturb === undefined ? undefined : diceOf(options.disturb);
  let published: Published | undefined;
  if (epochs === 'replay') {
    published = await publish(options, dice);
    const slices = { sliceMs: SLICE_MS_DEFAULT, disorderMs: DISORDER_MS_DEFAULT };
    await captureBackfill({ ...world, pipeline: fraud, ...slices, by: 'parity' });
  }
  const startedMs = world.clock.now();
  const feature = await startFeature(options);
  const ended = new AbortController();
  try {
    const pidsBefore = pidsOf(feature);
    const cpuBefore = cpuOf(pidsBefore);
    const kills = dice && killAtRandom(() => pidsOf(feature), dice, world.clock, ended.signal);
    published ??= await publish(options, dice);
    const { transactions, labels, duplicates } = published;
    const vectors = new Vectors(fraud, transactions);
    await collect<FeaturesValue>(
      world, fraud, from,
      (value, appendMs) => { if (value.eventId.startsWith(`${prefix}tx-`)) vectors.take(value, appendMs); },
      () => vectors.rows === transactions, signal,
    ); // prettier-ignore
    const seconds = (vectors.lastAppendMs - startedMs) / 1000;
    const records = transactions + labels + duplicates;
    const cpuAfter = cpuOf(pidsOf(feature));
    const known =
      cpuBefore !== undefined && cpuAfter !== undefined && pidsOf(feature).join() === pidsBefore.join();
    return {
      vectors,
      figures: {
        seconds,
        recordsPerSecond: Math.round(records / seconds),
        cpuSecondsPerMillion: known ? ((cpuAfter - cpuBefore) / records) * 1e6 : null,
        missing: transactions - vectors.rows,
        duplicates,
        kills: kills?.count ?? 0,
      },
    };
  } finally {
    ended.abort();
    await Promise.all(feature.map(one => one.stop()));
  }
};
