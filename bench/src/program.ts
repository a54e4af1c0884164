/** `pnpm bench WHAT`: which benches there are, and how they are called. */
import { parseArgs } from 'node:util';
import type { CommandIo } from '@millrace/runtime';
import { AGAINST } from './contestants.ts';
import { benchEpochs } from './epochs/bench.ts';
import { benchInference } from './inference.ts';
import { benchLatency } from './latency.ts';
import { benchNight } from './night/bench.ts';
import { table } from './table.ts';
import { benchTransactions } from './transactions/bench.ts';

const USAGE = `pnpm bench inference [--records N] [--rounds N] [--model fraud|fraud-small] [--against plain|at-least-once] [--output table|json] [--set NAME=VALUE …] [--profile DIR]
pnpm bench latency [--rate R] [--seconds S] [--rounds N] [--model fraud|fraud-small] [--against plain|at-least-once] [--output table|json] [--set NAME=VALUE …]
pnpm bench night [--rate R] [--seconds S] [--rounds N] [--clients N] [--model fraud|fraud-small] [--output table|json] [--set NAME=VALUE …]
pnpm bench transactions [--seconds S] [--rounds N]
pnpm bench epochs [--rate R] [--seconds S] [--rounds N]
--set gives the service a setting by the name of its environment variable, such as INFERENCE_COMMIT_INTERVAL_MS=5.`;

const EXIT = { done: 0, failed: 1, usage: 2 } as const;
const MODELS = ['fraud', 'fraud-small'];
const FORMS = ['table', 'json'];

const DEFAULTS = {
  records: 500_000,
  rounds: 3,
  rate: 5_000,
  paymentsRate: 500,
  seconds: 20,
  clients: 300_000,
} as const;

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
        clients: text,
        profile: text,
        set: { type: 'string', multiple: true, default: [] },
        model: { ...text, default: 'fraud' },
        against: { ...text, default: 'plain' },
        output: { ...text, default: 'table' },
      },
    });
    const bench = oneOf('bench', positionals[0] ?? '', [
      'inference',
      'latency',
      'night',
      'transactions',
      'epochs',
    ]);
    return {
      bench,
      model: oneOf('model', values.model, MODELS),
      against: oneOf('against', values.against, AGAINST),
      output: oneOf('output', values.output, FORMS),
      records: whole('records', values.records, DEFAULTS.records),
      rounds: whole('rounds', values.rounds, DEFAULTS.rounds),
      recordsPerSecond: whole(
        'rate',
        values.rate,
        bench === 'epochs' ? DEFAULTS.paymentsRate : DEFAULTS.rate,
      ),
      seconds: whole('seconds', values.seconds, DEFAULTS.seconds),
      clients: whole('clients', values.clients, DEFAULTS.clients),
      profile: values.profile,
      settings: settingsOf(values.set),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
};

type Given = Parameters<typeof benchInference>[0] & Parameters<typeof benchLatency>[0] & Parameters<typeof benchNight>[0]; // prettier-ignore
type Result = Awaited<ReturnType<typeof benchInference | typeof benchLatency | typeof benchNight>>;

const resultOf = (bench: 'inference' | 'latency' | 'night', given: Given): Promise<Result> =>
  bench === 'inference'
    ? benchInference(given)
    : bench === 'latency'
      ? benchLatency(given)
      : benchNight(given);

const linesOf = (result: Result): readonly string[] =>
  result.bench === 'inference'
    ? table(result.millrace, result.against, result.other)
    : result.bench === 'latency'
      ? table(result.millrace, result.against, result.other)
      : [
          ...table(result.with, 'without', result.without, 'with a night'),
          `${result.yielded.burst} vectors at once: answered in ${result.yielded.seconds} s; the night stood still for ${result.yielded.waitedMs} ms, and said:`, // prettier-ignore
          ...result.yielded.said,
        ];

const measured = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  const { bench, output, ...options } = read(argv);
  const say = (line: string): void => io.say(line);
  if (bench === 'transactions') {
    for (const one of await benchTransactions({ ...options, say })) io.out(one);
    return EXIT.done;
  }
  if (bench === 'epochs') {
    for (const one of await benchEpochs({ ...options, signal: io.signal, say })) io.out(one);
    return EXIT.done;
  }
  const given = { ...options, environment: io.environment, signal: io.signal, say };
  const result = await resultOf(bench, given);
  const lines = linesOf(result);
  const print = output === 'json' ? say : (line: string): void => io.out(line);
  for (const one of lines) print(one);
  print(
    result.correct
      ? 'every record was answered once, with the score of the model offline'
      : 'the answers are WRONG: see `account` of the rounds',
  );
  if (output === 'json') io.out(JSON.stringify(result));
  return result.correct ? EXIT.done : EXIT.failed;
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
