/**
 * `pnpm chaos`: faults on a real stack while a load runs, and judges that are not ours. Exit code 1 where a run is red
 * (or, with a protection taken out, is not), 2 where the command was used wrongly. What cannot be run here is told as skipped,
 * and is neither.
 */
import { resolve } from 'node:path';
import { type CommandIo, runCommand } from '@millrace/runtime';
import { type Options, readOptions, USAGE } from './options.ts';
import { planOf, type Run, wantsRed } from './plan.ts';
import { summaryOf, tableOf } from './report.ts';
import { type Outcome, runScenario, type Skipped } from './run.ts';

const FAILED = 1;
const USED_WRONGLY = 2;

const announced = ({ scenario, brokers, without }: Run): string =>
  `${scenario.name} on ${brokers === 1 ? 'one broker' : 'three brokers'}` +
  `${without === undefined ? '' : `, without ${without.name}`}: ${scenario.injects}`;

const chaos = async (io: CommandIo, options: Options, runs: readonly Run[]): Promise<number> => {
  const outcomes: Outcome[] = [];
  const skipped: Skipped[] = [];
  for (const run of runs) {
    io.say(announced(run));
    const reason = run.scenario.missing?.();
    if (reason !== undefined) {
      skipped.push({ run, reason });
      io.say(`  skipped: ${reason}`);
      continue;
    }
    const { seed, rate } = options;
    const name = `${outcomes.length + 1}-${run.scenario.name}-${run.brokers}`;
    const logs = options.logs === undefined ? undefined : resolve(options.logs, name);
    const outcome = await runScenario(run, {
      seed,
      rate,
      logs,
      signal: io.signal,
      say: line => io.say(line),
    });
    outcomes.push(outcome);
    for (const line of tableOf([outcome])) io.say(line);
  }
  if (options.output === 'table') for (const line of tableOf(outcomes, skipped)) io.out(line);
  const isRed = ({ problems }: Outcome): boolean => problems.length > 0;
  const wrong = outcomes.filter(outcome => isRed(outcome) !== wantsRed(outcome.run));
  const red = outcomes.filter(isRed).length;
  io.say(
    `chaos: ${outcomes.length - red} good, ${red} red, ${skipped.length} skipped, ` +
      `${wrong.length} other than wanted (seed ${options.seed})`,
  );
  if (options.output === 'json') io.out(JSON.stringify(summaryOf(outcomes, skipped, options.seed)));
  return wrong.length === 0 ? 0 : FAILED;
};

await runCommand(async (argv, io) => {
  let options: Options;
  let runs: readonly Run[];
  try {
    options = readOptions(argv);
    runs = planOf(options);
  } catch (error) {
    io.say((error as Error).message);
    io.say(USAGE);
    return USED_WRONGLY;
  }
  return chaos(io, options, runs);
});
