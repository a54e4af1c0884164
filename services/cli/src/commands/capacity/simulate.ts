/** `millrace capacity simulate`: lag and waits of one service over hours, with kills, by measured figures. */
import { seededRandom } from '@millrace/pipelines';
import { InvalidArgumentError } from 'commander';
import { measuredBy } from '../../capacity/coefficients.ts';
import { demandsOf } from '../../capacity/demand.ts';
import { planOf } from '../../capacity/plan.ts';
import type { Refusal } from '../../capacity/refuse.ts';
import { SETTINGS } from '../../capacity/settings.ts';
import { type Arrivals, inSteps, overDay, type Step, steady } from '../../capacity/simulate/arrivals.ts';
import { atRandom, inTurn, type Kill } from '../../capacity/simulate/changes.ts';
import type { Change } from '../../capacity/simulate/group.ts';
import { type Course, type Outcome, runCourse } from '../../capacity/simulate/run.ts';
import { stateOf, writtenPerS } from '../../capacity/state.ts';
import { type Planned, shapeOf, type Wish } from '../../capacity/wish.ts';
import { EXIT, type ExitCode, type Io, table, UsageError } from '../../io.ts';
import { countText, msText, plainly, secondsText } from './figures.ts';
import { checkModel, tellRefusals } from './plan.ts';
import { coefficientsOf, duration, type WishFlags, wishOf } from './wish.ts';

export interface SimulateFlags extends Omit<WishFlags, 'services'> {
  readonly service: Planned;
  /** Milliseconds of simulated time. */
  readonly for: number;
  readonly curve: 'flat' | 'day';
  readonly steps?: readonly Step[];
  readonly kill: readonly Kill[];
  /** Milliseconds after which a killed process counts as gone. */
  readonly session?: number;
  readonly killsPerDay: number;
  readonly backAfter: number;
  readonly backlog: number;
  readonly processRate?: number;
  readonly seed?: number;
  readonly step?: number;
  readonly samples: number;
}

/** `10m` or `10m:30s`: killed at, and back after. */
export const killOf = (text: string, before: readonly Kill[] = []): readonly Kill[] => {
  const [at, back, ...more] = text.split(':');
  if (more.length > 0) throw new InvalidArgumentError('write AT or AT:BACK-AFTER, such as 10m:30s');
  return [...before, { atMs: duration(at!), backAfterMs: back === undefined ? undefined : duration(back) }];
};

/** `0s=1000,1h=5000`: events a second, each from its time on. */
export const stepsOf = (text: string): readonly Step[] => {
  const steps = text.split(',').map(pair => {
    const [from, rate, ...more] = pair.split('=');
    const events = Number(rate);
    if (more.length > 0 || rate === undefined || rate === '' || !(events >= 0))
      throw new InvalidArgumentError('write TIME=RATE,TIME=RATE…, such as 0s=1000,1h=5000');
    return { fromMs: from === '0s' ? 0 : duration(from!), rate: events };
  });
  if (steps.some(({ fromMs }, i) => i > 0 && fromMs <= steps[i - 1]!.fromMs))
    throw new InvalidArgumentError('write the times in their order');
  return steps;
};

const STEPS_MAX = 2_000_000;
/** Where nothing is said: fine enough for sessions of seconds, few enough for a day in a few seconds. */
const STEP_MS = { least: 10, most: 1_000, inAll: 100_000 } as const;

const stepMsOf = ({ for: untilMs, step }: SimulateFlags): number => {
  const stepMs = step ?? Math.min(STEP_MS.most, Math.max(STEP_MS.least, untilMs / STEP_MS.inAll));
  if (untilMs / stepMs > STEPS_MAX)
    throw new UsageError(`--step: ${STEPS_MAX} steps at most, so it has to be ${Math.ceil(untilMs / STEPS_MAX)}ms or longer`);
  return stepMs;
}; // prettier-ignore

