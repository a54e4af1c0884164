import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { batchBounds } from '../batch/bounds.ts';
import { type Cut, dimensionsOf, inputData, type OutputTensor, readOutput } from '../batch/tensors.ts';
import { inputWidth, type Manifest, widthOf } from '../manifest/manifest.ts';
import { type Rows, type Scored, type Scorer, ScorerLost, ScoringError } from '../scorer.ts';
import { chooseProvider, openSession, sessionProblems } from './session.ts';

export interface OnnxOptions {
  /** A batch that would take longer is split, so that the event loop comes round in between. Default 5. */
  readonly callMsMax?: number;
  /** Rows of one engine call at most. Default 4096. */
  readonly rowsMax?: number;
  /** Milliseconds from any origin, for measuring compute time. Default: the process's monotonic clock. */
  readonly elapsedMs?: () => number;
}

const CALL_MS_MAX = 5;
const ROWS_MAX = 4096;
const WARM_UP_CALLS = 3;

const feedsOf = (manifest: Manifest, batch: Rows, cut: Omit<Cut, 'offset'>): Record<string, Tensor> => {
  const feeds: Record<string, Tensor> = {};
  let offset = 0;
  for (const input of manifest.inputs) {
    const data = inputData(input, batch, { ...cut, offset });
    feeds[input.name] = new Tensor(input.type, data as Float32Array, dimensionsOf(input, cut.slots));
    offset += widthOf(input);
  }
  return feeds;
};

const checkSize = (batch: Rows, width: number): void => {
  if (batch.data.length !== batch.rows * width)
    throw new RangeError(`${batch.rows} rows of ${width} values are not ${batch.data.length} values`);
};

const answersInto = (
  data: Float32Array,
  results: InferenceSession.OnnxValueMapType,
  manifest: Manifest,
  part: { readonly from: number; readonly count: number },
): void => {
  const width = manifest.outputs.length;
  for (const [to, output] of manifest.outputs.entries()) {
    const tensor = results[output.tensor] as unknown as OutputTensor;
    readOutput(tensor, output, { data, width, to, ...part });
  }
};

/** @throws Error when graph and manifest disagree, or the engine refuses the model; nothing stays open then */
const openChecked = async (
  bytes: Uint8Array,
  manifest: Manifest,
  provider: string,
): Promise<InferenceSession> => {
  const session = await openSession(bytes, provider);
  const problems = sessionProblems(session, manifest);
  if (problems.length === 0) return session;
  await session.release();
  throw new Error(problems.join('; '));
};

/**
 * A model in this thread; each engine call blocks it, so `workerScorer` is for services, and `nearbyScorer` for those with short batches.
 * @throws Error when graph and manifest disagree, or the engine refuses the model
 */
export const onnxScorer = async (
  bytes: Uint8Array,
  manifest: Manifest,
  options: OnnxOptions = {},
): Promise<Scorer> => {
  const provider = chooseProvider(manifest.providers);
  const session = await openChecked(bytes, manifest, provider);
  const width = inputWidth(manifest);
  const fetches = [...new Set(manifest.outputs.map(output => output.tensor))];
  const elapsedMs = options.elapsedMs ?? (() => performance.now());
  const limits = {
    rowsMax: options.rowsMax ?? ROWS_MAX,
    waitMsMax: 0,
    callMsMax: options.callMsMax ?? CALL_MS_MAX,
  };
  const bounds = batchBounds(limits, { warmUpCalls: WARM_UP_CALLS });
  const open = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const call = async (
    batch: Rows,
    from: number,
    data: Float32Array,
  ): Promise<{ count: number; ms: number }> => {
    const count = Math.min(batch.rows - from, manifest.fixedBatch ?? bounds.rowsMax());
    const slots = manifest.fixedBatch ?? count;
    try {
      const feeds = feedsOf(manifest, batch, { from, count, slots, width });
      // The engine runs when its turn of the event loop comes; the wait until then is not its cost.
      const startMs = await new Promise<number>(resolve => setImmediate(() => resolve(elapsedMs())));
      const results = await session.run(feeds, fetches);
      const ms = elapsedMs() - startMs;
      answersInto(data, results, manifest, { from, count });
      bounds.observe(slots, ms);
      return { count, ms };
    } catch (cause) {
      throw new ScoringError(cause instanceof Error ? cause.message : String(cause), cause);
    }
  };

  const scoreAll = async (batch: Rows): Promise<Scored> => {
    const data = new Float32Array(batch.rows * manifest.outputs.length);
    let computeMs = 0;
    for (let from = 0; from < batch.rows;) {
      const done = await call(batch, from, data);
      from += done.count;
      computeMs += done.ms;
    }
    return { data, computeMs };
  };

  return {
    provider,
    async score(batch) {
      if (closing !== undefined) throw new ScorerLost('the model was closed');
      checkSize(batch, width);
      const done = scoreAll(batch);
      open.add(done);
      try {
        return await done;
      } finally {
        open.delete(done);
      }
    },
    close() {
      closing ??= Promise.allSettled(open).then(() => session.release());
      return closing;
    },
  };
};
