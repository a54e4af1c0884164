/**
 * `bench epochs`: how long a payment waits for its vector by the width of the epochs, beside a pipeline of one key, which
 * needs none. Payments at a steady rate; the contestants take turns, each with a fresh process in every round.
 */
import type { Pipeline } from '@millrace/define';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { median, type Percentiles, percentilesOf } from '../figures.ts';
import { cpuSecondsOf } from '../linux/usage.ts';
import { followVectors, Payments } from '../load/payments.ts';
import { type BenchWorld, type OpenOptions, withWorld } from '../world/open.ts';
import { benchEntry, serviceOf } from '../world/service.ts';
import { CONTESTANTS } from './pipelines.ts';

export interface EpochsOptions extends Pick<OpenOptions, 'settings' | 'environment' | 'signal' | 'say'> {
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly rounds: number;
}

interface Measured extends Percentiles {
  readonly cores: number;
}

/** The rate runs that long before anything counts. */
const WARM_UP_S = 5;
/** Rounds before those that count: a broker that was just started compiles its own code for some two minutes. */
const WARM_ROUNDS = 2;
/** Longest wait for a process and its first vectors. */
const START_MS_MAX = 120_000;
/** Longest wait for the last vectors. */
const REST_MS_MAX = 60_000;
const POLL_MS = 50;

const until = async ({ clock, signal }: BenchWorld, limitMs: number, what: string, isSo: () => boolean) => {
  const endMs = clock.now() + limitMs;
  while (!isSo()) {
    if (clock.now() > endMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await clock.sleep(POLL_MS, signal);
  }
};

const once = async (
  world: BenchWorld,
  options: EpochsOptions,
  pipeline: Pipeline,
  payments: Payments,
): Promise<Measured> => {
  const { recordsPerSecond, seconds, settings } = options;
  const { name } = pipeline;
  const over = new AbortController();
  const waits: number[] = [];
  let countFromMs = Infinity;
  let seen = 0;
  const before = payments.sent;
  const isAnswered = (): boolean => seen >= payments.sent - before;
  const child = await serviceOf(world, {
    name,
    entry: benchEntry('feature'),
    pipeline: name,
    settings,
  }).start();
  try {
    const reading = followVectors(
      world,
      pipeline,
      (waitMs, appendTimeMs) => {
        seen++;
        if (appendTimeMs >= countFromMs) waits.push(waitMs);
      },
      AbortSignal.any([over.signal, world.signal]),
    );
    await payments.send(recordsPerSecond * WARM_UP_S, recordsPerSecond);
    // The process starts meanwhile.
    await until(world, START_MS_MAX, `first vectors of ${name} (log: ${child.logFile})`, isAnswered);
    countFromMs = world.clock.now();
    const cpuBefore = cpuSecondsOf(child.pid);
    await payments.send(recordsPerSecond * seconds, recordsPerSecond);
    const cores = (cpuSecondsOf(child.pid) - cpuBefore) / seconds;
    await until(world, REST_MS_MAX, `vectors of ${name}`, isAnswered);
    over.abort();
    await reading;
    return { ...percentilesOf(Float64Array.from(waits)), cores };
  } finally {
    over.abort();
    await child.stop();
  }
};

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const tableOf = (found: ReadonlyMap<string, readonly Measured[]>): readonly string[] => {
  const of = (name: string, figure: keyof Measured): number =>
    median(found.get(name)!.map(one => one[figure]));
  const none = of(CONTESTANTS[0]!.name, 'p50');
  return [
    line(['Epochs', 'p50, ms', 'p95, ms', 'p99, ms', 'p50 added, ms', 'cores']),
    line(['---', '--:', '--:', '--:', '--:', '--:']),
    ...CONTESTANTS.map(({ name }, i) =>
      line([
        i === 0 ? 'none (one key)' : `${name.split('-')[1]} ms`,
        ...(['p50', 'p95', 'p99'] as const).map(figure => of(name, figure).toFixed(0)),
        i === 0 ? '' : (of(name, 'p50') - none).toFixed(0),
        of(name, 'cores').toFixed(2),
      ]),
    ),
  ];
};

const measure = async (world: BenchWorld, options: EpochsOptions): Promise<readonly string[]> => {
  const loads = new Map<string, Payments>();
  for (const pipeline of CONTESTANTS) loads.set(pipeline.name, await Payments.open(world, pipeline));
  const found = new Map(CONTESTANTS.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 1 - WARM_ROUNDS; round <= options.rounds; round++)
    for (const pipeline of CONTESTANTS) {
      const one = await once(world, options, pipeline, loads.get(pipeline.name)!);
      if (round > 0) found.get(pipeline.name)!.push(one);
      const which = round > 0 ? `round ${round}` : 'not counted, the broker warms up';
      world.say(
        `${pipeline.name}, ${which}: p50 ${one.p50} ms, p95 ${one.p95} ms, p99 ${one.p99} ms, ${one.cores.toFixed(2)} cores`,
      );
    }
  return tableOf(found);
};

/** A table in Markdown, as lines. */
export const benchEpochs = (options: EpochsOptions): Promise<readonly string[]> => {
  const [pipeline, ...others] = CONTESTANTS;
  const shipped = { model: fraud.model.name, models: MODELS_FOLDER };
  return withWorld({ ...options, ...shipped, pipeline: pipeline!, others, outTopics: [] }, world =>
    measure(world, options),
  );
};
