/** Predictions of a batch as bytes, put together of their parts (`predictionParts.ts`). */
import { FRAME_BYTES, type RecordCodec, writeFrame } from '@millrace/avro';
import { type FeaturesValue, PREDICTION_ID_DIGITS, type PredictionValue } from '@millrace/contracts';
import { type Engine, hashFeatureSet, type Pipeline } from '@millrace/define';
import type { BytesPlace, SharedBytes } from '@millrace/stream';
import type { SharedField } from './answer.ts';
import { copy, NOTHING, type Room, type Source, sourceOf } from './bytes.ts';
import { DOUBLE_BYTES, FLOAT_BYTES, ownWriters, type RowFields } from './predictionOwn.ts';
import { type Part, partsOf, partsWriter, type RowSources } from './predictionParts.ts';
import { hasType, sameNames, textKpis } from './predictionSchema.ts';
import type { Routed } from './routing.ts';
import type { Vectors } from './vectors.ts';

type Shared = Readonly<Record<SharedField, unknown>>;

/** What was encoded last of a steady part, and of which values. */
interface LastEncoded {
  values: readonly unknown[];
  source: Source;
}

/** Steady parts of the rows that took one route and ran on one engine. */
interface Steady {
  readonly routed: Routed;
  readonly engine: Engine | null;
  /** By part. */
  readonly sources: readonly Source[];
  /** Bytes of a row, but for its key and its vector, at most. */
  readonly bytesMax: number;
}

/** A business figure in words is a short one; longer, it is missing. */
export const KPI_TEXT_CHARACTERS_MAX = 128;
/** Of one UTF-16 unit, as UTF-8. */
const CHARACTER_BYTES_MAX = 3;
const LONG_BYTES_MAX = 10;
/** Keys that are longer in the mean take a second piece of memory. */
const KEY_BYTES_ABOUT = 32;

/** Where a prediction was written. */
export type Place = { -readonly [K in keyof SharedBytes]: SharedBytes[K] };

export class PredictionBytes {
  readonly #predictions: RecordCodec<PredictionValue>;
  readonly #frame: Source;
  readonly #slots: number;
  readonly #parts: readonly Part[];
  /** By part. */
  readonly #last: readonly LastEncoded[];
  readonly #write: ReturnType<typeof partsWriter>;
  /** Which business figures are text. */
  readonly #isText: readonly boolean[];
  /** Of the vectors that are answered: others are refused. */
  readonly #set: Pick<FeaturesValue, 'featureSet' | 'featureSetHash'>;
  /** Bytes of a row's own fields, and of the frame, at most. */
  readonly #ownBytesMax: number;

