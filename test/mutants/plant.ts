import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Mutant, mutatedFile, pathOf } from './mutant.ts';

/**
 * From now on this thread loads the mutant's file with its text replaced. Call it before anything of the product is
 * imported, so import the product dynamically afterwards. Modules of jest do not pass through these hooks: start a
 * worker thread or a process.
 */
export function plant(mutant: Mutant): void {
  const changed = mutatedFile(mutant);
  const planted = pathToFileURL(pathOf(mutant)).href;
  registerHooks({
    load: (url, context, nextLoad) =>
      url === planted
        ? { format: 'module-typescript', source: changed, shortCircuit: true }
        : nextLoad(url, context),
  });
}
