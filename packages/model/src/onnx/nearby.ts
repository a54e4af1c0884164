import { availableParallelism } from 'node:os';
import type { Manifest } from '../manifest/manifest.ts';
import type { Rows, Scored, Scorer } from '../scorer.ts';
import { type OnnxOptions, onnxScorer } from './scorer.ts';
import { workerScorer } from './worker.ts';

/** Which batches are scored in this thread: heartbeats wait for it. */
export interface NearLimits {
  readonly rowsMax: number;
  /** What it is expected to take, at most. */
  readonly msMax: number;
}

/** Larger batches are those of a load at which another thread is worth its hand-over, as it has a core of its own. */
const CORES_TO_SPARE: NearLimits = { rowsMax: 64, msMax: 1 };
/**
 * With so few cores the broker, or whoever else is on the machine, has the other: two threads then only wait for each
 * other, and the hand-over costs a tenth of all CPU at full load.
 */
const FEW_CORES: NearLimits = { rowsMax: 1_024, msMax: 2 };
const CORES_FEW = 2;
/** Of a larger model there is one copy in memory only. */
const NEAR_BYTES_MAX = 8 * 1_048_576;
/** Weight of the newest short call in what is expected of the next. */
const NEWEST = 0.1;

/**
 * Scores short batches near, the others far. To hand a batch to another thread and its answers back wakes two threads,
 * which at a trickle costs more than the engine does. What a row takes is known from the short batches before; until the
 * first one has been answered, and where they have become slow, they go far.
 */
export const shortNear = (far: Scorer, near: Scorer, limits = CORES_TO_SPARE): Scorer => {
  let msPerRow: number | undefined;
  const learn = ({ computeMs }: Scored, rows: number): void => {
    const newest = computeMs / rows;
    msPerRow = msPerRow === undefined ? newest : (1 - NEWEST) * msPerRow + NEWEST * newest;
  };
  return {
    provider: far.provider,
    async score(batch: Rows) {
      const { rows } = batch;
      if (rows === 0 || rows > limits.rowsMax) return far.score(batch);
      const isShort = msPerRow !== undefined && msPerRow * rows <= limits.msMax;
      const scored = await (isShort ? near : far).score(batch);
      learn(scored, rows);
      return scored;
    },
    close: async () => {
      await Promise.all([far.close(), near.close()]);
    },
  };
};

export const nearLimits = (cores: number): NearLimits => (cores > CORES_FEW ? CORES_TO_SPARE : FEW_CORES);

/**
 * A model in a thread of its own, as `workerScorer` has it, and a second time in this one for short batches; large models,
 * and those on a GPU, only there. What is short depends on how many cores the process has.
 * @throws Error as `onnxScorer` does
 */
export const nearbyScorer = async (
  bytes: Uint8Array,
  manifest: Manifest,
  options: Pick<OnnxOptions, 'callMsMax' | 'rowsMax'> = {},
): Promise<Scorer> => {
  const far = await workerScorer(bytes, manifest, options);
  if (far.provider !== 'cpu' || bytes.length > NEAR_BYTES_MAX) return far;
  try {
    return shortNear(far, await onnxScorer(bytes, manifest, options), nearLimits(availableParallelism()));
  } catch (cause) {
    await far.close();
    throw cause;
  }
};
