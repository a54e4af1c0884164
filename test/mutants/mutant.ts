import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * A protection taken out of the product on purpose, to show that a test turns red without it. It is applied to the text
 * of one source file while that file is loaded; the file itself stays as it is.
 */
export interface Mutant {
  readonly name: string;
  /** Which protection is gone, and what a judge should see then. */
  readonly shows: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly instead: string;
}

export const pathOf = ({ file }: Mutant): string => join(ROOT, file);

/** @throws Error when the text is not there, or more than once: the mutant has to follow the code. */
export function mutated(mutant: Mutant, source: string): string {
  const places = source.split(mutant.text).length - 1;
  if (places !== 1)
    throw new Error(
      `mutant ${mutant.name}: its text stands ${places} times in ${mutant.file}, it must stand there once`,
    );
  return source.replace(mutant.text, () => mutant.instead);
}

/** The text of the file that the mutants share, with all of them in it. */
export const mutatedFile = (...mutants: readonly [Mutant, ...Mutant[]]): string =>
  mutants.reduce((source, mutant) => mutated(mutant, source), readFileSync(pathOf(mutants[0]), 'utf8'));
