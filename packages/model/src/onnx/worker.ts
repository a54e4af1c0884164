import { Worker } from 'node:worker_threads';
import { Floats } from '../batch/floats.ts';
import { inputWidth, type Manifest } from '../manifest/manifest.ts';
import { type Scored, type Scorer, ScorerLost, ScoringError } from '../scorer.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import type { OnnxOptions } from './scorer.ts';

/** A batch leaves little behind in the thread: without a limit V8 takes ten times the room for it. */
const YOUNG_MB_MAX = 12;

type Waiting = PromiseWithResolvers<Scored>;

const lost = (why: string, cause?: unknown): ScorerLost => new ScorerLost(`the model's thread ${why}`, cause);

/** Resolves with the provider, or rejects with why the thread does not serve. */
const whenReady = (worker: Worker): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  worker.once('message', (message: FromWorker) => {
    if (message.kind === 'ready') resolve(message.provider);
    else
      reject(
        new Error(message.kind === 'refused' ? message.message : `the thread said ${message.kind} first`),
      );
  });
  worker.once('error', reject);
  worker.once('exit', code => reject(lost(`ended with code ${code} before it was ready`)));
  return promise;
};

/** As `whenReady`; where it rejects the thread has ended. */
const readyOrEnded = async (worker: Worker): Promise<string> => {
  try {
    return await whenReady(worker);
  } catch (cause) {
    await worker.terminate();
    throw cause;
  }
};

/**
 * A model in a thread of its own, so that engine calls leave this one free for heartbeats. Batches are copied once and
 * their buffers handed over; the thread gives them back with the answer. A thread that ends takes only its model with it: open calls reject with `ScorerLost`.
 * @throws Error as `onnxScorer` does
 */
export const workerScorer = async (
  bytes: Uint8Array,
  manifest: Manifest,
  options: Pick<OnnxOptions, 'callMsMax' | 'rowsMax'> = {},
): Promise<Scorer> => {
  const start: WorkerStart = { bytes, manifest, ...options };
  const worker = new Worker(new URL('./scorer.worker.ts', import.meta.url), {
    workerData: start,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB_MAX },
  });
  const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()));
  const provider = await readyOrEnded(worker);

  const width = inputWidth(manifest);
  const waiting = new Map<number, Waiting>();
  const floats = new Floats();
  let idNext = 0;
  let gone: ScorerLost | undefined;
  let closing: Promise<void> | undefined;

  const endAll = (why: ScorerLost): void => {
    gone ??= why;
    for (const one of waiting.values()) one.reject(gone);
    waiting.clear();
  };
  worker.on('message', (message: FromWorker) => {
    if (message.kind !== 'scored' && message.kind !== 'failed') return;
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'failed') return one?.reject(new ScoringError(message.message));
    floats.give(message.data);
    one?.resolve(message.scored);
  });
  worker.on('error', cause => endAll(lost('failed', cause)));
  worker.on('exit', code => endAll(lost(`ended with code ${code}`)));

  const post = (message: ToWorker, transfer: readonly ArrayBuffer[] = []): void =>
    worker.postMessage(message, [...transfer]);

  return {
    provider,
    score({ rows, data }) {
      if (closing !== undefined) return Promise.reject(new ScorerLost('the model was closed'));
      if (gone !== undefined) return Promise.reject(gone);
      if (data.length !== rows * width)
        return Promise.reject(
          new RangeError(`${rows} rows of ${width} values are not ${data.length} values`),
        );
      const id = idNext++;
      const answer: Waiting = Promise.withResolvers<Scored>();
      waiting.set(id, answer);
      const copy = floats.copyOf(data);
      post({ kind: 'score', id, rows, data: copy }, [copy.buffer]);
      return answer.promise;
    },
    close() {
      closing ??= (async () => {
        if (gone === undefined) post({ kind: 'close' });
        await ended;
      })();
      return closing;
    },
  };
};
