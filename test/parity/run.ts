/** Parity on a real stack that is there: publish, wait for the vectors, compare; then the scores. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  FIRST_MODEL_VERSION, prepare, type World,
} from '@millrace/cli'; // prettier-ignore
import { topicsOf } from '@millrace/contracts';
import type { MakeScorer } from '@millrace/model';
import { fraud } from '@millrace/pipelines';
import { runAgain } from './again.ts';
import { type Ends, endsOf } from './collect.ts';
import { FRAUD_COLUMNS } from './columns.ts';
import {
  compareColumns,
  type Comparison,
  type ParityResult,
  type ReferenceResult,
  type ScoreResult,
} from './compare.ts';
import { setChampion } from './control.ts';
import { judgeRows } from './dataset/run.ts';
import type { Days } from './days.ts';
import { type Candidate, givenModels, scoreOffline, shippedModel } from './models.ts';
import { gather } from './gather.ts';
import { startService } from './processes.ts';
import { readPublished, readReversedTies, readTransactions } from './read.ts';
import { compareWithReference, readReferenceScores, referenceOf } from './reference.ts';
import { compareScores } from './scores.ts';
import { skewOf } from './skew.ts';
import type { Vectors } from './vectors.ts';
import { recordedEpochs, whyDiffering } from './why.ts';

export interface ParityOptions {
  readonly world: World;
  readonly addresses: { readonly kafka: string; readonly registry: string; readonly postgres: string };
  /** Holds logs and the models that are asked. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly days: Days;
  /** Folder with ONNX files to ask beside the model that ships. */
  readonly models: string | undefined;
  /** False: features alone, no model is asked. */
  readonly asksModels: boolean;
  /** Folder with scores that others computed, or none. */
  readonly scores: string | undefined;
  /** How epochs are cut: by order time once everything is there, or as records arrive. */
  readonly epochs: 'replay' | 'live';
  /**
   * Live, times as fast as it happened, behind the days before, which are history then; undefined: all of it as fast as it
   * is acknowledged.
   */
  readonly speed: number | undefined;
  /** Longest that a paced stretch takes; undefined: to the end of its days. */
  readonly seconds: number | undefined;
  /** Whether a live stretch is run again with its recorded epochs. */
  readonly again: boolean;
  /** Whether the vectors that models were asked with are also verified, as `millrace features verify` does. */
  readonly verify: boolean;
  /** Whether the rows to train on are exported, twice, and judged by pandas. */
  readonly dataset: boolean;
  /** Whether that judge is also shown what it has to see. */
  readonly reds: boolean;
  /** State on disk, and at most so many MiB of entities in memory; undefined: all of it in memory. */
  readonly stateMb: number | undefined;
  /** Feature processes. */
  readonly processes: number;
  /** Seed of what goes wrong on purpose: duplicates, partitions one after another, processes killed; none without it. */
  readonly disturb: number | undefined;
  /** Whether what goes wrong includes processes killed. */
  readonly kills: boolean;
  /** Before every id, where the topics hold the same customers already. */
  readonly prefix: string;
  /** Asks models here, outside the service. */
  readonly makeScorer: MakeScorer;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const compare = ({ days }: ParityOptions, vectors: Vectors): Comparison => {
  const columns = Object.keys(FRAUD_COLUMNS);
  const places = Object.values(FRAUD_COLUMNS).map(name => vectors.names.indexOf(name));
  const comparison = compareColumns(columns, readPublished(days.features, columns), exceptedOf(days));
  for (let row = 0; row < vectors.rows; row++) {
    const values = vectors.row(row);
    comparison.add(
      vectors.sequence(row),
      places.map(at => values[at]!),
    );
  }
  return comparison;
};

/** Live, what differs is looked up in the epochs that were written down. */
const explain = async (
  { world, days, epochs }: ParityOptions,
  { differing }: Comparison,
  vectors: Vectors,
): Promise<ParityResult['why']> => {
  if (epochs === 'replay') return null;
  const ids = new Set(Array.from({ length: vectors.rows }, (_, row) => vectors.sequence(row)));
  return { rows: differing.size, ...whyDiffering(days, differing, ids, await recordedEpochs(world)) };
};

