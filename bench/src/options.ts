/** How benches are called: which flags each of them uses, and what is made of these. */
import { parseArgs } from 'node:util';
import { fraud } from '@millrace/pipelines';
import { AGAINST } from './contestants.ts';
import { CHAINS_AGAINST } from './endToEnd/chain.ts';
import { FOLDERS } from './feature/contestants.ts';
import { ROUNDS_MAX } from './feature/pipeline.ts';
import { TRIES_MAX } from './figures.ts';
import { CONTESTANTS, contestantsFor } from './peers/contestants.ts';
import { SHIPPED_WORKLOADS, WORKLOAD_NAMES } from './peers/workloads.ts';

const text = { type: 'string' } as const;
const FLAGS = {
  records: text,
  rounds: text,
  processes: text,
  cores: text,
  rate: text,
  seconds: text,
  clients: text,
  history: text,
  full: { type: 'boolean' },
  workload: text,
  against: text,
  delivery: text,
  only: text,
  output: text,
  set: { type: 'string', multiple: true },
  profile: text,
} as const;
type Flag = keyof typeof FLAGS;

/** What stands behind a flag: the values that it may have, or a word for them; nothing where it only is there or not. */
type Form = readonly string[] | string;

const OUTPUTS = ['table', 'json'] as const;
const DELIVERIES = ['at-least-once', 'exactly-once'] as const;
const SET = 'NAME=VALUE …';

