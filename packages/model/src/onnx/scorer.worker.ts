/** A model's own thread: opens the session, then answers batches one after the other until it is told to close. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { onnxScorer } from './scorer.ts';

const port = parentPort!;
const { bytes, manifest, ...options } = workerData as WorkerStart;
const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
const say = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, [...transfer]);

try {
  const scorer = await onnxScorer(bytes, manifest, options);
  let last: Promise<void> = Promise.resolve();
  const score = async (id: number, rows: number, data: Float32Array<ArrayBuffer>): Promise<void> => {
    try {
      const scored = await scorer.score({ rows, data });
      say({ kind: 'scored', id, scored, data }, [scored.data.buffer as ArrayBuffer, data.buffer]);
    } catch (cause) {
      say({ kind: 'failed', id, message: reasonOf(cause) });
    }
  };
  port.on('message', (message: ToWorker) => {
    last = last.then(async () => {
      if (message.kind === 'score') return score(message.id, message.rows, message.data);
      await scorer.close();
      port.close();
    });
  });
  say({ kind: 'ready', provider: scorer.provider });
} catch (cause) {
  say({ kind: 'refused', message: reasonOf(cause) });
  port.close();
}