const exceptedOf = ({ ties }: Days): ReadonlySet<number> =>
  ties === undefined ? new Set() : readReversedTies(ties);

/** What the model says to the features as they are published, rounded. */
const askPublished = async (
  { days, makeScorer }: ParityOptions,
  model: Candidate,
  ids: readonly number[],
): Promise<Float32Array> => {
  const published = readPublished(days.features, Object.keys(FRAUD_COLUMNS));
  const wanted = new Set(ids);
  const amounts = new Map<number, number>();
  for (const { id, amount } of readTransactions(days.raw)) if (wanted.has(id)) amounts.set(id, amount);
  // In the order of the set: the amount, then the features as the published columns have them.
  const none = Array.from(Object.keys(FRAUD_COLUMNS), () => Number.NaN);
  const rows = ids.flatMap(id => [amounts.get(id) ?? Number.NaN, ...(published.get(id) ?? none)]);
  return scoreOffline(makeScorer, model, ids.length, Float32Array.from(rows));
};

const compareModels = async (
  options: ParityOptions,
  from: Ends,
  vectors: Vectors,
): Promise<Record<string, ScoreResult | ReferenceResult>> => {
  const { world, models, makeScorer, signal, say, directory } = options;
  const reference = options.scores === undefined ? undefined : readReferenceScores(options.scores);
  const folder = join(directory, 'models');
  mkdirSync(folder, { recursive: true });
  const shipped = await shippedModel(folder, fraud, FIRST_MODEL_VERSION);
  const given: readonly Candidate[] =
    models === undefined ? [] : await givenModels(makeScorer, models, folder, fraud, vectors);
  const run = {
    world, pipeline: fraud, vectors, from, makeScorer, signal, startInference: () => startService(options, 'inference', options.directory),
  }; // prettier-ignore
  const scores: Record<string, ScoreResult | ReferenceResult> = {};
  try {
    for (const model of [shipped, ...given]) {
      say(`Scoring ${vectors.rows} vectors with ${model.name}:`);
      const { result, served } = await compareScores(run, model);
      const expected = reference && referenceOf(reference, model.name);
      scores[model.name] =
        expected === undefined
          ? result
          : {
              ...(await compareWithReference({
                reference: expected,
                inTest: reference!.inTest,
                excepted: exceptedOf(options.days),
                vectors,
                served,
                rawFiles: options.days.raw,
                askPublished: ids => askPublished(options, model, ids),
              })),
              offline: result,
            };
    }
  } finally {
    await setChampion(world, fraud, shipped);
  }
  return scores;
};

/** The stack is left as it is, the champion is the shipped model again. */
export const runParity = async (options: ParityOptions): Promise<ParityResult> => {
  const { world, days, say } = options;
  await prepare(world, [fraud], () => FIRST_MODEL_VERSION);
  const { features, aside } = topicsOf(fraud);
  const from = await endsOf(world, [features, aside]);
  say(`Publishing ${days.raw.length} days; ${days.from} to ${days.to} are compared.`);
  const room = [...readTransactions(days.raw)].length;
  const { vectors, figures } = await gather(options, from, room);
  const comparison = compare(options, vectors);
  const compared = comparison.result();
  say(`${vectors.rows} vectors are there; compared ${compared.rows} rows.`);
  const why = await explain(options, comparison, vectors);
  const again = options.again ? await runAgain(options, from) : null;
  const scores = options.asksModels ? await compareModels(options, from, vectors) : {};
  const skew = options.verify ? await skewOf(options) : null;
  const dataset = options.dataset ? await judgeRows(options) : null;
  return {
    ...compared,
    epochs: options.epochs,
    ...figures,
    doubled: vectors.doubled,
    why,
    skew,
    dataset,
    again,
    scores,
  };
};
