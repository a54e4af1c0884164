import type { Field, RecordCodec } from '@millrace/avro';
import { type FeaturesValue, PredictionIds, type PredictionValue } from '@millrace/contracts';
import { compileCondition, compileNumber, compileText, type Engine, type Pipeline } from '@millrace/define';
import type { BytesPlace } from '@millrace/stream';
import type { InForce } from './board.ts';
import { type Room, sourceOf } from './bytes.ts';
import { environmentOf, type InHand, thresholdsOf } from './inHand.ts';
import { KPI_TEXT_CHARACTERS_MAX, type Place, PredictionBytes } from './predictionBytes.ts';
import type { RowFields } from './predictionOwn.ts';
import { textKpis } from './predictionSchema.ts';
import { type PushCodecs, type Pushed, PushWriter } from './pushes.ts';
import type { Routed } from './routing.ts';
import { SameText, textStart, type Vectors } from './vectors.ts';

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

/** One answer, as it is written, with its key. */
export interface Prediction extends Readonly<Place> {
  readonly decision: string;
  /** What goes to further topics with it. */
  readonly pushes: readonly Pushed[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const ROLE = 'answer';
const NO_PUSHES: readonly Pushed[] = [];
const NO_ROUTE: Routed = { route: '', routeVersion: 0, to: 'stream', review: false };

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
  readonly #ids: PredictionIds;
  readonly #id: Readonly<Record<'eventId' | 'revision' | 'runId', Field>>;
  readonly #runs: SameText;
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
    this.#pipeline = pipeline;
    const env = environmentOf(pipeline, rows);
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
    this.#ids = new PredictionIds(pipeline.name, ROLE, 0);
    this.#id = {
      eventId: rows.field('eventId'),
      revision: rows.field('revision'),
      runId: rows.field('runId'),
    };
    this.#runs = new SameText(this.#id.runId);
  }

  /** @param room where they are written. @returns writes an answer, and says where in an object that is the next answer's, too */
  begin(
    batch: BatchOfAnswers,
    room: Room,
  ): (
    row: number,
    key: Readonly<BytesPlace>,
    outputs: readonly number[],
    vectorOffset: number,
    routed: Routed,
    stale: boolean,
  ) => Prediction {
    const write = this.#bytes.begin(batch.vectors, sharedFields(batch, this.#run), room);
    const { vectors, inForce } = batch;
    const kpis: (number | string | undefined)[] = [];
    const thresholds = thresholdsOf(this.#pipeline, inForce.thresholds);
    const hand: InHand = { vectors, row: 0, thresholds, outputs: [], kpis, answer: undefined };
    // One for all rows: what is made of it is bytes.
    const fields: Writable<RowFields> = {
      ids: sourceOf(this.#idsOf(vectors)), outputs: [], decision: '', kpis, vectorOffset: 0, routed: NO_ROUTE, engine: null, stale: false,
    }; // prettier-ignore
    const answer: Writable<Prediction> = {
      bytes: new Uint8Array(0), keyAt: 0, valueAt: 0, end: 0, lent: undefined, decision: '', pushes: NO_PUSHES,
    }; // prettier-ignore
    return (row, key, outputs, vectorOffset, routed, stale) => {
      hand.row = row;
      hand.outputs = outputs;
      // Decisions may read business figures.
      for (let k = 0; k < this.#kpis.length; k++) kpis[k] = this.#kpis[k]!(hand);
      fields.outputs = outputs;
      fields.decision = this.#decide(hand);
      fields.vectorOffset = vectorOffset;
      fields.routed = routed;
      fields.engine = batch.engineOf(row);
      fields.stale = stale;
      write(row, key, fields, answer);
      answer.decision = fields.decision;
      answer.pushes = this.#pushes?.of(batch, hand, { ...fields, run: this.#run }) ?? NO_PUSHES;
      return answer;
    };
  }

  #decide(hand: InHand): string {
    for (const { name, holds } of this.#decisions) if (holds(hand)) return name;
    return '';
  }

  #idsOf(vectors: Vectors): Uint8Array {
    const { eventId, revision } = this.#id;
    const { starts } = vectors;
    return this.#ids.of(vectors.length, (row, parts) => {
      const { bytes } = vectors.memories[row]!;
      const base = vectors.base(row);
      parts.bytes = bytes;
      parts.from = textStart(bytes, eventId.start(starts, base));
      parts.to = eventId.end(starts, base);
      parts.revision = vectors.read(revision, row) as number;
      parts.run = this.#run ?? this.#runs.read(vectors, row);
    });
  }
}
