/**
 * `pnpm chaos`: faults on a real stack while a load runs, and judges that are not ours. Exit code 1 where a run is red,
 * 2 where the command was used wrongly.
 */
import { type CommandIo, runCommand } from '@millrace/runtime';
import { type Options, readOptions, USAGE } from './options.ts';
import { randomFaults } from './scenarios/random.ts';
import { summaryOf, tableOf } from './report.ts';
import { type Outcome, runScenario } from './run.ts';
import { SCENARIOS, scenariosNamed } from './scenarios/all.ts';
import type { Scenario } from './scenarios/scenario.ts';

const FAILED = 1;
const USED_WRONGLY = 2;
const SCENARIO_SECONDS = 60;

const wantedOf = ({ scenarios, minutes }: Options): readonly Scenario[] => {
  if (minutes !== undefined) return [randomFaults(minutes * 60)];
  return scenarios === undefined ? SCENARIOS : scenariosNamed(scenarios);
};

/** Without a wish, each scenario runs on every kind of cluster that it is meant for; the random one on one broker. */
const brokersOf = ({ brokers, minutes }: Options, scenario: Scenario): readonly (1 | 3)[] => {
  if (brokers !== undefined) return scenario.brokers.filter(count => count === brokers);
  return minutes === undefined ? scenario.brokers : [1];
};

const chaos = async (io: CommandIo, options: Options): Promise<number> => {
  const outcomes: Outcome[] = [];
  for (const scenario of wantedOf(options))
    for (const brokers of brokersOf(options, scenario)) {
      io.say(`${scenario.name} on ${brokers === 1 ? 'one broker' : 'three brokers'}: ${scenario.injects}`);
      const outcome = await runScenario(scenario, {
        brokers,
        seed: options.seed,
        rate: options.rate,
        delivery: options.delivery,
        mutants: options.without === undefined ? [] : [options.without],
        seconds: options.minutes === undefined ? SCENARIO_SECONDS : options.minutes * 60,
        signal: io.signal,
        say: line => io.say(line),
      });
      outcomes.push(outcome);
      for (const line of tableOf([outcome])) io.say(line);
    }
  if (options.output === 'table') for (const line of tableOf(outcomes)) io.out(line);
  else io.out(JSON.stringify(summaryOf(outcomes, options.seed)));
  const red = outcomes.filter(({ problems }) => problems.length > 0);
  io.say(`chaos: ${outcomes.length - red.length} good, ${red.length} red (seed ${options.seed})`);
  return red.length === 0 ? 0 : FAILED;
};

await runCommand(async (argv, io) => {
  let options: Options;
  try {
    options = readOptions(argv);
    wantedOf(options);
  } catch (error) {
    io.say((error as Error).message);
    io.say(USAGE);
    return USED_WRONGLY;
  }
  return chaos(io, options);
});
