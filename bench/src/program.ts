/** `pnpm bench WHAT`: which benches there are, and how they are called. */
import { parseArgs } from 'node:util';
import type { CommandIo } from '@millrace/runtime';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { closingOf, type Judged } from './closing.ts';
import { AGAINST, BASELINE_TOPIC } from './contestants.ts';
import { benchEndToEnd, endToEndTable } from './endToEnd/bench.ts';
import { CHAINS_AGAINST } from './endToEnd/chain.ts';
import { benchEpochs } from './epochs/bench.ts';
import { benchFeature } from './feature/bench.ts';
import { FOLDERS } from './feature/contestants.ts';
import { ROUNDS_MAX } from './feature/pipeline.ts';
import { featureResult, featureTable } from './feature/result.ts';
import { TRIES_MAX } from './figures.ts';
import { benchInference } from './inference.ts';
import { benchLatency } from './latency.ts';
import { benchMicro } from './micro/bench.ts';
import { microTable } from './micro/result.ts';
import { benchNight, nightTable } from './night/bench.ts';
import { benchPeers } from './peers/bench.ts';
import { CONTESTANTS, contestantsFor } from './peers/contestants.ts';
import { peersTable, resultOf } from './peers/result.ts';
import { WORKLOAD_NAMES } from './peers/workloads.ts';
import { table } from './table.ts';
import { benchTransactions } from './transactions/bench.ts';
import type { OpenOptions } from './world/open.ts';

const USAGE = `pnpm bench inference [--records N] [--rounds N] [--model fraud|fraud-small] [--against plain|at-least-once] [--output table|json] [--set NAME=VALUE …] [--profile DIR]
pnpm bench latency [--rate R] [--seconds S] [--rounds N] [--model fraud|fraud-small] [--against plain|at-least-once] [--output table|json] [--set NAME=VALUE …]
pnpm bench night [--rate R] [--seconds S] [--rounds N] [--clients N] [--model fraud|fraud-small] [--output table|json] [--set NAME=VALUE …]
pnpm bench peers [--workload fraud-xgb|fraud-lr|ffnn] [--delivery exactly-once|at-least-once] [--records N] [--rounds N] [--only NAME,…] [--output table|json] [--set NAME=VALUE …]
pnpm bench transactions [--seconds S] [--rounds N]
pnpm bench epochs [--rate R] [--seconds S] [--rounds N]
pnpm bench feature [--records N] [--rounds N] [--only millrace,kafka-streams,flink] [--output table|json] [--set NAME=VALUE …] [--profile DIR]
pnpm bench end-to-end [--rate R] [--seconds S] [--full] [--records N] [--history N] [--rounds N] [--against one-key] [--output table|json] [--set NAME=VALUE …]
pnpm bench micro [--records N] [--rounds N] [--output table|json]
--set gives the service a setting by the name of its environment variable, such as INFERENCE_COMMIT_INTERVAL_MS=5.`;

const EXIT = { done: 0, failed: 1, usage: 2 } as const;
const MODELS = ['fraud', 'fraud-small'];
const FORMS = ['table', 'json'];
const DELIVERIES = ['at-least-once', 'exactly-once'] as const;
const BENCHES = [
  'inference',
  'latency',
  'night',
  'peers',
  'transactions',
  'epochs',
  'feature',
  'end-to-end',
  'micro',
] as const;
type Bench = (typeof BENCHES)[number]; // prettier-ignore

const DEFAULTS = {
  records: 500_000,
  rounds: 3,
  rate: 5_000,
  seconds: 20,
  clients: 300_000,
  history: 60_000,
} as const;
/** Of benches that go through more than one stage. */
const RATES: Partial<Record<Bench, number>> = { epochs: 500, 'end-to-end': 1_000 };
const RECORDS: Partial<Record<Bench, number>> = { 'end-to-end': 200_000, micro: 200_000 };
const ROUNDS: Partial<Record<Bench, number>> = { micro: 5 };

class UsageError extends Error {}

