/**
 * Plants a mutant into a whole process, and into its worker threads:
 * `MILLRACE_MUTANT=name node --import ./test/mutants/register.ts services/feature/src/main.ts`.
 */
import { mutantOf } from './mutants.ts';
import { plant } from './plant.ts';

const name = process.env['MILLRACE_MUTANT'];
if (name === undefined || name === '') throw new Error('MILLRACE_MUTANT must name a mutant of test/mutants');
plant(mutantOf(name));
