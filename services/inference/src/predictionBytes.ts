/**
 * A prediction as bytes, put together of three kinds of parts, in the order of its schema: what the vector says is
 * copied from the vector's bytes (fields that follow each other there, together), what rows of a batch have in common is
 * encoded once for them (fields that follow each other, together), and what is a row's own is written as it comes.
 */
import { encodeAlike, type Field, FRAME_BYTES, type RecordCodec, writeFrame } from '@millrace/avro';
import { type FeaturesValue, PREDICTION_ID_DIGITS, type PredictionValue } from '@millrace/contracts';
import { type Engine, hashFeatureSet, type Pipeline } from '@millrace/define';
import type { BytesPlace, SharedBytes } from '@millrace/stream';
import type { SharedField } from './answer.ts';
import { copy, copyAll, NOTHING, putLong, putText, type Room, type Source, sourceOf } from './bytes.ts';
import { hasType, sameNames, textKpis } from './predictionSchema.ts';
import type { Routed } from './routing.ts';
import type { Vectors } from './vectors.ts';

/** What is a row's own, or that of many rows of its batch. */
export interface RowFields {
  /** Of all rows of the batch, `PREDICTION_ID_DIGITS` characters each. */
  readonly ids: Source;
  readonly outputs: readonly number[];
  readonly decision: string;
  readonly kpis: readonly (number | string | undefined)[];
  readonly vectorOffset: number;
  readonly routed: Routed;
  /** What the model ran on; null where none did. */
  readonly engine: Engine | null;
  readonly stale: boolean;
}

const COPIED: ReadonlySet<string> = new Set<keyof FeaturesValue & keyof PredictionValue>([
  'eventId', 'revision', 'sequence', 'entity', 'eventTime', 'appendTime', 'late', 'sourceTopic', 'sourcePartition', 'sourceOffset',
  'inputHash', 'runId', 'traceparent', 'features',
]); // prettier-ignore

/** What is written row by row. */
const OWN = ['predictionId', 'outputs', 'decision', 'kpis', 'vectorOffset', 'stale'] as const;
type Own = (typeof OWN)[number];
const isOwn = (name: string): name is Own => (OWN as readonly string[]).includes(name);

type Shared = Readonly<Record<SharedField, unknown>>;

type Point = Field['place']['start'];

/** Of one shape, whatever its kind: the loop over them is the hottest one there is. */
interface Part {
  readonly kind: 'copied' | 'steady' | Own;
  readonly from: Point;
  to: Point;
  /** Fields of a steady part. */
  readonly names: string[];
  /** What was encoded last, and of which values. */
  values: readonly unknown[];
  source: Source;
}

const NOWHERE: Point = { slot: 0, bytes: 0 };

const partOf = (kind: Part['kind'], names: string[] = [], from = NOWHERE, to = NOWHERE): Part => ({
  kind,
  from,
  to,
  names,
  values: [],
  source: NOTHING,
});

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
const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;
/** Keys that are longer in the mean take a second piece of memory. */
const KEY_BYTES_ABOUT = 32;

/** Where a prediction was written. */
export type Place = { -readonly [K in keyof SharedBytes]: SharedBytes[K] };

