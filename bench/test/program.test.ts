import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { readOptions, USAGE, UsageError } from '../src/options.ts';
import { runBench } from '../src/program.ts';

const asked = async (...argv: readonly string[]) => {
  const said: string[] = [];
  const io = {
    environment: {},
    signal: new AbortController().signal,
    interactive: false,
    stdin: Readable.from([]),
    say: (line: string) => void said.push(line),
    out: () => undefined,
    rewrite: () => undefined,
  };
  return { code: await runBench(argv, io), said: said.join('\n') };
};

/** What is said of a call by what reads it: no bench starts where a call passes that should not. */
const refusalOf = (...argv: readonly string[]): string => {
  try {
    readOptions(argv);
    return 'it is taken';
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message;
  }
};

test.each([
  [['end-to-end', '--against', 'plain'], '--against is one of one-key'],
  [['latency', '--against', 'one-key'], '--against is one of plain, at-least-once'],
  [['feature', '--rounds', '11'], '--rounds may be 10 at most here'],
  [['feature', '--records', '0'], '--records needs a whole number above zero'],
  [['everything'], '--bench is one of'],
  [['inference', 'fraud-lr'], 'inference knows nothing of fraud-lr'],
  [['inference', '--workload', 'fraud'], '--workload is one of fraud-xgb, fraud-lr, ffnn'],
  [['night', '--workload', 'ffnn'], '--workload is one of fraud-xgb, fraud-lr'],
  [['inference', '--model', 'fraud'], "Unknown option '--model'"],
  [['end-to-end', '--records', '100'], '--records of end-to-end goes with --full'],
  [['end-to-end', '--full', '--rate', '100'], 'go without --full'],
  [['end-to-end', '--full', '--seconds', '5'], 'go without --full'],
  [['instances', '--processes', '7'], '--processes may be 6 at most here'],
  [['instances', '--cores', '0.01'], '--cores needs a number of cores, 0.05 or more'],
  [['instances', '--cores', 'half'], '--cores needs a number of cores'],
])('%p is called wrongly', (argv, why) => {
  expect(refusalOf(...argv)).toContain(why);
});

test.each([[['everything']], [['micro', '--records', '1', '--rounds', '1', '--workload', 'ffnn']]])(
  '%p ends with the code of a wrong call, and the usage',
  async argv => {
    const { code, said } = await asked(...argv);
    expect(code).toBe(2);
    expect(said).toMatch(/^error: .*\npnpm bench inference /);
    expect(said).toContain('pnpm bench end-to-end');
  },
);

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '--records': ['inference', 'instances', 'peers', 'feature', 'end-to-end', 'micro'],
  '--rounds': [
    'inference',
    'latency',
    'instances',
    'night',
    'peers',
    'transactions',
    'epochs',
    'feature',
    'end-to-end',
    'micro',
  ],
  '--processes': ['instances'],
  '--cores': ['instances'],
  '--rate': ['latency', 'night', 'epochs', 'end-to-end'],
  '--seconds': ['latency', 'night', 'transactions', 'epochs', 'end-to-end'],
  '--clients': ['night'],
  '--history': ['end-to-end'],
  '--full': ['end-to-end'],
  '--workload': ['inference', 'latency', 'instances', 'night', 'peers'],
  '--against': ['inference', 'latency', 'end-to-end'],
  '--delivery': ['peers'],
  '--only': ['peers', 'feature'],
  '--output': ['inference', 'latency', 'instances', 'night', 'peers', 'feature', 'end-to-end', 'micro'],
  '--set': ['inference', 'latency', 'instances', 'night', 'peers', 'epochs', 'feature', 'end-to-end'],
  '--profile': ['inference', 'latency', 'peers', 'feature'],
};
const VALUES: Readonly<Record<string, string>> = {
  '--workload': 'fraud-lr', '--against': 'plain', '--delivery': 'exactly-once', '--only': 'millrace', '--output': 'json', '--set': 'A=1', '--profile': '/tmp',
}; // prettier-ignore
const ALL = KNOWN['--rounds']!;

test('a flag that a bench does not use is refused, with those that do', () => {
  for (const [flag, known] of Object.entries(KNOWN))
    for (const bench of ALL.filter(one => !known.includes(one))) {
      const refusal = refusalOf(bench, flag, ...(flag === '--full' ? [] : [VALUES[flag] ?? '1']));
      expect(refusal).toMatch(
        new RegExp(`^${bench} has no ${flag}\\b.*; those that have: ${known.join(', ')}$`),
      );
    }
});

test('the usage says of each bench the flags that it has', () => {
  for (const bench of ALL) {
    const line = USAGE.split('\n').find(one => one.startsWith(`pnpm bench ${bench} `))!;
    const flags = [...line.matchAll(/\[(--[a-z]+)/g)].map(([, flag]) => flag);
    const known = Object.keys(KNOWN).filter(flag => KNOWN[flag]!.includes(bench));
    expect(new Set(flags)).toEqual(new Set(known));
  }
  expect(USAGE).toContain('[--workload fraud-xgb|fraud-lr|ffnn]');
});

test.each([
  ['feature', 'it folds features'],
  ['end-to-end', 'it runs the pipeline fraud as it ships'],
  ['micro', 'its pieces are those of the pipeline fraud'],
])('%s says why it takes no workload', (bench, why) => {
  expect(refusalOf(bench, '--workload', 'fraud-xgb')).toContain(why);
});

test('what is given is read, and the rest is at its default', () => {
  const given = readOptions([
    'latency',
    '--workload',
    'ffnn',
    '--rate',
    '7',
    '--set',
    'A=b=c',
    '--set',
    'D=',
  ]);
  expect(given).toMatchObject({
    bench: 'latency',
    workload: 'ffnn',
    recordsPerSecond: 7,
    seconds: 20,
    against: 'plain',
    output: 'table',
    settings: { A: 'b=c', D: '' },
  });
  expect(readOptions(['end-to-end', '--full', '--records', '9'])).toMatchObject({
    full: true,
    records: 9,
    rounds: 3,
  });
});
