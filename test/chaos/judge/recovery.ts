/** How long it took until records were scored again, by the times at which the broker appended the answers. */

export interface Fault {
  readonly what: string;
  readonly beganMs: number;
  /** For a kill, the moment itself. */
  readonly endedMs: number;
  readonly counts: Counts;
  readonly watched: readonly Watched[];
}

/**
 * Where recovery counts from: the end of a fault; its beginning, where others are to take over while it lasts; or not at all,
 * where nothing is to come back before something else has happened, or what happens meanwhile is counted by itself.
 */
export type Counts = 'from-end' | 'from-beginning' | 'not';

/** Partitions that stood to lose by a fault, under the name of what they are told as. */
export interface Watched {
  readonly name: string;
  readonly partitions: readonly number[];
}

/** A silence that begins so long after the end of a fault is not its doing. */
const AFTER_MS_MAX = 2_000;
/** Shorter gaps are the grain of the load. */
const SILENCE_MS_MIN = 1_000;

interface Silence {
  readonly fromMs: number;
  /** Infinite where nothing came any more. */
  readonly untilMs: number;
}

/** Those worth the name which a fault may have brought about: they begin with it, while it lasts, or just after it. */
const silencesOf = (timesMs: readonly number[], beganMs: number, endedMs: number): readonly Silence[] => {
  const after = timesMs.filter(time => time > beganMs);
  return [...after, Number.POSITIVE_INFINITY]
    .map((untilMs, i) => ({ fromMs: after[i - 1] ?? beganMs, untilMs }))
    .filter(({ fromMs, untilMs }) => fromMs <= endedMs + AFTER_MS_MAX && untilMs - fromMs >= SILENCE_MS_MIN);
};

/**
 * For one fault and partition: from where it counts to the record that ended the last silence of it. 0 where there was none,
 * or it ended before that. Infinite where nothing came any more.
 */
export const recoveryMs = (timesMs: readonly number[], { beganMs, endedMs, counts }: Fault): number => {
  const fromMs = counts === 'from-beginning' ? beganMs : endedMs;
  const ends = silencesOf(timesMs, beganMs, fromMs).map(({ untilMs }) => untilMs - fromMs);
  return Math.max(0, ...ends);
};

/**
 * The longest silence of a fault in one partition: from the fault to the first record that was scored again, or from its own
 * beginning where it began later while the fault lasted. 0 where there was none.
 */
export const silenceMs = (timesMs: readonly number[], { beganMs, endedMs }: Fault): number => {
  const lengths = silencesOf(timesMs, beganMs, endedMs).map(
    ({ fromMs, untilMs }) => untilMs - (fromMs <= beganMs + AFTER_MS_MAX ? beganMs : fromMs),
  );
  return Math.max(0, ...lengths);
};

export interface Recovery {
  /** Seconds; infinite where nothing came any more, which is null in JSON. */
  readonly p50: number;
  readonly max: number;
  /** Fault and partition pairs that were measured. */
  readonly count: number;
  /** Those of them after which nothing came any more. */
  readonly never: number;
}

export const spreadOf = (seconds: readonly number[]): Recovery => {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return {
    p50: at(0.5),
    max: at(1),
    count: sorted.length,
    never: sorted.filter(one => !Number.isFinite(one)).length,
  };
};

type TimesByPartition = ReadonlyMap<number, readonly number[]>;

/** Over all faults and partitions. */
export const recoveryOf = (faults: readonly Fault[], timesByPartition: TimesByPartition): Recovery =>
  spreadOf(
    faults
      .filter(({ counts }) => counts !== 'not')
      .flatMap(fault => [...timesByPartition.values()].map(times => recoveryMs(times, fault) / 1000)),
  );

/** What one fault took from one partition that stood to lose by it. */
export interface TakeOver {
  readonly of: string;
  readonly partition: number;
  /** From the fault to the first record that was scored again; 0 where there was no silence of a second. */
  readonly seconds: number;
}

/** Of each fault the partitions that are watched for it, and no others. */
export const takeOversOf = (
  faults: readonly Fault[],
  timesByPartition: TimesByPartition,
): readonly TakeOver[] =>
  faults.flatMap(fault =>
    fault.watched.flatMap(({ name, partitions }) =>
      partitions.map(partition => ({
        of: name,
        partition,
        seconds: silenceMs(timesByPartition.get(partition) ?? [], fault) / 1000,
      })),
    ),
  );

export interface TakeOverSpread extends Recovery {
  readonly partitions: Readonly<Record<string, Recovery>>;
}

/** By what ended, or hung: over all of its partitions, and for each. */
export const spreadOfTakeOvers = (
  takeOvers: readonly TakeOver[],
): Readonly<Record<string, TakeOverSpread>> => {
  const spread = (of: readonly TakeOver[]): Recovery => spreadOf(of.map(({ seconds }) => seconds));
  const byName = [...Map.groupBy(takeOvers, ({ of }) => of)].sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(
    byName.map(([name, of]) => {
      const partitions = [...Map.groupBy(of, ({ partition }) => partition)].map(
        ([partition, its]) => [partition, spread(its)] as const,
      );
      return [name, { ...spread(of), partitions: Object.fromEntries(partitions) }];
    }),
  );
};
