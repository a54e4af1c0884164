/** `bench night`: how long vectors of the stream wait for their answers, without and with a night on the same machine. */
import { topicsOf } from '@millrace/contracts';
import type { Child } from '@millrace/localstack';
import { credit, fraud } from '@millrace/pipelines';
import type { PartitionOffset } from '@millrace/stream';
import { account, type Account, type Answer, isRight, offlineScores } from '../check.ts';
import { type Joiner, millrace } from '../contestants.ts';
import { type Cost, costOf, disturbance, moreRounds, type Percentiles, percentilesOf, ratio, type Sample, type Summed, summed } from '../figures.ts'; // prettier-ignore
import { appendTimes, follow, MARKERS_MS, Sightings } from '../follow.ts';
import { coresOfMachine } from '../linux/usage.ts';
import { type Load, paced } from '../load/publish.ts';
import { withWorkload, type Workload, type WorkloadOptions } from '../peers/workloads.ts';
import { table } from '../table.ts';
import { committedOf, sampleOf, untilAnswered, untilReady } from '../watch.ts';
import type { BenchWorld } from '../world/open.ts';
import { sumOf } from '../world/offsets.ts';
import { fillPortfolio } from './portfolio.ts';
import { type Night, startNight } from './process.ts';
import { type Yielded, yields } from './yields.ts';

export interface NightBenchOptions extends WorkloadOptions {
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly clients: number;
}

const BESIDE = ['without', 'with'] as const;
type Beside = (typeof BESIDE)[number];

export interface NightRound extends Cost, Percentiles {
  readonly beside: Beside;
  /** Vectors of the portfolio that the night scored meanwhile, a second, and cores that it kept busy. */
  readonly nightPerSecond: number;
  readonly nightCores: number;
  readonly disturbed: string | undefined;
  readonly account: Account;
}

const FIGURES = ['p50', 'p95', 'p99', 'p999', 'max', 'cores', 'recordsPerSecond', 'nightPerSecond', 'nightCores'] as const; // prettier-ignore
type Figure = (typeof FIGURES)[number];

export interface NightBenchResult {
  readonly bench: 'night';
  readonly workload: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly clients: number;
  readonly without: Summed<Figure>;
  readonly with: Summed<Figure>;
  /** With a night over without one. */
  readonly ratios: { readonly p50: number; readonly p99: number };
  readonly yielded: Yielded;
  readonly correct: boolean;
  readonly rounds: readonly NightRound[];
}

const WARM_UP_S = 5;

export interface Setting {
  readonly world: BenchWorld;
  readonly service: Joiner;
  readonly child: Child;
  readonly load: Load;
  readonly scores: Float32Array;
  readonly options: NightBenchOptions;
}

/** Counts a night as part of this run: its cores are not those of others. */
const sampleBeside = (setting: Setting, records: number, night: Night | undefined): Sample => {
  const sample = sampleOf(setting.world, setting.child, records);
  return { ...sample, othersCpuS: sample.othersCpuS - (night?.cpuSeconds() ?? 0) };
};

interface Driven {
  readonly to: number;
  readonly seen: Sightings;
  readonly cost: Cost;
  readonly nightPerSecond: number;
  readonly nightCores: number;
}

/** The rate for as long as it counts, until everything is answered. */
const drive = async (setting: Setting, first: number, inFrom: readonly PartitionOffset[], outFrom: readonly PartitionOffset[], night: Night | undefined): Promise<Driven> => {
  const { world, service, child, load, options } = setting;
  const { broker, clock, signal } = world;
  const over = new AbortController();
  const seen = new Sightings();
  const reading = follow(world, outFrom, seen, over.signal);
  const answered = async (): Promise<number> => (await committedOf(world, service)) - sumOf(inFrom);
  const look = async () => ({
    sample: sampleBeside(setting, Math.max(1, await answered()), night),
    scored: (await night?.scored()) ?? 0,
    cpuS: night?.cpuSeconds() ?? 0,
  });
  const start = await look();
  const to = await paced(broker, load, { recordsPerSecond: options.recordsPerSecond, clock, signal, from: first, seconds: options.seconds });
  const end = await look();
  await untilAnswered(world, child, { answered, expected: to - first });
  await clock.sleep(MARKERS_MS, signal);
  over.abort();
  await reading;
  const cost = costOf([start.sample, end.sample], coresOfMachine());
  const perSecond = (a: number, b: number): number => Number(((b - a) / cost.seconds).toFixed(2));
  return { to, seen, cost, nightPerSecond: Math.round(perSecond(start.scored, end.scored)), nightCores: perSecond(start.cpuS, end.cpuS) };
}; // prettier-ignore

