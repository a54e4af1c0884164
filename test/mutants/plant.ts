import { realpathSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Mutant, mutatedFile, pathOf } from './mutant.ts';

/**
 * From now on this thread loads the mutants' files with their texts replaced; several may change one file. Call it once,
 * before anything of the product is imported, so import the product dynamically afterwards. Modules of jest do not pass
 * through these hooks: start a worker thread or a process.
 */
export function plant(...mutants: readonly Mutant[]): void {
  const planted = new Map(
    [...Map.groupBy(mutants, pathOf)].map(([path, of]) => [
      pathToFileURL(realpathSync(path)).href,
      {
        source: mutatedFile(of[0]!, ...of.slice(1)),
        format: path.endsWith('.ts') ? 'module-typescript' : 'commonjs',
      },
    ]),
  );
  registerHooks({
    load: (url, context, nextLoad) => {
      const changed = planted.get(url);
      return changed === undefined ? nextLoad(url, context) : { ...changed, shortCircuit: true };
    },
  });
}
