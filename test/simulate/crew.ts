import { Worker } from 'node:worker_threads';
import type { Verdict } from './life.ts';

/** What a thread is started with. */
export interface WorkerStart {
  /** Name of the mutant to plant. */
  readonly defect: string | undefined;
  /** Errors carry where they were thrown, which costs time. */
  readonly withStacks: boolean;
}

/** A range of seeds. */
export interface Ordered {
  readonly from: number;
  readonly count: number;
  /** Ends at the first violation. */
  readonly untilFound: boolean;
}

export type Found = { readonly kind: 'ready' } | { readonly kind: 'verdict'; readonly verdict: Verdict };

export interface CrewOptions extends Ordered, WorkerStart {
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onVerdict: (verdict: Verdict) => void;
}

const SEEDS_AT_A_TIME = 20;
const WORKER = new URL('worker.ts', import.meta.url);

/** Simulates a range of seeds on some threads. Resolves when all are done, or one was found and that was wanted. */
export async function simulateAll(options: CrewOptions): Promise<void> {
  const { from, count, untilFound, workers } = options;
  let next = from;
  let isOver = false;
  const take = (): Ordered | undefined => {
    if (isOver || options.signal.aborted || next >= from + count) return undefined;
    const ordered = { from: next, count: Math.min(SEEDS_AT_A_TIME, from + count - next), untilFound };
    next += ordered.count;
    return ordered;
  };
  const told = (verdict: Verdict): void => {
    options.onVerdict(verdict);
    if (untilFound && verdict.violations.length > 0) isOver = true;
  };
  const threads = Math.min(workers, Math.ceil(count / SEEDS_AT_A_TIME));
  await Promise.all(Array.from({ length: threads }, () => employ(options, take, told)));
}

const send = (worker: Pick<Worker, 'postMessage'>, ordered: Ordered): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage(ordered);
};

/** One thread, from its start until there is no more work. */
async function employ(
  { defect, withStacks }: WorkerStart,
  take: () => Ordered | undefined,
  told: (verdict: Verdict) => void,
): Promise<void> {
  const start: WorkerStart = { defect, withStacks };
  const worker = new Worker(WORKER, { workerData: start });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', code =>
        reject(new Error(`a thread of the simulation has ended with code ${code}`)),
      );
      worker.on('message', (found: Found) => {
        if (found.kind === 'verdict') return told(found.verdict);
        const ordered = take();
        if (ordered === undefined) resolve();
        else send(worker, ordered);
      });
    });
  } finally {
    await worker.terminate();
  }
}
