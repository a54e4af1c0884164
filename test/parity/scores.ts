/** The score on the topic beside the model run offline on the vector on the topic. */
import type { World } from '@millrace/cli';
import { type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { MakeScorer } from '@millrace/model';
import { collect, type Ends, endsOf } from './collect.ts';
import type { ScoreResult } from './compare.ts';
import { setChampion } from './control.ts';
import { type Candidate, scoreOffline } from './models.ts';
import type { Vectors } from './vectors.ts';

export interface ScoreRun {
  readonly world: World;
  readonly pipeline: Pipeline;
  readonly vectors: Vectors;
  /** Where the vectors of this run begin. */
  readonly from: Ends;
  readonly signal: AbortSignal;
  /** Asks a model here, outside the service. */
  readonly makeScorer: MakeScorer;
  /** Starts the inference service; the result stops it. */
  startInference(): Promise<{ stop(): Promise<void> }>;
}

/**
 * Has the service score every vector of the run with one model, from the first on: the alias is switched on the control
 * topic, the group goes back to where the vectors begin.
 */
export const compareScores = async (
  run: ScoreRun,
  model: Candidate,
): Promise<{ readonly result: ScoreResult; readonly served: Float64Array }> => {
  const { world, pipeline, vectors } = run;
  const output = pipeline.model.outputs[0]!;
  const offline = await scoreOffline(run.makeScorer, model, vectors.rows, vectors.data);
  const { predictions } = topicsOf(pipeline);
  await setChampion(world, pipeline, model);
  const starts = [...run.from.values()].flat();
  await world.broker.admin.resetOffsets(`millrace.inference.${pipeline.name}`, starts);
  const from = await endsOf(world, [predictions]);
  const service = await run.startInference();
  const seen = new Set<number>();
  /** By row; NaN where no answer came. */
  const served = new Float64Array(vectors.rows).fill(Number.NaN);
  let worst = 0;
  const take = (value: PredictionValue): void => {
    const row = vectors.rowOf(value.eventId);
    if (row === undefined || value.role !== 'answer' || value.runId !== 'live') return;
    // An answer by another model is none here: the row stays missing.
    if (value.modelDigest !== model.manifest.sha256 || value.fallback !== null) return;
    seen.add(row);
    served[row] = value.outputs[output]!;
    const off = Math.abs(served[row] - offline[row]!);
    worst = Math.max(worst, Number.isNaN(off) ? Number.MAX_VALUE : off);
  };
  try {
    await collect<PredictionValue>(
      world, pipeline, from, take, () => seen.size === vectors.rows, run.signal,
    ); // prettier-ignore
  } finally {
    await service.stop();
  }
  return { result: { rows: seen.size, worst }, served };
};
