import { DATASET_MUTANTS } from './dataset.ts';
import { FAILPOINTS } from './failpoints.ts';
import type { Mutant } from './mutant.ts';
import { PROTECTIONS } from './protections.ts';
import { SIMULATED } from './simulated.ts';

/** Of the loop: `packages/stream`. */
const STREAM: readonly Mutant[] = [
  {
    name: 'no-watchdog',
    shows: 'a task that stands still keeps its process and its partition for good',
    file: 'packages/stream/src/processor/watchdog.ts',
    text: 'if (looks >= CHECKS_PER_STALL * ',
    instead: 'if (looks < 0 * ',
  },
];

/** Not protections: what makes transactions cheap, for `bench/src/transactions`. */
const COSTS: readonly Mutant[] = [
  {
    name: 'looks-up-each-time',
    shows: 'the coordinator is looked up for every request, as kafkajs has it',
    file: 'packages/stream/src/kafka/coordinator.ts',
    text: '      this.#nodeId = node.nodeId;',
    instead: '',
  },
  {
    name: 'waits-long-for-markers',
    shows: 'the first wait for the markers of the transaction before takes 50 ms',
    file: 'packages/stream/src/kafka/transactional.ts',
    text: 'const CONCURRENT_MS_MIN = 2;',
    instead: 'const CONCURRENT_MS_MIN = 50;',
  },
];

/** Of what the pipelines say. */
const PIPELINES: readonly Mutant[] = [
  {
    name: 'eight-partitions',
    shows: 'not a protection: the pipeline with more partitions, for a migration',
    file: 'packages/pipelines/src/fraud.ts',
    text: '  partitions: 6,',
    instead: '  partitions: 8,',
  },
  {
    name: 'inference-at-least-once',
    shows: 'not a protection: the other way to deliver, which a pipeline may choose',
    file: 'packages/pipelines/src/fraud.ts',
    text: "  kpis: { expectedLoss: multiply(output('score'), field('amount')) },",
    instead:
      "  delivery: { inference: 'at_least_once', epochMs: 100 },\n  kpis: { expectedLoss: multiply(output('score'), field('amount')) },",
  },
];

/** Of the feature service. */
const FEATURE: readonly Mutant[] = [
  {
    name: 'feature-stumbles',
    shows: 'not a protection: a mistake of our own code, which one amount brings to light',
    file: 'services/feature/src/row.ts',
    text: '  const from = sourceOf(source, batch, i);',
    instead:
      "  if (fields['amount'] === 13.37) throw new TypeError('planted');\n  const from = sourceOf(source, batch, i);",
  },
];

export const MUTANTS: readonly Mutant[] = [
  ...STREAM,
  ...FEATURE,
  ...COSTS,
  ...PIPELINES,
  ...DATASET_MUTANTS,
  ...FAILPOINTS,
  ...PROTECTIONS,
  ...SIMULATED,
];

/** @throws Error naming those there are. */
export function mutantOf(name: string): Mutant {
  const found = MUTANTS.find(mutant => mutant.name === name);
  if (found === undefined)
    throw new Error(`no mutant ${name}; there are ${MUTANTS.map(mutant => mutant.name).join(', ')}`);
  return found;
}