  /**
   * @param ofOneRun the run is shared by all of a batch, and not the vectors' own
   * @throws TypeError where the schemas do not fit each other, or the pipeline: our own defect
   */
  constructor(
    pipeline: Pipeline,
    features: RecordCodec<FeaturesValue>,
    predictions: RecordCodec<PredictionValue>,
    ofOneRun = false,
  ) {
    this.#predictions = predictions;
    this.#frame = sourceOf(new Uint8Array(FRAME_BYTES));
    writeFrame(this.#frame.bytes, predictions.id);
    this.#slots = features.rows.slots;
    this.#set = { featureSet: pipeline.features.version, featureSetHash: hashFeatureSet(pipeline) };
    const texts = textKpis(pipeline, predictions);
    this.#isText = Object.keys(pipeline.kpis).map(name => texts.has(name));
    this.#check(pipeline);
    const encoded = (name: string) => [name, sourceOf(predictions.encodeField('decision', name))] as const;
    const decisions = new Map(['', ...pipeline.decisions.map(({ name }) => name)].map(encoded));
    this.#parts = partsOf(features, predictions, ofOneRun);
    this.#last = this.#parts.map(() => ({ values: [], source: NOTHING }));
    this.#write = partsWriter(this.#parts, ownWriters(decisions, this.#isText));
    const idBytes = predictions.encodeField('predictionId', '0'.repeat(PREDICTION_ID_DIGITS)).length;
    this.#ownBytesMax =
      FRAME_BYTES +
      idBytes +
      Math.max(...[...decisions.values()].map(({ bytes }) => bytes.length)) +
      pipeline.model.outputs.length * FLOAT_BYTES +
      (this.#isText.length - texts.size) * DOUBLE_BYTES +
      texts.size * (1 + LONG_BYTES_MAX + KPI_TEXT_CHARACTERS_MAX * CHARACTER_BYTES_MAX) +
      LONG_BYTES_MAX + // The offset of the vector.
      1; // Whether it is stale.
  }

  /** That what we write by hand is what the schema has. */
  #check({ kpis, model: { outputs } }: Pipeline): void {
    const codec = this.#predictions;
    sameNames(codec, 'outputs', outputs);
    sameNames(codec, 'kpis', Object.keys(kpis));
    for (const name of outputs) hasType(codec, `outputs.${name}`, 'float');
    for (const [k, name] of Object.keys(kpis).entries())
      hasType(codec, `kpis.${name}`, this.#isText[k] === true ? 'union:unwrapped' : 'double');
    hasType(codec, 'vectorOffset', 'long');
    hasType(codec, 'stale', 'boolean');
  }

  /** Writes predictions of one batch, each once. @throws TypeError naming a field that does not fit */
  begin(
    vectors: Vectors,
    shared: Shared,
    room: Room,
  ): (row: number, key: Readonly<BytesPlace>, fields: RowFields, place: Place) => void {
    const write = this.#write;
    const frame = this.#frame;
    const { memories, starts } = vectors;
    const known: Steady[] = [];
    let steady: Steady | undefined;
    const from: RowSources = { memory: NOTHING, starts, base: 0, steady: [] };
    const bytesFrom = (first: number, bytesMax: number): number => {
      let bytes = (bytesMax + KEY_BYTES_ABOUT) * (vectors.length - first);
      for (let row = first; row < vectors.length; row++) bytes += vectors.size(row);
      return bytes;
    };
    return (row, key, fields, place) => {
      if (steady === undefined || steady.routed !== fields.routed || steady.engine !== fields.engine)
        steady = this.#steadyOf(fields, shared, known);
      const { sources, bytesMax } = steady;
      const keyBytes = key.to - key.from;
      // What is full is left for memory that all other rows fit in, unless their keys are longer than reckoned with.
      if (!room.has(keyBytes + vectors.size(row) + bytesMax)) room.renew(bytesFrom(row, bytesMax) + keyBytes);
      const { into, target } = room;
      const keyAt = room.end;
      for (let i = 0; i < keyBytes; i++) into[keyAt + i] = key.bytes[key.from + i]!;
      const valueAt = keyAt + keyBytes;
      from.memory = memories[row]!;
      from.base = row * this.#slots;
      from.steady = sources;
      const next = write(from, row, fields, room, copy(frame, 0, FRAME_BYTES, target, valueAt));
      room.end = next;
      place.bytes = into;
      place.keyAt = keyAt;
      place.valueAt = valueAt;
      place.end = next;
      place.lent = room.lent;
      room.lent.add();
    };
  }

  /** @param known those of the batch, by route and engine: a handful */
  #steadyOf({ routed, engine }: RowFields, shared: Shared, known: Steady[]): Steady {
    const { route, routeVersion, review } = routed;
    // By content: at night each row brings a route of its own making.
    const same = known.find(({ engine: on, routed: by }) => on === engine && by.route === route && by.routeVersion === routeVersion && by.review === review); // prettier-ignore
    if (same !== undefined) return same;
    const values = { ...shared, ...this.#set, route, routeVersion, review, engine };
    const sources = this.#parts.map((part, k) => (part.kind === 'steady' ? this.#encoded(part.names, this.#last[k]!, values) : NOTHING)); // prettier-ignore
    const bytesMax = sources.reduce((sum, { bytes }) => sum + bytes.length, this.#ownBytesMax);
    const made: Steady = { routed, engine, sources, bytesMax };
    known.push(made);
    return made;
  }

  /** Most of what a batch shares the batch before has shared, too: at a low rate a batch has a few rows. */
  #encoded(names: readonly string[], last: LastEncoded, values: Readonly<Record<string, unknown>>): Source {
    let isSame = last.values.length > 0;
    for (let i = 0; isSame && i < names.length; i++) isSame = last.values[i] === values[names[i]!];
    if (!isSame) {
      const encoded = names.map(name => this.#predictions.encodeField(name, values[name]));
      last.source = sourceOf(Buffer.concat(encoded));
      // What could not be encoded is not taken for known.
      last.values = names.map(name => values[name]);
    }
    return last.source;
  }
}
