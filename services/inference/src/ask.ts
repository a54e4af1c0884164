import type { Pipeline } from '@millrace/define';
import { type Lease, scoreIsolating, type ScoringError } from '@millrace/model';
import type { Logger } from '@millrace/telemetry';
import type { Answerer } from './answer.ts';
import type { Board } from './board.ts';
import type { Serving } from './models.ts';
import type { VectorReader, Vectors } from './vectors.ts';

/** The answers to one batch: each row has its outputs, or why it cannot be scored. */
export interface Answers {
  readonly by: Answerer;
  readonly outputs: (row: number) => readonly number[];
  readonly failed: ReadonlyMap<number, ScoringError>;
  /** Engine calls that answered: rows and milliseconds of each. */
  readonly calls: readonly { readonly rows: number; readonly ms: number }[];
}

/** Vectors, and how they are read. */
export interface Question {
  readonly reader: VectorReader;
  readonly vectors: Vectors;
}

/** Why a fallback answered, as predictions and metrics say it. */
const MODEL_FAILED = 'model-failed';

const askModel = async (
  serving: Serving,
  { reader, vectors }: Question,
  fallback: string | null,
): Promise<Answers> => {
  const { model, columns, bounds } = serving;
  const { manifest, widths, scorer } = model;
  const data = reader.tensor(vectors, manifest.features);
  const isolated = await scoreIsolating(scorer, { rows: vectors.length, data }, widths);
  for (const { rows, ms } of isolated.calls) bounds.observe(rows, ms);
  return {
    by: {
      model: manifest.name,
      modelVersion: manifest.version,
      modelDigest: manifest.sha256,
      fallback,
    },
    outputs: row => columns.map(column => isolated.data[row * widths.output + column]!),
    failed: isolated.failed,
    calls: isolated.calls,
  };
};

const constantAnswers = (pipeline: Pipeline, constant: Readonly<Record<string, number>>): Answers => {
  const outputs = pipeline.model.outputs.map(name => constant[name] ?? Number.NaN);
  return {
    by: { model: '', modelVersion: '', modelDigest: '', fallback: MODEL_FAILED },
    outputs: () => outputs,
    failed: new Map(),
    calls: [],
  };
};

/**
 * Asks the model in force, and when its engine is gone the fallbacks in order. Rows at fault are not asked again: they
 * fail alone, and no fallback covers them up.
 * @throws what the model in force threw when nothing of the chain can answer
 */
export const ask = async (
  given: {
    readonly pipeline: Pipeline;
    readonly board: Pick<Board, 'smaller' | 'restore'>;
    readonly logger: Logger;
  },
  serving: Serving,
  question: Question,
): Promise<Answers> => {
  const { pipeline, board, logger } = given;
  try {
    return await askModel(serving, question, null);
  } catch (err) {
    logger.error({ err, model: serving.model.manifest.name }, 'the model did not answer');
    board.restore();
    for (const next of pipeline.model.fallback) {
      if (typeof next !== 'string') return constantAnswers(pipeline, next.constant);
      const lease: Lease<Serving> | undefined = board.smaller(next);
      if (lease === undefined) continue;
      try {
        return await askModel(lease.model, question, MODEL_FAILED);
      } catch (fallbackErr) {
        logger.error({ err: fallbackErr, model: next }, 'a fallback model did not answer');
      } finally {
        lease.release();
      }
    }
    throw err;
  }
};
