/** What a command line asks for, as runs. */
import type { Delivery } from './judge/judge.ts';
import type { Options } from './options.ts';
import { type Protection, protectionNamed, PROTECTIONS } from './protections.ts';
import { SCENARIOS, scenariosNamed } from './scenarios/all.ts';
import { randomFaults } from './scenarios/random.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Run {
  readonly scenario: Scenario;
  readonly brokers: 1 | 3;
  readonly delivery: Delivery;
  /** Taken out: the run has to turn red, or of a control to stay good. */
  readonly without: Protection | undefined;
  readonly seconds: number;
}

export const wantsRed = ({ without }: Run): boolean => without !== undefined && without.isControl !== true;

const SCENARIO_SECONDS = 60;

const redRuns = (protections: readonly Protection[]): readonly Run[] =>
  protections.map(without => ({
    scenario: scenariosNamed([without.scenario])[0]!,
    brokers: without.brokers,
    delivery: without.delivery ?? 'exactly_once',
    without,
    seconds: SCENARIO_SECONDS,
  }));

/** @throws RangeError where a name is not known, or nothing would be run */
export const planOf = (options: Options): readonly Run[] => {
  const { scenarios, minutes, brokers, delivery } = options;
  if (options.reds) return redRuns(PROTECTIONS);
  const without = options.without === undefined ? undefined : protectionNamed(options.without);
  if (without !== undefined && scenarios === undefined && minutes === undefined) return redRuns([without]);
  const seconds = minutes === undefined ? SCENARIO_SECONDS : minutes * 60;
  const wanted =
    minutes !== undefined
      ? [randomFaults(seconds)]
      : scenarios === undefined
        ? SCENARIOS
        : scenariosNamed(scenarios);
  const runs = wanted.flatMap(scenario => {
    // Without a wish, on every kind of cluster that it is meant for; the random one on one broker.
    const all = minutes === undefined ? scenario.brokers : ([1] as const);
    const counts = brokers === undefined ? all : scenario.brokers.filter(count => count === brokers);
    return counts.map(count => ({ scenario, brokers: count, delivery, without, seconds }));
  });
  if (runs.length === 0)
    throw new RangeError(
      `no scenario of ${wanted.map(({ name }) => name).join(', ')} is meant for ${brokers} brokers`,
    );
  return runs;
};