export class PredictionBytes {
  readonly #predictions: RecordCodec<PredictionValue>;
  readonly #frame: Source;
  readonly #slots: number;
  readonly #parts: readonly Part[];
  readonly #decisions: ReadonlyMap<string, Source>;
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
    this.#decisions = new Map(['', ...pipeline.decisions.map(({ name }) => name)].map(encoded));
    this.#parts = this.#partsOf(features, ofOneRun);
    const idBytes = predictions.encodeField('predictionId', '0'.repeat(PREDICTION_ID_DIGITS)).length;
    this.#ownBytesMax =
      FRAME_BYTES +
      idBytes +
      Math.max(...[...this.#decisions.values()].map(({ bytes }) => bytes.length)) +
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

  #partsOf({ rows }: RecordCodec<FeaturesValue>, ofOneRun: boolean): readonly Part[] {
    const { fieldNames, rows: written } = this.#predictions;
    const parts: Part[] = [];
    for (const name of fieldNames) {
      const last = parts.at(-1);
      if (isOwn(name)) parts.push(partOf(name));
      else if (COPIED.has(name) && !(ofOneRun && name === 'runId')) {
        const field = rows.field(name);
        if (!encodeAlike(field, written.field(name)))
          throw new TypeError(`field '${name}' is one thing in the vector and another in the prediction`);
        const { start, end } = field.place;
        if (last?.kind === 'copied' && isSamePoint(last.to, start)) last.to = end;
        else parts.push(partOf('copied', [], start, end));
      } else if (last?.kind === 'steady') last.names.push(name);
      else parts.push(partOf('steady', [name]));
    }
    return parts;
  }

  /** Writes predictions of one batch, each once. @throws TypeError naming a field that does not fit */
  begin(
    vectors: Vectors,
    shared: Shared,
    room: Room,
  ): (row: number, key: Readonly<BytesPlace>, fields: RowFields, place: Place) => void {
    const parts = this.#parts;
    const frame = this.#frame;
    const { memories, starts } = vectors;
    const known: Steady[] = [];
    let steady: Steady | undefined;
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
      const memory = memories[row]!;
      const base = row * this.#slots;
      const keyAt = room.end;
      for (let i = 0; i < keyBytes; i++) into[keyAt + i] = key.bytes[key.from + i]!;
      const valueAt = keyAt + keyBytes;
      let next = copy(frame, 0, FRAME_BYTES, target, valueAt);
      for (let k = 0; k < parts.length; k++) {
        const { kind, from, to } = parts[k]!;
        if (kind === 'copied')
          next = copy(memory, starts[base + from.slot]! + from.bytes, starts[base + to.slot]! + to.bytes, target, next); // prettier-ignore
        else if (kind === 'steady') next = copyAll(sources[k]!, target, next);
        else next = this.#putOwn(kind, row, fields, room, next);
      }
      room.end = next;
      place.bytes = into;
      place.keyAt = keyAt;
      place.valueAt = valueAt;
      place.end = next;
      place.lent = room.lent;
      room.lent!.add();
    };
  }

  #putOwn(name: Own, row: number, fields: RowFields, { into, target }: Room, to: number): number {
    switch (name) {
      case 'predictionId': {
        // As many bytes, and few enough that their number is a byte.
        into[to] = PREDICTION_ID_DIGITS * 2;
        const start = row * PREDICTION_ID_DIGITS;
        return copy(fields.ids, start, start + PREDICTION_ID_DIGITS, target, to + 1);
      }
      case 'outputs': {
        const { outputs } = fields;
        for (let k = 0; k < outputs.length; k++)
          target.words.setFloat32(to + k * FLOAT_BYTES, outputs[k]!, true);
        return to + outputs.length * FLOAT_BYTES;
      }
      case 'decision':
        return copyAll(this.#decisions.get(fields.decision)!, target, to);
      case 'kpis':
        return this.#putKpis(fields, into, target, to);
      case 'vectorOffset':
        return putLong(into, to, fields.vectorOffset);
      case 'stale':
    }
    into[to] = fields.stale ? 1 : 0;
    return to + 1;
  }

  #putKpis({ kpis }: RowFields, into: Buffer, { words }: Source, to: number): number {
    const isText = this.#isText;
    let next = to;
    for (let k = 0; k < isText.length; k++) {
      if (isText[k] === true) next = putText(into, next, kpis[k] as string | undefined);
      else {
        words.setFloat64(next, kpis[k] as number, true);
        next += DOUBLE_BYTES;
      }
    }
    return next;
  }

  /** @param known those of the batch, by route and engine: a handful */
  #steadyOf({ routed, engine }: RowFields, shared: Shared, known: Steady[]): Steady {
    const { route, routeVersion, review } = routed;
    // By content: at night each row brings a route of its own making.
    const same = known.find(({ engine: on, routed: by }) => on === engine && by.route === route && by.routeVersion === routeVersion && by.review === review); // prettier-ignore
    if (same !== undefined) return same;
    const values = { ...shared, ...this.#set, route, routeVersion, review, engine };
    const sources = this.#parts.map(part => (part.kind === 'steady' ? this.#encoded(part, values) : NOTHING));
    const bytesMax = sources.reduce((sum, { bytes }) => sum + bytes.length, this.#ownBytesMax);
    const made: Steady = { routed, engine, sources, bytesMax };
    known.push(made);
    return made;
  }

  /** Most of what a batch shares the batch before has shared, too: at a low rate a batch has a few rows. */
  #encoded(part: Part, values: Readonly<Record<string, unknown>>): Source {
    const { names, values: last } = part;
    let isSame = last.length > 0;
    for (let i = 0; isSame && i < names.length; i++) isSame = last[i] === values[names[i]!];
    if (!isSame) {
      const encoded = names.map(name => this.#predictions.encodeField(name, values[name]));
      part.source = sourceOf(Buffer.concat(encoded));
      // What could not be encoded is not taken for known.
      part.values = names.map(name => values[name]);
    }
    return part.source;
  }
}

const isSamePoint = (a: Point, b: Point): boolean => a.slot === b.slot && a.bytes === b.bytes;
