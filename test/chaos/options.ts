import { parseArgs } from 'node:util';
import type { Delivery } from './judge/judge.ts';

export const USAGE = `usage: pnpm chaos [--scenario N|NAME,…] [--minutes M] [--seed S] [--brokers 1|3]
                 [--delivery exactly_once|at_least_once] [--rate R] [--without PROTECTION] [--reds]
                 [--logs FOLDER] [--output table|json]
Without --scenario and --minutes every scenario runs; --minutes draws random faults for so long. --without takes a
protection out, in the scenario that shows it unless another is named; --reds does so with each of them. Logs of brokers and services
are gone with the run, unless a folder is named.`;

export interface Options {
  /** Numbers or names; undefined: all, or with minutes none. */
  readonly scenarios: readonly string[] | undefined;
  readonly minutes: number | undefined;
  readonly seed: number;
  readonly brokers: 1 | 3 | undefined;
  readonly delivery: Delivery;
  /** Records a second. */
  readonly rate: number;
  /** Name of a protection that is taken out. */
  readonly without: string | undefined;
  /** Every protection is taken out, one after the other. */
  readonly reds: boolean;
  /** Logs are copied here at the end of each run. */
  readonly logs: string | undefined;
  readonly output: 'table' | 'json';
}

const RATE = 120;

const numberIn = (name: string, text: string | undefined, min: number, max: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new RangeError(`--${name}: a number from ${min} to ${max} is needed, found '${text}'`);
  return value;
};

const oneOf = <T extends string>(name: string, text: string, allowed: readonly T[]): T => {
  const found = allowed.find(one => one === text);
  if (found === undefined) throw new RangeError(`--${name}: ${allowed.join(' or ')}, not '${text}'`);
  return found;
};

/** @throws RangeError, or TypeError for an unknown option, with what is wrong */
export const readOptions = (argv: readonly string[]): Options => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: text, minutes: text, seed: text, brokers: text, logs: text, rate: text, without: text,
      delivery: { ...text, default: 'exactly_once' }, output: { ...text, default: 'table' },
      reds: { type: 'boolean', default: false },
    },
  }); // prettier-ignore
  if (values.scenario !== undefined && values.minutes !== undefined)
    throw new RangeError('--scenario and --minutes: one of them');
  if (values.reds && (values.scenario ?? values.minutes ?? values.without) !== undefined)
    throw new RangeError('--reds chooses scenarios and protections by itself');
  const brokers = values.brokers === undefined ? undefined : oneOf('brokers', values.brokers, ['1', '3']);
  return {
    scenarios: values.scenario?.split(',').map(one => one.trim()),
    minutes: numberIn('minutes', values.minutes, 0.5, 1_440),
    seed: numberIn('seed', values.seed, 0, 2 ** 32 - 1) ?? 1,
    brokers: brokers === undefined ? undefined : brokers === '1' ? 1 : 3,
    delivery: oneOf('delivery', values.delivery, ['exactly_once', 'at_least_once']),
    rate: numberIn('rate', values.rate, 1, 10_000) ?? RATE,
    without: values.without,
    reds: values.reds,
    logs: values.logs,
    output: oneOf('output', values.output, ['table', 'json']),
  };
};