const arrivalsOf = ({ steps, curve }: SimulateFlags, { rate, peak }: Wish, times: number): Arrivals => {
  if (steps !== undefined) return inSteps(steps.map(one => ({ ...one, rate: one.rate * times })));
  if (curve === 'flat') return steady(rate * times);
  try {
    return overDay(rate * times, peak * times);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--curve day: ${error.message}`);
    throw error;
  }
};

const changesOf = (flags: SimulateFlags, instances: number): readonly Change[] => {
  if (flags.killsPerDay > 0 && flags.seed === undefined)
    throw new UsageError('--kills-per-day needs --seed, which decides when and whom');
  const drawn =
    flags.killsPerDay > 0
      ? atRandom(flags.killsPerDay, flags.backAfter, instances, flags.for, seededRandom(flags.seed! + 1))
      : [];
  return [...inTurn(flags.kill, instances), ...drawn];
};

/** @throws UsageError where the flags contradict each other */
export const courseOf = async (
  flags: SimulateFlags,
): Promise<{ readonly course?: Course; readonly refusals: readonly Refusal[] }> => {
  const wish = wishOf({ ...flags, services: [flags.service] });
  const coefficients = await coefficientsOf(flags);
  const measured = measuredBy(coefficients);
  if (flags.processRate === undefined) checkModel(wish, coefficients);
  const shape = shapeOf(wish.pipeline);
  const [demand] = demandsOf(wish, shape, measured);
  const { recordsPerEvent, service } = demand!;
  const rateMax = flags.processRate ?? demand!.rateMax;
  if (Number.isNaN(rateMax))
    throw new UsageError(`--process-rate is needed: nobody has measured what a process of ${service} does`);
  // With processes given, one may look at what is too few of them; else as many as the plan takes.
  const { plan, refusals } = wish.instances === undefined ? planOf(wish, measured) : { plan: undefined, refusals: [] };
  if (refusals.length > 0) return { refusals };
  const partitions = plan?.partitions ?? wish.partitions ?? wish.pipeline.partitions;
  const instances = wish.instances ?? plan!.services[0]!.processes;
  const written = writtenPerS(wish.rate * recordsPerEvent, shape, measured);
  const restoreS = service === 'feature' && wish.keys > 0
    ? stateOf(wish, { partitions, partitionsOfOne: 1, writtenPerS: written, cacheBytesMax: SETTINGS.cacheBytesMax }, measured).restoreS
    : 0;
  return { refusals: [], course: {
    partitions,
    instances,
    rateMax,
    pauses: {
      sessionMs: flags.session ?? SETTINGS.sessionMs[service],
      rebalanceMs: measured('rebalance.pauseMs'),
      takeoverMs: measured('takeover.pauseMs'),
      restoreMsPerPartition: restoreS * 1_000,
    },
    arrivals: arrivalsOf(flags, wish, recordsPerEvent),
    hotKeyShare: wish.hotKeyShare,
    backlog: flags.backlog,
    changes: changesOf(flags, instances),
    untilMs: flags.for,
    stepMs: stepMsOf(flags),
    sampleEveryMs: flags.for / flags.samples,
    random: flags.seed === undefined ? undefined : seededRandom(flags.seed),
  } };
}; // prettier-ignore

const timeText = (ms: number): string => {
  const s = Math.round(ms / 1_000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(s / 3_600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
};

const printOutcome = (io: Io, course: Course, outcome: Outcome): void => {
  const rows = outcome.samples.map(({ atMs, rate, lag, oldestMs, working }) => [
    timeText(atMs), Math.round(rate), Math.round(lag), secondsText(oldestMs / 1_000), working,
  ]);
  for (const line of table(['AT', 'RECORDS/S', 'LAG', 'OLDEST', 'WORKING'], rows)) io.out(line);
  io.out('');
  for (const { atMs, what, caughtUpMs } of outcome.aftermath)
    io.out(`${timeText(atMs)} ${what}: ${caughtUpMs === undefined ? 'not caught up by the end' : `caught up after ${secondsText(caughtUpMs / 1_000)}`}`);
  const { meanMs, p50Ms, p99Ms, mostMs } = outcome.waits;
  io.out(`${course.instances} processes of ${countText(course.rateMax)} records/s at most, ${course.partitions} partitions.`);
  io.out(`Lag at most ${countText(outcome.lagMost)} records, at ${timeText(outcome.lagMostAtMs)}; ${countText(outcome.lag)} in the end.`);
  io.out(`Waits: mean ${msText(meanMs)}, p50 ${msText(p50Ms)}, p99 ${msText(p99Ms)}, most ${msText(mostMs)}. What an answer takes without any queue comes on top.`);
}; // prettier-ignore

export const simulateCapacity = async (io: Io, flags: SimulateFlags): Promise<ExitCode> => {
  const { course, refusals } = await courseOf(flags);
  if (course === undefined) return tellRefusals(io, refusals);
  const outcome = runCourse(course);
  if (flags.output === 'json') {
    const { arrivals: _, random: __, ...said } = course;
    io.out(JSON.stringify(plainly({ course: said, ...outcome })));
  } else printOutcome(io, course, outcome);
  return EXIT.done;
};
