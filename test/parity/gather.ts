/** Transactions in, vectors out: live, or replayed by order time once everything is there, with or without kills. */
import { openPublisher, type Publisher } from '@millrace/cli';
import type { FeaturesValue } from '@millrace/contracts';
import { captureBackfill, DISORDER_MS_DEFAULT, SLICE_MS_DEFAULT } from '@millrace/feature';
import { fraud } from '@millrace/pipelines';
import { type Collector, type Ends, openCollector } from './collect.ts';
import type { ParityResult } from './compare.ts';
import { diceOf, killAtRandom } from './disturb.ts';
import { memoryOf, watchMemory } from './memory.ts';
import { recording } from './dataset/inputs.ts';
import { inputsFile } from './dataset/run.ts';
import { cpuOf, pidsOf, startFeature } from './processes.ts';
import { type Published, publishDays, publishDisturbed, publishPaced } from './publish.ts';
import type { ParityOptions } from './run.ts';
import { Vectors } from './vectors.ts';

type Figures = Pick<
  ParityResult,
  'seconds' | 'recordsPerSecond' | 'cpuSecondsPerMillion' | 'missing' | 'kills' | 'duplicates' | 'memory' | 'latencyMs'
>; // prettier-ignore

type Publish = (publisher: Pick<Publisher, 'publish'>) => Promise<Published>;

const publishing = async (options: ParityOptions, publish: Publish): Promise<Published> => {
  const { world, say } = options;
  const publisher = await openPublisher(world, fraud);
  try {
    const startedMs = world.clock.now();
    const published = await publish(options.dataset ? recording(publisher, inputsFile(options)) : publisher);
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

/** Everything that is published so far becomes the history with which the set begins. */
const becomeHistory = async ({ world }: ParityOptions): Promise<void> => {
  const slices = { sliceMs: SLICE_MS_DEFAULT, disorderMs: DISORDER_MS_DEFAULT };
  await captureBackfill({ ...world, pipeline: fraud, ...slices, by: 'parity' });
};

const NOTHING: Published = { transactions: 0, labels: 0, duplicates: 0 };

/** What is there before the feature processes start. */
const before = async (options: ParityOptions): Promise<Published> => {
  const { days, prefix, signal, epochs, speed, disturb } = options;
  if (epochs === 'live' && speed === undefined) return NOTHING;
  const untilMs = speed === undefined ? Infinity : Date.parse(days.from);
  const published = await publishing(options, publisher =>
    disturb === undefined
      ? publishDays(publisher, days.raw, prefix, signal, untilMs)
      : publishDisturbed(publisher, days.raw, prefix, signal, diceOf(disturb)),
  );
  if (published.transactions > 0) await becomeHistory(options);
  return published;
};

/** What comes while they run. */
const meanwhile = async (options: ParityOptions): Promise<Published> => {
  const { world, days, prefix, signal, epochs, speed, seconds } = options;
  if (epochs === 'replay') return NOTHING;
  return publishing(options, publisher =>
    speed === undefined
      ? publishDays(publisher, days.raw, prefix, signal)
      : publishPaced(publisher, days.raw, prefix, signal, {
          fromMs: Date.parse(days.from),
          speed,
          secondsMax: seconds ?? Infinity,
          clock: world.clock,
        }),
  );
};

/** Vectors of transactions by this run, and how long each of what came live was on its way. */
const collecting = async ({ world, prefix, signal }: ParityOptions, from: Ends, room: number) => {
  const vectors = new Vectors(fraud, room);
  const waitsMs: number[] = [];
  const take = (value: FeaturesValue, appendMs: number): void => {
    if (!value.eventId.startsWith(`${prefix}tx-`)) return;
    vectors.take(value, appendMs);
    waitsMs.push(appendMs - value.appendTime);
  };
  const collector: Collector = await openCollector<FeaturesValue>(world, fraud, from, take, signal);
  return { vectors, waitsMs, collector };
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

const latencyOf = (waitsMs: readonly number[]): ParityResult['latencyMs'] => {
  const sorted = waitsMs.toSorted((a, b) => a - b);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map(share => percentile(sorted, share));
  return { p50: p50!, p95: p95!, p99: p99! };
};

/**
 * Time and CPU count to the last vector appended: live from the first record published, replayed from the start of the
 * feature processes.
 */
export const gather = async (
  options: ParityOptions,
  from: Ends,
  room: number,
): Promise<{ readonly vectors: Vectors; readonly figures: Figures }> => {
  const { world, disturb, epochs } = options;
  const past = await before(options);
  let startedMs = world.clock.now();
  const feature = await startFeature(options);
  const ended = new AbortController();
  try {
    const pidsBefore = pidsOf(feature);
    const dice = disturb !== undefined && options.kills ? diceOf(disturb + 1) : undefined;
    const kills = dice && killAtRandom(() => pidsOf(feature), dice, world.clock, ended.signal);
    const samples = watchMemory(() => pidsOf(feature), world.clock, ended.signal);
    const { vectors, waitsMs, collector } = await collecting(options, from, room);
    if (epochs === 'live') {
      await collector.until(() => vectors.rows === past.transactions);
      waitsMs.length = 0;
      startedMs = world.clock.now();
    }
    const cpuBefore = cpuOf(pidsBefore);
    const live = await meanwhile(options);
    const transactions = past.transactions + live.transactions;
    await collector.until(() => vectors.rows === transactions);
    const seconds = (vectors.lastAppendMs - startedMs) / 1000;
    const of = epochs === 'live' ? live : past;
    const records = of.transactions + of.labels + of.duplicates;
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
        duplicates: past.duplicates,
        kills: kills?.count ?? 0,
        memory: memoryOf(samples, options.directory),
        latencyMs: epochs === 'live' ? latencyOf(waitsMs) : null,
      },
    };
  } finally {
    ended.abort();
    await Promise.all(feature.map(one => one.stop()));
  }
};
