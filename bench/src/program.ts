/** `pnpm bench WHAT`: which benches there are, and what each of them prints. */
import type { CommandIo } from '@millrace/runtime';
import { closingOf, type Judged } from './closing.ts';
import { commitOf } from './commit.ts';
import { benchEndToEnd, endToEndTable } from './endToEnd/bench.ts';
import { benchEpochs } from './epochs/bench.ts';
import { benchFeature } from './feature/bench.ts';
import { featureResult, featureTable } from './feature/result.ts';
import { benchInference, inferenceTable } from './inference.ts';
import { benchInstances, instancesTable } from './instances/bench.ts';
import { benchLatency } from './latency.ts';
import { benchMicro } from './micro/bench.ts';
import { microTable } from './micro/result.ts';
import { benchNight, nightTable } from './night/bench.ts';
import { type Bench, type Options, readOptions, USAGE, UsageError } from './options.ts';
import { benchPeers } from './peers/bench.ts';
import { peersTable, resultOf } from './peers/result.ts';
import { profileTable } from './profile.ts';
import { table } from './table.ts';
import { benchTransactions } from './transactions/bench.ts';
import type { OpenOptions } from './world/open.ts';

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

type Given = Options & Pick<OpenOptions, 'environment' | 'signal' | 'say'>;

/** What a bench comes to: lines to read and, where answers are judged, the result with whether they were right. */
interface Outcome {
  readonly lines: readonly string[];
  readonly result?: Judged;
}

const RUNS: Readonly<Record<Bench, (given: Given) => Promise<Outcome>>> = {
  inference: async given => {
    const result = await benchInference(given);
    return { lines: inferenceTable(result), result };
  },
  latency: async given => {
    const result = await benchLatency(given);
    return { lines: table(result.millrace, result.against, result.other), result };
  },
  instances: async given => {
    const result = await benchInstances(given);
    return { lines: instancesTable(result), result };
  },
  night: async given => {
    const result = await benchNight(given);
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
const report = ({ lines, result }: Outcome, commit: string | undefined, { output }: Options, io: CommandIo): number => {
  const isJson = result !== undefined && output === 'json';
  const print = (line: string): void => (isJson ? io.say(line) : io.out(line));
  lines.forEach(print);
  if (result === undefined) return EXIT.done;
  const closing = closingOf(result);
  closing.lines.forEach(print);
  if (isJson) io.out(JSON.stringify({ commit, ...result }));
  return closing.good ? EXIT.done : EXIT.failed;
}; // prettier-ignore

const measured = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  const options = readOptions(argv);
  // Before anything runs: who works on beside a long bench would change what it seems to be of.
  const commit = commitOf();
  const say = (line: string): void => io.say(line);
  const outcome = await RUNS[options.bench]({
    ...options,
    environment: io.environment,
    signal: io.signal,
    say,
  });
  if (options.profile !== undefined) profileTable(options.profile).forEach(say);
  return report(outcome, commit, options, io);
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
