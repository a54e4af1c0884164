import type { RecordCodec } from '@millrace/avro';
import { type FeaturesValue, predictionId, type PredictionValue } from '@millrace/contracts';
import { compileCondition, compileNumber, compileText, type Engine, type Pipeline } from '@millrace/define';
import type { InForce } from './board.ts';
import { environmentOf, type InHand } from './inHand.ts';
import { KPI_TEXT_CHARACTERS_MAX, PredictionBytes, type RowFields, textKpis } from './predictionBytes.ts';
import { type PushCodecs, type Pushed, PushWriter } from './pushes.ts';
import type { Routed } from './routing.ts';
import type { Vectors } from './vectors.ts';

/** Who answered a row. The name is empty for a constant. */
export interface Answerer {
  readonly model: string;
  readonly modelVersion: string;
  readonly modelDigest: string;
  /** Why a fallback answered; null when the model in force did. */
  readonly fallback: string | null;
}

/** What all answers of one batch share. */
export interface BatchOfAnswers {
  readonly vectors: Vectors;
  readonly by: Answerer;
  /** What the model ran on for a row; null where none did. */
  readonly engineOf: (row: number) => Engine | null;
  readonly inForce: InForce;
  readonly scoredAt: number;
  readonly batchId: string;
}

/** One answer, as it is written. */
export interface Prediction {
  readonly bytes: Uint8Array;
  readonly decision: string;
  /** What goes to further topics with it. */
  readonly pushes: readonly Pushed[];
}

const ROLE = 'answer';
const NO_PUSHES: readonly Pushed[] = [];

type Rows = RecordCodec<FeaturesValue>['rows'];

/** What is the same in every prediction of a batch. */
const sharedFields = ({ by, inForce, scoredAt, batchId }: BatchOfAnswers, run: string | undefined) => ({
  scoredAt,
  model: by.model,
  modelVersion: by.modelVersion,
  modelDigest: by.modelDigest,
  controlRevision: inForce.controlRevision,
  arm: inForce.arm,
  role: ROLE,
  fallback: by.fallback,
  batchId,
  seq: 0,
  final: true,
  supersedes: null,
  // Asked for only where it is not copied from the vectors.
  runId: run,
});

export type SharedField = keyof ReturnType<typeof sharedFields>;

/** Turns answers into predictions. Decisions and business figures are compiled once; what the vector says is copied. */
export class PredictionWriter {
  readonly #pipeline: Pipeline;
  readonly #decisions: readonly { readonly name: string; readonly holds: (of: InHand) => boolean }[];
  readonly #kpis: readonly ((of: InHand) => number | string | undefined)[];
  readonly #pushes: PushWriter | undefined;
  readonly #bytes: PredictionBytes;
  readonly #id: readonly ReturnType<Rows['field']>[];
  readonly #run: string | undefined;

  /** @param run whose answers they are; without it: whose the vectors are */
  constructor(
    pipeline: Pipeline,
    features: RecordCodec<FeaturesValue>,
    predictions: RecordCodec<PredictionValue>,
    pushes: PushCodecs,
    run?: string,
  ) {
    const { rows } = features;
    this.#run = run;
    const env = environmentOf(pipeline, rows);
    this.#pipeline = pipeline;
    this.#decisions = pipeline.decisions.map(({ name, when }) => ({
      name,
      holds: when === undefined ? () => true : compileCondition(when, env),
    }));
    const texts = textKpis(pipeline, predictions);
    this.#kpis = Object.entries(pipeline.kpis).map(([name, of]) =>
      texts.has(name) ? compileText(of, env, KPI_TEXT_CHARACTERS_MAX) : compileNumber(of, env),
    );
    this.#pushes = pushes.size === 0 ? undefined : new PushWriter(pipeline, features, pushes);
    this.#bytes = new PredictionBytes(pipeline, features, predictions, run !== undefined);
    this.#id = ['eventId', 'revision', 'runId'].map(name => rows.field(name));
  }

  /** @param rows how many of the batch will be written at most */
  begin(
    batch: BatchOfAnswers,
  ): (
    row: number,
    outputs: readonly number[],
    vectorOffset: number,
    by: Routed,
    stale: boolean,
  ) => Prediction {
    const write = this.#bytes.begin(batch.vectors, sharedFields(batch, this.#run));
    const { vectors, inForce } = batch;
    const kpis: (number | string | undefined)[] = [];
    const { thresholds } = inForce;
    const hand: InHand = { vectors, row: 0, thresholds, outputs: [], kpis, answer: undefined };
    return (row, outputs, vectorOffset, { route, routeVersion, review }, stale) => {
      hand.row = row;
      hand.outputs = outputs;
      // Decisions may read business figures.
      for (let k = 0; k < this.#kpis.length; k++) kpis[k] = this.#kpis[k]!(hand);
      const decision = this.#decisions.find(one => one.holds(hand))?.name ?? '';
      const predictionId = this.#idOf(vectors, row);
      const fields: RowFields = {
        predictionId,
        outputs,
        decision,
        kpis,
        vectorOffset,
        route,
        routeVersion,
        review,
        engine: batch.engineOf(row),
        stale,
      };
      const bytes = write(row, fields);
      const pushes = this.#pushes?.of(batch, hand, { ...fields, run: this.#run }) ?? NO_PUSHES;
      return { bytes, decision, pushes };
    };
  }

  #idOf(vectors: Vectors, row: number): string {
    const [eventId, revision, runId] = this.#id;
    return predictionId(
      this.#pipeline.name,
      vectors.read(eventId!, row) as string,
      vectors.read(revision!, row) as number,
      this.#run ?? (vectors.read(runId!, row) as string),
      ROLE,
      0,
    );
  }
}