const round = async (setting: Setting, beside: Beside, first: number, run: string): Promise<{ readonly round: NightRound; readonly to: number }> => {
  const { world, service } = setting;
  const { admin } = world.broker;
  const { features } = topicsOf(fraud);
  const night = beside === 'with' ? await startNight(world, run) : undefined;
  try {
    const [inFrom, outFrom] = [await admin.endOffsets(features), await admin.endOffsets(service.outTopic)];
    const { to, seen, cost, nightPerSecond, nightCores } = await drive(setting, first, inFrom, outFrom, night);
    const isShort = night?.isOver() === true;
    const appendedMs = await appendTimes(world, features, inFrom);
    const waits: number[] = [];
    const asked = { from: first, to, outTopic: service.outTopic, outFrom, scores: setting.scores };
    const answers = await account(world, asked, ({ partition, vectorOffset, offset }: Answer) => {
      const seenMs = seen.at(partition, offset);
      if (seenMs !== undefined) waits.push(seenMs - appendedMs(partition, vectorOffset));
    });
    const disturbed = isShort ? 'the night was over before the round was: give it more --clients' : disturbance(cost);
    const one = { beside, ...cost, ...percentilesOf(Float64Array.from(waits)), nightPerSecond, nightCores, disturbed, account: answers };
    return { round: one, to };
  } finally {
    await night?.stop();
  }
}; // prettier-ignore

const told = (one: NightRound): string =>
  `${one.beside} a night: p50 ${one.p50} ms, p99 ${one.p99} ms, max ${one.max} ms` +
  (one.beside === 'with'
    ? `; the night scored ${one.nightPerSecond} vectors/s with ${one.nightCores} cores`
    : '') +
  (one.disturbed === undefined ? '' : `, disturbed: ${one.disturbed}`) +
  (isRight(one.account) ? '' : `, WRONG: ${JSON.stringify(one.account)}`);

interface Measured {
  readonly rounds: readonly NightRound[];
  readonly yielded: Yielded;
}

const measure = async (setting: Setting): Promise<Measured> => {
  const { world, service, child, load, options } = setting;
  const { recordsPerSecond, rounds: wanted, say } = options;
  const pace = { recordsPerSecond, clock: world.clock, signal: world.signal };
  const begin = await world.broker.admin.endOffsets(load.topic);
  let first = await paced(world.broker, load, { ...pace, from: 0, seconds: WARM_UP_S });
  const answered = async (): Promise<number> => (await committedOf(world, service)) - sumOf(begin);
  await untilAnswered(world, child, { answered, expected: first });
  await world.clock.sleep(MARKERS_MS, world.signal);
  const done: NightRound[] = [];
  const of = (beside: Beside) => done.filter(one => one.beside === beside);
  for (let n = 1; moreRounds(wanted, BESIDE.map(of)); n++)
    for (const beside of BESIDE) {
      const { round: one, to } = await round(setting, beside, first, `bench-${n}`);
      first = to;
      done.push(one);
      say(told(one));
    }
  const yielded = await yields(setting, first, 'bench-yields');
  for (const line of yielded.said) say(line);
  return { rounds: done, yielded };
};

const withService = async (world: BenchWorld, workload: Workload, options: NightBenchOptions): Promise<Measured> => {
  const vectors = workload.vectors();
  const load: Load = { topic: topicsOf(fraud).features, partitions: fraud.partitions, codec: world.features, vectors };
  const scores = await offlineScores(world.modelFolder, vectors);
  options.say(`${options.clients} clients are written`);
  await fillPortfolio(world, options.clients);
  const service = millrace(world, 'exactly-once', { settings: options.settings });
  const child = await service.start();
  try {
    await untilReady(world, service, child);
    return await measure({ world, service, child, load, scores, options });
  } finally {
    await child.stop();
  }
}; // prettier-ignore

export const benchNight = async (options: NightBenchOptions): Promise<NightBenchResult> => {
  const opened = { ...options, others: [credit], outTopics: [] };
  const { rounds, yielded } = await withWorkload(opened, (world, workload) => withService(world, workload, options));
  const { workload, settings, recordsPerSecond, seconds, clients } = options;
  const of = (beside: Beside) => summed<Figure>(FIGURES, rounds.filter(one => one.beside === beside)); // prettier-ignore
  const [without, beside] = [of('without'), of('with')];
  const times = (figure: Figure): number => ratio(beside.medians[figure], without.medians[figure]);
  return {
    bench: 'night', workload, settings, recordsPerSecond, seconds, clients, without, with: beside,
    ratios: { p50: times('p50'), p99: times('p99') }, yielded,
    correct: rounds.every(one => isRight(one.account)) && yielded.isRight, rounds,
  };
}; // prettier-ignore

/** As lines: both ways side by side, then what the night did when the stream fell behind. */
export const nightTable = (result: NightBenchResult): readonly string[] => {
  const { burst, seconds, waitedMs, said } = result.yielded;
  return [
    ...table(result.with, 'without', result.without, 'with a night'),
    `${burst} vectors at once: answered in ${seconds} s; the night stood still for ${waitedMs} ms, and said:`,
    ...said,
  ];
};
