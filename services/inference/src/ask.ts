import type { Engine, Pipeline } from '@millrace/define';
import type { Lease, ScoringError } from '@millrace/model';
import type { Logger, Metrics } from '@millrace/telemetry';
import type { Answerer } from './answer.ts';
import type { Board } from './board.ts';
import { type Displaced, scoreOnEngines } from './engines.ts';
import type { Serving } from './models.ts';
import type { Routed } from './routing.ts';
import type { VectorReader, Vectors } from './vectors.ts';

/** The answers to one batch: each row has its outputs, or why it cannot be scored. */
export interface Answers {
  readonly by: Answerer;
  /** Valid until the next row is asked for. */
  readonly outputs: (row: number) => readonly number[];
  /** What the model ran on; null where none did. */
  readonly engineOf: (row: number) => Engine | null;
  readonly failed: ReadonlyMap<number, ScoringError>;
  /** Engine calls that answered: rows and milliseconds of each. */
  readonly calls: readonly { readonly rows: number; readonly ms: number }[];
}

/** Vectors, how they are read, and by which rule each is answered. */
export interface Question {
  readonly reader: VectorReader;
  readonly vectors: Vectors;
  readonly routed: readonly Routed[];
}

interface Given {
  readonly pipeline: Pipeline;
  readonly board: Pick<Board, 'smaller' | 'restore'>;
  readonly displaced: Displaced;
  readonly logger: Logger;
}

/** Why a fallback answered, as predictions and metrics say it. */
const MODEL_FAILED = 'model-failed';
const STALE = 'stale';

const askModel = async (
  { board, displaced }: Pick<Given, 'board' | 'displaced'>,
  serving: Serving,
  { reader, vectors, routed }: Question,
  fallback: string | null,
): Promise<Answers> => {
  const { model, columns, bounds } = serving;
  const { manifest, widths } = model;
  const data = reader.tensor(vectors, manifest.features);
  const isolated = await scoreOnEngines(
    model,
    { rows: vectors.length, data },
    routed,
    (engine, rows, cause) => {
      displaced(model, engine, rows, cause);
      if (cause !== undefined) board.restore();
    },
  );
  reader.release(data);
  const outputs: number[] = [];
  // Batches are cut by what they cost on the model's own engine.
  for (const { rows, ms } of isolated.ownCalls) bounds.observe(rows, ms);
  return {
    by: {
      model: manifest.name,
      modelVersion: manifest.version,
      modelDigest: manifest.sha256,
      fallback,
    },
    outputs: row => {
      for (let i = 0; i < columns.length; i++) outputs[i] = isolated.data[row * widths.output + columns[i]!]!;
      return outputs;
    },
    engineOf: isolated.engineOf,
    failed: isolated.failed,
    calls: isolated.calls,
  };
};

const constantAnswers = (outputs: readonly number[], fallback: string): Answers => ({
  by: { model: '', modelVersion: '', modelDigest: '', fallback },
  outputs: () => outputs,
  engineOf: () => null,
  failed: new Map(),
  calls: [],
});

/** What vectors get that are too old for any model: a smaller one would read the same stale view. */
export const staleAnswers = (constant: readonly number[]): Answers => constantAnswers(constant, STALE);

/**
 * Asks the model in force, and when its engine is gone the fallbacks in order. Rows at fault are not asked again: they
 * fail alone, and no fallback covers them up.
 * @throws what the model in force threw when nothing of the chain can answer
 */
export const ask = async (given: Given, serving: Serving, question: Question): Promise<Answers> => {
  const { pipeline, board, logger } = given;
  try {
    return await askModel(given, serving, question, null);
  } catch (err) {
    logger.error({ err, model: serving.model.manifest.name }, 'the model did not answer');
    board.restore();
    for (const next of pipeline.model.fallback) {
      if (typeof next !== 'string')
        return constantAnswers(
          pipeline.model.outputs.map(name => next.constant[name] ?? Number.NaN),
          MODEL_FAILED,
        );
      const lease: Lease<Serving> | undefined = board.smaller(next);
      if (lease === undefined) continue;
      try {
        return await askModel(given, lease.model, question, MODEL_FAILED);
      } catch (fallbackErr) {
        logger.error({ err: fallbackErr, model: next }, 'a fallback model did not answer');
      } finally {
        lease.release();
      }
    }
    throw err;
  }
};

export const measureCalls = (metrics: Metrics, pipeline: string, { by: { model }, calls }: Answers): void => {
  for (const { rows, ms } of calls) {
    metrics.observe('millrace_model_batch_rows', { pipeline, model }, rows);
    metrics.observe('millrace_model_compute_seconds', { pipeline, model }, ms / 1000);
  }
};