const whole = (name: string, text: string | undefined, fallback: number, max = Infinity): number => {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} needs a whole number above zero`);
  if (value > max) throw new UsageError(`--${name} may be ${max} at most here`);
  return value;
};

const oneOf = <T extends string>(name: string, text: string, of: readonly T[]): T => {
  const found = of.find(one => one === text);
  if (found === undefined) throw new UsageError(`--${name} is one of ${of.join(', ')}`);
  return found;
};

const listOf = <T extends string>(name: string, text: string | undefined, of: readonly T[], fallback: readonly T[]): readonly T[] =>
  text?.split(',').map(one => oneOf(name, one, of)) ?? fallback; // prettier-ignore

const settingsOf = (given: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    given.map(one => {
      const [name = '', ...value] = one.split('=');
      if (name === '' || value.length === 0) throw new UsageError('--set needs NAME=VALUE');
      return [name, value.join('=')];
    }),
  );

const read = (argv: readonly string[]) => {
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        records: text,
        rounds: text,
        rate: text,
        seconds: text,
        clients: text,
        history: text,
        profile: text,
        set: { type: 'string', multiple: true, default: [] },
        model: { ...text, default: 'fraud' },
        against: text,
        full: { type: 'boolean', default: false },
        workload: { ...text, default: 'fraud-xgb' },
        delivery: { ...text, default: 'at-least-once' },
        only: text,
        output: { ...text, default: 'table' },
      },
    });
    const bench = oneOf('bench', positionals[0] ?? '', BENCHES);
    const delivery = oneOf('delivery', values.delivery, DELIVERIES);
    const isChain = bench === 'end-to-end';
    const roundsMax = bench === 'feature' ? ROUNDS_MAX / TRIES_MAX : Infinity;
    return {
      bench,
      model: oneOf('model', values.model, MODELS),
      against: isChain ? AGAINST[0] : oneOf('against', values.against ?? AGAINST[0], AGAINST),
      chainAgainst: isChain && values.against ? oneOf('against', values.against, CHAINS_AGAINST) : undefined,
      full: values.full,
      workload: oneOf('workload', values.workload, WORKLOAD_NAMES),
      delivery,
      only: bench === 'peers' ? listOf('only', values.only, CONTESTANTS, contestantsFor(delivery)) : [],
      folders: bench === 'feature' ? listOf('only', values.only, FOLDERS, FOLDERS) : [],
      output: oneOf('output', values.output, FORMS),
      records: whole('records', values.records, RECORDS[bench] ?? DEFAULTS.records),
      rounds: whole('rounds', values.rounds, ROUNDS[bench] ?? DEFAULTS.rounds, roundsMax),
      recordsPerSecond: whole('rate', values.rate, RATES[bench] ?? DEFAULTS.rate),
      seconds: whole('seconds', values.seconds, DEFAULTS.seconds),
      clients: whole('clients', values.clients, DEFAULTS.clients),
      history: whole('history', values.history, DEFAULTS.history),
      profile: values.profile,
      settings: settingsOf(values.set),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
};

type Options = ReturnType<typeof read>;
type Given = Options & Pick<OpenOptions, 'environment' | 'signal' | 'say'>;

/** What a bench comes to: lines to read and, where answers are judged, the result with whether they were right. */
interface Outcome {
  readonly lines: readonly string[];
  readonly result?: Judged;
}

const SHIPPED = { pipeline: fraud, models: MODELS_FOLDER, outTopics: [BASELINE_TOPIC] } as const;

const RUNS: Readonly<Record<Bench, (given: Given) => Promise<Outcome>>> = {
  inference: async given => {
    const result = await benchInference({ ...given, ...SHIPPED });
    return { lines: table(result.millrace, result.against, result.other), result };
  },
  latency: async given => {
    const result = await benchLatency({ ...given, ...SHIPPED });
    return { lines: table(result.millrace, result.against, result.other), result };
  },
  night: async given => {
    const result = await benchNight({ ...given, ...SHIPPED });
    return { lines: nightTable(result), result };
  },
  peers: async given => {
    const result = resultOf(given, await benchPeers(given));
    return { lines: peersTable(result), result };
  },
  transactions: async given => ({ lines: await benchTransactions(given) }),
  epochs: async given => ({ lines: await benchEpochs(given) }),
  feature: async given => {
    const result = featureResult(given, await benchFeature(given));
    return { lines: featureTable(result), result };
  },
  'end-to-end': async given => {
    const result = await benchEndToEnd({ ...given, against: given.chainAgainst });
    return { lines: endToEndTable(result), result };
  },
  micro: async given => {
    const result = await benchMicro(given);
    return { lines: microTable(result), result };
  },
};

/** Prints the lines, then whether all was right, and the result itself where it is asked for; returns the exit code. */
const report = ({ lines, result }: Outcome, { output }: Options, io: CommandIo): number => {
  const isJson = result !== undefined && output === 'json';
  const print = (line: string): void => (isJson ? io.say(line) : io.out(line));
  lines.forEach(print);
  if (result === undefined) return EXIT.done;
  const closing = closingOf(result);
  closing.lines.forEach(print);
  if (isJson) io.out(JSON.stringify(result));
  return closing.good ? EXIT.done : EXIT.failed;
};

const measured = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  const options = read(argv);
  const say = (line: string): void => io.say(line);
  const outcome = await RUNS[options.bench]({
    ...options,
    environment: io.environment,
    signal: io.signal,
    say,
  });
  return report(outcome, options, io);
};

/** Exit codes: 0 measured; 1 failed, in part too, or wrong answers; 2 called wrongly. */
export const runBench = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  try {
    return await measured(argv, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.say(`error: ${error.message}\n${USAGE}`);
    return EXIT.usage;
  }
};
