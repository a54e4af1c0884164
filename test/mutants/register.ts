/**
 * Plants mutants into a whole process, and into its worker threads:
 * `MILLRACE_MUTANT=name,… node --import ./test/mutants/register.ts services/feature/src/main.ts`.
 */
import { mutantOf } from './mutants.ts';
import { plant } from './plant.ts';

const names = process.env['MILLRACE_MUTANT'];
if (names === undefined || names === '')
  throw new Error('MILLRACE_MUTANT must name a mutant of test/mutants');
plant(...names.split(',').map(mutantOf));
