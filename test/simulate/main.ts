/** `pnpm simulate`: the real tasks of feature and inference on the broker in memory, their course decided by seeds. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type CommandIo, runCommand } from '@millrace/runtime';
import { mutantOf } from '../mutants/mutants.ts';
import { simulateAll } from './crew.ts';
import type { Verdict } from './life.ts';
import { Report, violationLines } from './report.ts';

const USAGE =
  'usage: pnpm simulate [--seeds N] [--from S] [--seed S] [--defect NAME] [--workers W] [--output table|json]';
const USED_WRONGLY = 2;
const SEEDS_DEFAULT = 1_000;
const SHOWN_MAX = 5;

interface Wanted {
  readonly from: number;
  readonly seeds: number;
  /** One seed: twice, to show that it takes the same course again. */
  readonly isReplay: boolean;
  readonly defect: string | undefined;
  readonly workers: number;
  readonly isJson: boolean;
}

const whole = (name: string, text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`--${name}: a whole number, at least 1, is needed, found '${text}'`);
  return value;
};

const read = (argv: readonly string[]): Wanted => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { seeds: text, from: text, seed: text, defect: text, workers: text, output: { ...text, default: 'table' } },
  }); // prettier-ignore
  const { seeds, from, seed, defect, workers, output } = values;
  if (output !== 'table' && output !== 'json')
    throw new RangeError(`--output: table or json, not '${output}'`);
  if (defect !== undefined) mutantOf(defect);
  const isReplay = seed !== undefined;
  return {
    from: isReplay ? whole('seed', seed, 1) : whole('from', from, 1),
    seeds: isReplay ? 1 : whole('seeds', seeds, SEEDS_DEFAULT),
    isReplay,
    defect,
    workers: whole('workers', workers, availableParallelism()),
    isJson: output === 'json',
  };
};

const simulate = async (io: CommandIo, wanted: Wanted): Promise<number> => {
  const { from, seeds, isReplay, defect, workers, isJson } = wanted;
  const report = new Report();
  const hashes: string[] = [];
  const startNs = process.hrtime.bigint();
  const onVerdict = (verdict: Verdict): void => {
    report.add(verdict);
    hashes.push(verdict.hash);
    if (verdict.violations.length > 0 && report.violated.length <= SHOWN_MAX)
      for (const line of violationLines(verdict, defect)) io.say(line);
    if (!isReplay && report.totals.seeds % 1_000 === 0) io.say(`  ${report.totals.seeds} of ${seeds} seeds`);
  };
  const order = {
    from,
    count: seeds,
    untilFound: defect !== undefined,
    defect,
    workers,
    signal: io.signal,
    onVerdict,
  };
  await simulateAll({ ...order, withStacks: isReplay });
  if (isReplay)
    await simulateAll({ ...order, withStacks: true, onVerdict: ({ hash }) => void hashes.push(hash) });
  const seconds = Number(process.hrtime.bigint() - startNs) / 1e9;
  for (const line of report.lines(seconds))
    if (isJson) io.say(line);
    else io.out(line);
  if (isReplay && new Set(hashes).size !== 1)
    throw new Error(`seed ${from} took two courses: ${hashes.join(', ')}`);
  if (isJson) io.out(JSON.stringify(report.result(seconds)));
  if (defect === undefined) return report.violated.length === 0 ? 0 : 1;
  const found = report.violated[0];
  io.say(
    found === undefined
      ? `the defect ${defect} was NOT found`
      : `the defect ${defect} was found in seed ${found.seed}`,
  );
  return found === undefined ? 1 : 0;
};

await runCommand(async (argv, io) => {
  let wanted: Wanted;
  try {
    wanted = read(argv);
  } catch (error) {
    io.say((error as Error).message);
    io.say(USAGE);
    return USED_WRONGLY;
  }
  return simulate(io, wanted);
});
