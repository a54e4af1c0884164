import { field, ge, type Route } from '@millrace/define';
import { seededRandom } from '@millrace/pipelines';

/** Routing rules that come into force while everything runs. */
export interface RulesChange {
  readonly atMs: number;
  readonly version: number;
  /** From this amount on in the stream; what is smaller waits for the night. */
  readonly amount: number;
}

const AMOUNT_MAX = 300;
const CHANGES_MAX = 4;
/** Of seeds. */
const CHANGES = 0.4;

/** What the seed sets, by times; of dice of its own, so that it changes no other choice. */
export const rulesOf = (seed: number, fromMs: number, durationMs: number): readonly RulesChange[] => {
  const dice = seededRandom(Math.imul(seed, 0x85ebca6b) ^ 0x2545f491);
  if (!dice.chance(CHANGES)) return [];
  const times = Array.from({ length: dice.integer(1, CHANGES_MAX) }, () => dice.integer(0, durationMs));
  return times
    .toSorted((a, b) => a - b)
    .map((ms, i) => ({ atMs: fromMs + ms, version: i + 1, amount: dice.integer(0, AMOUNT_MAX) }));
};

export const routesOf = ({ amount }: RulesChange): readonly Route[] => [
  { name: 'large', to: 'stream', when: ge(field('amount'), amount) },
  { name: 'small', to: 'night' },
];

/** The rule for an amount, worked out plainly. @param version 0: before there were any */
export const ruleFor = (changes: readonly RulesChange[], version: number, amount: number): string => {
  const change = changes.find(one => one.version === version);
  return change === undefined ? 'default' : amount >= change.amount ? 'large' : 'small';
};
