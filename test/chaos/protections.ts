/**
 * For each protection a scenario that turns red without it, and controls that tell two protections of one thing apart: with
 * one of them the run stays good. `pnpm chaos --reds` runs them all.
 */
import type { Delivery } from './judge/judge.ts';

export interface Protection {
  readonly name: string;
  /** Names in `test/mutants`. */
  readonly mutants: readonly string[];
  readonly scenario: string;
  readonly brokers: 1 | 3;
  readonly delivery?: Delivery;
  /** What is left is enough: the run has to stay good. */
  readonly isControl?: true;
}

export const PROTECTIONS: readonly Protection[] = [
  { name: 'heartbeat', mutants: ['fences-nobody', 'commits-unproved'], scenario: 'zombies', brokers: 1 },
  {
    name: 'fencing-alone',
    mutants: ['fences-nobody'],
    scenario: 'stopped-before-commit',
    brokers: 1,
    isControl: true,
  },
  { name: 'one-send-in-flight', mutants: ['sends-in-flight'], scenario: 'own-producer', brokers: 3 },
  { name: 'no-sender-again', mutants: ['sender-used-again'], scenario: 'failed-sends', brokers: 1 },
  { name: 'p1', mutants: ['aborts-unsorted'], scenario: 'interleaved-aborts', brokers: 1 },
  { name: 'p3', mutants: ['empty-batches-unseen'], scenario: 'compaction', brokers: 1 },
  { name: 'p8', mutants: ['half-responses-kept'], scenario: 'cut-responses', brokers: 1 },
  {
    name: 'offset-with-rows',
    mutants: ['offset-apart', 'looks-for-no-rows'],
    scenario: 'sink-failpoint',
    brokers: 1,
  },
  {
    name: 'looking-alone',
    mutants: ['looks-for-no-rows'],
    scenario: 'sink-failpoint',
    brokers: 1,
    isControl: true,
  },
  { name: 'halving', mutants: ['never-halves'], scenario: 'defect', brokers: 1 },
  { name: 'watchdog', mutants: ['no-watchdog'], scenario: 'standstill', brokers: 1 },
  { name: 'pause', mutants: ['never-pauses'], scenario: 'slow-database', brokers: 1 },
  { name: 'batch-limit', mutants: ['batches-without-limit'], scenario: 'large-sends', brokers: 1 },
  { name: 'event-limit', mutants: ['events-of-any-size'], scenario: 'hostile-batches', brokers: 1 },
  { name: 'marks', mutants: ['sends-letters-twice'], scenario: 'sent-again', brokers: 1 },
  { name: 'request-limit', mutants: ['requests-without-limit'], scenario: 'large-sends', brokers: 1 },
];

/** @throws RangeError naming those there are */
export const protectionNamed = (name: string): Protection => {
  const found = PROTECTIONS.find(one => one.name === name);
  if (found === undefined) {
    const known = PROTECTIONS.map(one => one.name).join(', ');
    throw new RangeError(`--without: there is no protection '${name}'; there are: ${known}`);
  }
  return found;
};
