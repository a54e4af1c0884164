import type { Mutant } from './mutant.ts';

/** Of the loop: `packages/stream`. */
const STREAM: readonly Mutant[] = [
  {
    name: 'commits-the-position',
    shows: 'offsets of records that are still open are committed: they are lost when the task dies',
    file: 'packages/stream/src/processor/offsets.ts',
    text: 'return first === undefined ? this.#position : first.offset(first.taken);',
    instead: 'return this.#position;',
  },
];

export const MUTANTS: readonly Mutant[] = [...STREAM];

/** @throws Error naming those there are. */
export function mutantOf(name: string): Mutant {
  const found = MUTANTS.find(mutant => mutant.name === name);
  if (found === undefined)
    throw new Error(`no mutant ${name}; there are ${MUTANTS.map(mutant => mutant.name).join(', ')}`);
  return found;
}
