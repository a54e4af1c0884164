import { Worker } from 'node:worker_threads';
import type { Counts } from './count.ts';

/** How much more than the baseline a count may be. Counts are exact; what changes them a little is a step that came to be, or went. */
export const RATIO_MAX = 1.1;

export const counted = (): Promise<Counts> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    worker.once('message', (counts: Counts) => {
      resolve(counts);
      void worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', code =>
      reject(new Error(`the thread that counts has ended with code ${code}, without counts`)),
    );
  });

/** Counts that grew by more than is allowed, are new, or are gone: each a sentence. */
export const regressions = (baseline: Counts, now: Counts): readonly string[] => [
  ...Object.entries(now).flatMap(([name, value]) => {
    const before = baseline[name];
    if (before === undefined) return [`${name}: ${value}, and not in the baseline`];
    return value > before * RATIO_MAX ? [`${name}: ${value}, was ${before}`] : [];
  }),
  ...Object.keys(baseline)
    .filter(name => now[name] === undefined)
    .map(name => `${name}: not counted any more, was ${baseline[name]}`),
];
