/** `pnpm bench WHAT`: which benches there are, and how they are called. */
import { parseArgs } from 'node:util';
import type { CommandIo } from '@millrace/runtime';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { AGAINST, BASELINE_TOPIC } from './contestants.ts';
import { benchInference } from './inference.ts';
import { benchLatency } from './latency.ts';
import { benchPeers } from './peers/bench.ts';
import { CONTESTANTS } from './peers/contestants.ts';
import { peersTable, resultOf } from './peers/result.ts';
import { WORKLOAD_NAMES } from './peers/workloads.ts';
import { table } from './table.ts';
import { benchTransactions } from './transactions/bench.ts';

const USAGE = `pnpm bench inference [--records N] [--rounds N] [--model fraud|fraud-small] [--against plain|at-least-once] [--output table|json] [--set NAME=VALUE …] [--profile DIR]
pnpm bench latency [--rate R] [--seconds S] [--rounds N] [--model fraud|fraud-small] [--against plain|at-least-once] [--output table|json] [--set NAME=VALUE …]
pnpm bench peers [--workload fraud-xgb|fraud-lr|ffnn] [--delivery exactly-once|at-least-once] [--records N] [--rounds N] [--only NAME,…] [--output table|json] [--set NAME=VALUE …]
pnpm bench transactions [--seconds S] [--rounds N]
--set gives the service a setting by the name of its environment variable, such as INFERENCE_COMMIT_INTERVAL_MS=5.`;

const EXIT = { done: 0, failed: 1, usage: 2 } as const;
const MODELS = ['fraud', 'fraud-small'];
const FORMS = ['table', 'json'];
const DELIVERIES = ['at-least-once', 'exactly-once'] as const;
const BENCHES = ['inference', 'latency', 'transactions', 'peers'] as const;

const DEFAULTS = { records: 500_000, rounds: 3, rate: 5_000, seconds: 20 } as const;

class UsageError extends Error {}

const whole = (name: string, text: string | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} needs a whole number above zero`);
  return value;
};

const oneOf = <T extends string>(name: string, text: string, of: readonly T[]): T => {
  const found = of.find(one => one === text);
  if (found === undefined) throw new UsageError(`--${name} is one of ${of.join(', ')}`);
  return found;
};

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
        profile: text,
        set: { type: 'string', multiple: true, default: [] },
        model: { ...text, default: 'fraud' },
        against: { ...text, default: 'plain' },
        workload: { ...text, default: 'fraud-xgb' },
        delivery: { ...text, default: 'at-least-once' },
        only: { ...text, default: CONTESTANTS.join(',') },
        output: { ...text, default: 'table' },
      },
    });
    return {
      bench: oneOf('bench', positionals[0] ?? '', BENCHES),
      model: oneOf('model', values.model, MODELS),
      against: oneOf('against', values.against, AGAINST),
      workload: oneOf('workload', values.workload, WORKLOAD_NAMES),
      delivery: oneOf('delivery', values.delivery, DELIVERIES),
      only: values.only.split(',').map(name => oneOf('only', name, CONTESTANTS)),
      output: oneOf('output', values.output, FORMS),
      records: whole('records', values.records, DEFAULTS.records),
      rounds: whole('rounds', values.rounds, DEFAULTS.rounds),
      recordsPerSecond: whole('rate', values.rate, DEFAULTS.rate),
      seconds: whole('seconds', values.seconds, DEFAULTS.seconds),
      profile: values.profile,
      settings: settingsOf(values.set),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
};

type Options = ReturnType<typeof read>;

const print = (lines: readonly string[], { output }: Options, io: CommandIo): void => {
  for (const line of lines)
    if (output === 'json') io.say(line);
    else io.out(line);
};

/** Prints the lines, then whether all was right, and the result itself where it is asked for. */
const report = (
  lines: readonly string[],
  result: { readonly correct: boolean },
  options: Options,
  io: CommandIo,
) => {
  const verdict = result.correct
    ? 'every record was answered once, with the score of the model offline'
    : 'the answers are WRONG: see the account or the verdict of each round';
  print([...lines, verdict], options, io);
  if (options.output === 'json') io.out(JSON.stringify(result));
  return result.correct ? EXIT.done : EXIT.failed;
};

const measured = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  const options = read(argv);
  const say = (line: string): void => io.say(line);
  const given = { ...options, environment: io.environment, signal: io.signal, say };
  const shipped = { ...given, pipeline: fraud, models: MODELS_FOLDER, outTopics: [BASELINE_TOPIC] };
  switch (options.bench) {
    case 'transactions':
      for (const line of await benchTransactions({ ...options, say })) io.out(line);
      return EXIT.done;
    case 'peers': {
      const result = resultOf(options, await benchPeers(given));
      return report(peersTable(result), result, options, io);
    }
    case 'inference': {
      const result = await benchInference(shipped);
      return report(table(result.millrace, result.against, result.other), result, options, io);
    }
    default: {
      const result = await benchLatency(shipped);
      return report(table(result.millrace, result.against, result.other), result, options, io);
    }
  }
};

/** Exit codes: 0 measured, 1 failed or wrong answers, 2 called wrongly. */
export const runBench = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  try {
    return await measured(argv, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.say(`error: ${error.message}\n${USAGE}`);
    return EXIT.usage;
  }
};
