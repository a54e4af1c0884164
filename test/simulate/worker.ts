/**
 * A thread that does nothing but simulate: it is handed ranges of seeds and answers with what came of them. The product
 * is imported only once the hooks are in place, and lives without timers, clock and randomness from then on.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { mutantOf } from '../mutants/mutants.ts';
import { plant } from '../mutants/plant.ts';
import type { Found, Ordered, WorkerStart } from './crew.ts';
import { QUICKER } from './quicker.ts';

const { defect, withStacks } = workerData as WorkerStart;
plant(...QUICKER, ...(defect === undefined ? [] : [mutantOf(defect)]));
if (!withStacks) Error.stackTraceLimit = 0;

const { takeGlobals } = await import('./globals.ts');
const { Life } = await import('./life.ts');
const { openWorld } = await import('./world.ts');
const world = await openWorld();
takeGlobals();

const port = parentPort!;

const simulate = async ({ from, count, untilFound }: Ordered): Promise<void> => {
  for (let seed = from; seed < from + count; seed++) {
    const verdict = await new Life(world, seed).run();
    const found: Found = { kind: 'verdict', verdict };
    port.postMessage(found);
    if (untilFound && verdict.violations.length > 0) break;
  }
  port.postMessage({ kind: 'ready' } satisfies Found);
};

port.on('message', (ordered: Ordered) => void simulate(ordered));
port.postMessage({ kind: 'ready' } satisfies Found);
