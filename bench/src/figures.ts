/** What is worked out of samples: rates, costs, percentiles, and which rounds are not to be trusted. Pure. */

/** What was seen of a contestant at one moment. Counters count from any origin. */
export interface Sample {
  readonly atMs: number;
  /** Records on its output topic. */
  readonly records: number;
  /** User and system time of all threads of its process. */
  readonly cpuS: number;
  /** Time that its main thread was ready to run and had no core. */
  readonly runQueueS: number;
  /** User and system time of the broker. */
  readonly brokerCpuS: number;
  /** Time of all cores spent by whoever is no part of this run. */
  readonly othersCpuS: number;
}

export interface Cost {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly brokerCpuSecondsPerMillion: number;
  /** Cores that the process kept busy on average. */
  readonly cores: number;
  /** Share of the time for which the main thread waited for a core. */
  readonly runQueueShare: number;
  /** Share of the machine that others used. */
  readonly othersShare: number;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** From the first of the samples that saw a record to the last one. @throws RangeError where nothing lies between them */
export const costOf = (samples: readonly Sample[], coresOfMachine: number): Cost => {
  const first = samples.find(sample => sample.records > 0);
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.records <= first.records)
    throw new RangeError('the run was too short to be measured: give it more records');
  const records = last.records - first.records;
  const seconds = (last.atMs - first.atMs) / 1000;
  const cpuS = last.cpuS - first.cpuS;
  return {
    records,
    seconds: rounded(seconds, 2),
    recordsPerSecond: Math.round(records / seconds),
    cpuSecondsPerMillion: rounded((cpuS / records) * 1e6, 2),
    brokerCpuSecondsPerMillion: rounded(((last.brokerCpuS - first.brokerCpuS) / records) * 1e6, 2),
    cores: rounded(cpuS / seconds, 2),
    runQueueShare: rounded((last.runQueueS - first.runQueueS) / seconds, 3),
    othersShare: rounded((last.othersCpuS - first.othersCpuS) / (seconds * coresOfMachine), 3),
  };
};

/** Share of the machine that others may use, whatever comes of it. */
export const OTHERS_SHARE_MAX = 0.1;
/** Share of the time that a main thread may wait for a core while others are at work. */
export const RUN_QUEUE_SHARE_MAX = 0.25;
/** Below that share the waiting is of the contestant's own making, or the broker's, and belongs to its figures. */
export const OTHERS_SHARE_NOTICED = 0.03;

/** Why a round is not to be trusted; undefined where it is. */
export const disturbance = ({
  runQueueShare,
  othersShare,
}: Pick<Cost, 'runQueueShare' | 'othersShare'>): string | undefined => {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  if (othersShare > OTHERS_SHARE_MAX) return `others used ${percent(othersShare)} of the machine`;
  if (othersShare > OTHERS_SHARE_NOTICED && runQueueShare > RUN_QUEUE_SHARE_MAX)
    return `waited for a core ${percent(runQueueShare)} of the time while others were at work`;
  return undefined;
};

/** By nearest rank: the smallest value that at least `share` of all values do not exceed. NaN without values. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted.length === 0 ? Number.NaN : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export const percentilesOf = (values: Float64Array): Percentiles => {
  const sorted = values.toSorted();
  const at = (share: number): number => percentile(sorted, share);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: at(1) };
};

/** The middle one, or the mean of the two in the middle. NaN without values. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Rounds at most for each that is wanted. */
export const TRIES_MAX = 2;

/** Whether another round is needed: until every contestant has as many undisturbed ones as are wanted, within a limit. */
export const moreRounds = (
  wanted: number,
  contestants: readonly (readonly { readonly disturbed: string | undefined }[])[],
): boolean =>
  contestants.some(
    rounds =>
      rounds.length < wanted * TRIES_MAX &&
      rounds.filter(round => round.disturbed === undefined).length < wanted,
  );

/** Rounds of one contestant in one figure: the undisturbed ones, or all of them where every one was disturbed. */
export interface Summed<F extends string> {
  readonly medians: Readonly<Record<F, number>>;
  readonly rounds: number;
  readonly rejected: number;
  /** False: every round was disturbed, so the figures are of disturbed ones. */
  readonly trusted: boolean;
}

export const summed = <F extends string>(
  fields: readonly F[],
  rounds: readonly (Readonly<Record<F, number>> & { readonly disturbed: string | undefined })[],
): Summed<F> => {
  const good = rounds.filter(round => round.disturbed === undefined);
  const used = good.length > 0 ? good : rounds;
  return {
    medians: Object.fromEntries(
      fields.map(field => [field, rounded(median(used.map(round => round[field])), 3)]),
    ) as Record<F, number>,
    rounds: rounds.length,
    rejected: rounds.length - good.length,
    trusted: good.length > 0,
  };
};

/** How many times the second the first is; NaN where the second is nothing. */
export const ratio = (first: number, second: number): number =>
  second === 0 ? Number.NaN : rounded(first / second, 3);