/** The flags that each bench uses. Any other is refused: a figure must not look as if a flag had been part of it. */
const BENCHES = {
  inference: { records: 'N', rounds: 'N', workload: WORKLOAD_NAMES, against: AGAINST, output: OUTPUTS, set: SET, profile: 'DIR' },
  latency: { rate: 'R', seconds: 'S', rounds: 'N', workload: WORKLOAD_NAMES, against: AGAINST, output: OUTPUTS, set: SET, profile: 'DIR' },
  instances: { records: 'N', rounds: 'N', processes: 'N', cores: 'CORES', workload: SHIPPED_WORKLOADS, output: OUTPUTS, set: SET },
  night: { rate: 'R', seconds: 'S', rounds: 'N', clients: 'N', workload: SHIPPED_WORKLOADS, output: OUTPUTS, set: SET },
  peers: { workload: WORKLOAD_NAMES, delivery: DELIVERIES, records: 'N', rounds: 'N', only: 'NAME,…', output: OUTPUTS, set: SET, profile: 'DIR' },
  transactions: { seconds: 'S', rounds: 'N' },
  epochs: { rate: 'R', seconds: 'S', rounds: 'N', set: SET },
  feature: { records: 'N', rounds: 'N', only: FOLDERS.join(','), output: OUTPUTS, set: SET, profile: 'DIR' },
  'end-to-end': { rate: 'R', seconds: 'S', full: '', records: 'N', history: 'N', rounds: 'N', against: CHAINS_AGAINST, output: OUTPUTS, set: SET },
  micro: { records: 'N', rounds: 'N', output: OUTPUTS },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<Flag, Form>>>>>; // prettier-ignore
export type Bench = keyof typeof BENCHES;
export const BENCH_NAMES = Object.keys(BENCHES) as readonly Bench[];

/** Why a bench refuses what one might well ask of it. */
const NO_JSON = 'it prints a table in Markdown and nothing else';
const WHY_NOT: Readonly<Partial<Record<Bench, Readonly<Partial<Record<Flag, string>>>>>> = {
  transactions: { output: NO_JSON, set: 'no service runs in it' },
  epochs: { output: NO_JSON, workload: 'it folds features, and nothing is scored' },
  feature: { workload: 'it folds features, and nothing is scored' },
  'end-to-end': {
    workload: 'it runs the pipeline fraud as it ships, whose features only models of its own take',
  },
  micro: { workload: 'its pieces are those of the pipeline fraud as it ships' },
};

const formOf = (bench: Bench, flag: string): Form | undefined =>
  (BENCHES[bench] as Readonly<Record<string, Form>>)[flag];

const usageOf = (bench: Bench): string => {
  const flags = Object.entries<Form>(BENCHES[bench]).map(([flag, form]) => {
    const value = typeof form === 'string' ? form : form.join('|');
    return `[--${flag}${value === '' ? '' : ` ${value}`}]`;
  });
  return `pnpm bench ${[bench, ...flags].join(' ')}`;
};

export const USAGE = [
  ...BENCH_NAMES.map(usageOf),
  '--set gives the service a setting by the name of its environment variable, such as INFERENCE_COMMIT_INTERVAL_MS=5.',
].join('\n');

const DEFAULTS = {
  records: 500_000,
  rounds: 3,
  rate: 5_000,
  seconds: 20,
  processes: 3,
  clients: 300_000,
  history: 60_000,
} as const;
/** Of benches that go through more than one stage. */
const RATES: Partial<Record<Bench, number>> = { epochs: 500, 'end-to-end': 1_000 };
const RECORDS: Partial<Record<Bench, number>> = { 'end-to-end': 200_000, micro: 200_000 };
const ROUNDS: Partial<Record<Bench, number>> = { micro: 5 };

/** With less, a process that is held has no time to stay in its group. */
const CORES_MIN = 0.05;

export class UsageError extends Error {}

const whole = (name: string, given: string | undefined, fallback: number, max = Infinity): number => {
  if (given === undefined) return fallback;
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} needs a whole number above zero`);
  if (value > max) throw new UsageError(`--${name} may be ${max} at most here`);
  return value;
};

/** How many cores, such as 0.25; undefined where nothing is said. */
const coresOf = (given: string | undefined): number | undefined => {
  if (given === undefined) return undefined;
  const cores = Number(given);
  if (!(cores >= CORES_MIN)) throw new UsageError(`--cores needs a number of cores, ${CORES_MIN} or more`);
  return cores;
};

const oneOf = <T extends string>(name: string, given: string, of: readonly T[]): T => {
  const found = of.find(one => one === given);
  if (found === undefined) throw new UsageError(`--${name} is one of ${of.join(', ')}`);
  return found;
};

const listOf = <T extends string>(name: string, given: string | undefined, of: readonly T[], fallback: readonly T[]): readonly T[] =>
  given?.split(',').map(one => oneOf(name, one, of)) ?? fallback; // prettier-ignore

const settingsOf = (given: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    given.map(one => {
      const [name = '', ...value] = one.split('=');
      if (name === '' || value.length === 0) throw new UsageError('--set needs NAME=VALUE');
      return [name, value.join('=')];
    }),
  );

const parsed = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: FLAGS });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

type Values = ReturnType<typeof parsed>['values'];

const benchOf = ([name = '', ...rest]: readonly string[]): Bench => {
  const bench = oneOf('bench', name, BENCH_NAMES);
  if (rest.length > 0) throw new UsageError(`${bench} knows nothing of ${rest.join(' ')}`);
  return bench;
};

/** @throws UsageError where the bench would not look at a flag that is given, or its value is none of those it may have */
const check = (bench: Bench, values: Values): void => {
  for (const [flag, value] of Object.entries(values)) {
    const form = formOf(bench, flag);
    if (form === undefined) {
      const knowing = BENCH_NAMES.filter(name => formOf(name, flag) !== undefined).join(', ');
      const why = WHY_NOT[bench]?.[flag as Flag];
      throw new UsageError(
        `${bench} has no --${flag}${why === undefined ? '' : ` (${why})`}; those that have: ${knowing}`,
      );
    }
    if (typeof form !== 'string') oneOf(flag, String(value), form);
  }
};

/** A backlog is so many payments as fast as they go; a steady rate is so many a second for some seconds. */
const checkChain = ({ full, records, rate, seconds }: Values): void => {
  if (full !== true && records !== undefined)
    throw new UsageError('--records of end-to-end goes with --full: a steady rate has --rate and --seconds');
  if (full === true && (rate ?? seconds) !== undefined)
    throw new UsageError('--rate and --seconds of end-to-end go without --full: a backlog has --records');
};

/** @throws UsageError */
export const readOptions = (argv: readonly string[]) => {
  const { values, positionals } = parsed(argv);
  const bench = benchOf(positionals);
  check(bench, values);
  const isChain = bench === 'end-to-end';
  if (isChain) checkChain(values);
  const delivery = oneOf('delivery', values.delivery ?? DELIVERIES[0], DELIVERIES);
  const roundsMax = bench === 'feature' ? ROUNDS_MAX / TRIES_MAX : Infinity;
  return {
    bench,
    against: isChain ? AGAINST[0] : oneOf('against', values.against ?? AGAINST[0], AGAINST),
    chainAgainst: isChain && values.against ? oneOf('against', values.against, CHAINS_AGAINST) : undefined,
    full: values.full ?? false,
    workload: oneOf('workload', values.workload ?? WORKLOAD_NAMES[0], WORKLOAD_NAMES),
    delivery,
    only: bench === 'peers' ? listOf('only', values.only, CONTESTANTS, contestantsFor(delivery)) : [],
    folders: bench === 'feature' ? listOf('only', values.only, FOLDERS, FOLDERS) : [],
    output: oneOf('output', values.output ?? OUTPUTS[0], OUTPUTS),
    records: whole('records', values.records, RECORDS[bench] ?? DEFAULTS.records),
    rounds: whole('rounds', values.rounds, ROUNDS[bench] ?? DEFAULTS.rounds, roundsMax),
    recordsPerSecond: whole('rate', values.rate, RATES[bench] ?? DEFAULTS.rate),
    seconds: whole('seconds', values.seconds, DEFAULTS.seconds),
    processes: whole('processes', values.processes, DEFAULTS.processes, fraud.partitions),
    cores: coresOf(values.cores),
    clients: whole('clients', values.clients, DEFAULTS.clients),
    history: whole('history', values.history, DEFAULTS.history),
    profile: values.profile,
    settings: settingsOf(values.set ?? []),
  };
};

export type Options = ReturnType<typeof readOptions>;
