/** A thread that counts once and tells. It lives without timers, clock and randomness of its own. */
import { parentPort } from 'node:worker_threads';
import { fraud } from '@millrace/pipelines';
import { takeGlobals } from '../simulate/globals.ts';
import { openWorld } from '../simulate/world.ts';
import { countHotPath } from './count.ts';

const world = await openWorld(fraud);
takeGlobals();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort!.postMessage(await countHotPath(world));
