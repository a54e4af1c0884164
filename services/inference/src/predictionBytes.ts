/**
 * A prediction as bytes, put together of three kinds of parts, in the order of its schema: what the vector says is
 * copied from the vector's bytes (fields that follow each other there, together), what a batch shares is encoded once
 * for the batch, and what is a row's own is written as it comes.
 */
import { encodeAlike, type Field, FRAME_BYTES, type RecordCodec, writeFrame } from '@millrace/avro';
import { type FeaturesValue, PREDICTION_ID_DIGITS, type PredictionValue } from '@millrace/contracts';
import { type Engine, ENGINES, type Pipeline, ROUTE_NAME_CHARACTERS_MAX } from '@millrace/define';
import type { SharedBytes } from '@millrace/stream';
import type { SharedField } from './answer.ts';
import {
  copy,
  copyAll,
  Memories,
  NOTHING,
  putLong,
  putText,
  type Room,
  type Source,
  sourceOf,
} from './bytes.ts';
import { hasType, sameNames, textKpis } from './predictionSchema.ts';
import type { Vectors } from './vectors.ts';

/** What is a row's own. */
export interface RowFields {
  /** Hexadecimal digits that begin with the id. */
  readonly idDigest: string;
  readonly outputs: readonly number[];
  readonly decision: string;
  readonly kpis: readonly (number | string | undefined)[];
  readonly vectorOffset: number;
  readonly route: string;
  readonly routeVersion: number;
  readonly review: boolean;
  /** What the model ran on; null where none did. */
  readonly engine: Engine | null;
  readonly stale: boolean;
}

const COPIED: ReadonlySet<string> = new Set<keyof FeaturesValue & keyof PredictionValue>([
  'eventId', 'revision', 'sequence', 'entity', 'eventTime', 'appendTime', 'featureSet', 'featureSetHash', 'late', 'sourceTopic',
  'sourcePartition', 'sourceOffset', 'inputHash', 'runId', 'traceparent', 'features',
]); // prettier-ignore

type Shared = Readonly<Record<SharedField, unknown>>;
type Put = (into: Buffer, to: number, fields: RowFields, target: Source) => number;

type Point = Field['place']['start'];

/** What was encoded last, and of which values. */
interface Encoded {
  values: readonly unknown[];
  source: Source;
}

interface SharedPart {
  readonly kind: 'shared';
  readonly names: string[];
  readonly last: Encoded;
}

type Part =
  | { readonly kind: 'copied'; readonly from: Point; to: Point }
  | SharedPart
  | { readonly kind: 'own'; readonly put: Put };

/** A business figure in words is a short one; longer, it is missing. */
export const KPI_TEXT_CHARACTERS_MAX = 128;
/** Of one UTF-16 unit, as UTF-8. */
const CHARACTER_BYTES_MAX = 3;
/** Rules may change for as long as the process lives. */
const ROUTES_KEPT_MAX = 1_000;
const LONG_BYTES_MAX = 10;
/** `review` and `stale`, of a byte each. */
const FLAGS = 2;
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
  readonly #routes = new Map<string, Source>();
  readonly #parts: readonly Part[];
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
    const encoded = <T>(field: string, values: readonly T[]): ReadonlyMap<T, Source> =>
      new Map(values.map(value => [value, sourceOf(predictions.encodeField(field, value))]));
    const decisions = encoded('decision', ['', ...pipeline.decisions.map(({ name }) => name)]);
    const engines = encoded<Engine | null>('engine', [null, ...ENGINES]);
    const own = this.#ownParts(pipeline, decisions, engines);
    const parts: Part[] = [];
    for (const name of predictions.fieldNames) {
      const last = parts.at(-1);
      const put = own.get(name);
      if (put !== undefined) parts.push({ kind: 'own', put });
      else if (COPIED.has(name) && !(ofOneRun && name === 'runId')) {
        const field = features.rows.field(name);
        if (!encodeAlike(field, predictions.rows.field(name)))
          throw new TypeError(`field '${name}' is one thing in the vector and another in the prediction`);
        const { start, end } = field.place;
        if (last?.kind === 'copied' && isSamePoint(last.to, start)) last.to = end;
        else parts.push({ kind: 'copied', from: start, to: end });
      } else if (last?.kind === 'shared') last.names.push(name);
      else parts.push({ kind: 'shared', names: [name], last: { values: [], source: NOTHING } });
    }
    this.#parts = parts;
    const longest = (of: ReadonlyMap<unknown, Source>): number =>
      Math.max(...[...of.values()].map(({ bytes }) => bytes.length));
    const { outputs } = pipeline.model;
    const texts = textKpis(pipeline, predictions).size;
    const figures =
      outputs.length * FLOAT_BYTES +
      (Object.keys(pipeline.kpis).length - texts) * DOUBLE_BYTES +
      texts * (1 + LONG_BYTES_MAX + KPI_TEXT_CHARACTERS_MAX * CHARACTER_BYTES_MAX);
    const idBytes = predictions.encodeField('predictionId', '0'.repeat(PREDICTION_ID_DIGITS)).length;
    const routeBytesMax = predictions.encodeField('route', 'r'.repeat(ROUTE_NAME_CHARACTERS_MAX)).length;
    this.#ownBytesMax =
      FRAME_BYTES +
      idBytes +
      longest(decisions) +
      longest(engines) +
      figures +
      routeBytesMax +
      2 * LONG_BYTES_MAX +
      FLAGS;
  }

  #ownParts(
    pipeline: Pipeline,
    decisions: ReadonlyMap<string, Source>,
    engines: ReadonlyMap<Engine | null, Source>,
  ): ReadonlyMap<string, Put> {
    const codec = this.#predictions;
    const { outputs } = pipeline.model;
    const kpis = Object.keys(pipeline.kpis);
    sameNames(codec, 'outputs', outputs);
    sameNames(codec, 'kpis', kpis);
    const texts = textKpis(pipeline, codec);
    for (const name of outputs) hasType(codec, `outputs.${name}`, 'float');
    const isText = kpis.map(name => texts.has(name));
    for (const [k, name] of kpis.entries())
      hasType(codec, `kpis.${name}`, isText[k] === true ? 'union:unwrapped' : 'double');
    hasType(codec, 'review', 'boolean');
    hasType(codec, 'vectorOffset', 'long');
    hasType(codec, 'routeVersion', 'int');
    hasType(codec, 'stale', 'boolean');
    return new Map<keyof RowFields | 'predictionId', Put>([
      [
        'predictionId',
        (into, to, { idDigest }) => {
          // As many bytes, and few enough that their number is a byte.
          into[to] = PREDICTION_ID_DIGITS * 2;
          for (let i = 0; i < PREDICTION_ID_DIGITS; i++) into[to + 1 + i] = idDigest.charCodeAt(i);
          return to + 1 + PREDICTION_ID_DIGITS;
        },
      ],
      [
        'outputs',
        (into, to, fields) => {
          let next = to;
          for (const output of fields.outputs) next = into.writeFloatLE(output, next);
          return next;
        },
      ],
      ['decision', (_, to, { decision }, target) => copyAll(decisions.get(decision)!, target, to)],
      [
        'kpis',
        (into, to, fields) => {
          let next = to;
          for (let k = 0; k < isText.length; k++)
            next =
              isText[k] === true
                ? putText(into, next, fields.kpis[k] as string | undefined)
                : into.writeDoubleLE(fields.kpis[k] as number, next);
          return next;
        },
      ],
      ['vectorOffset', (into, to, { vectorOffset }) => putLong(into, to, vectorOffset)],
      ['route', (_, to, { route }, target) => copyAll(this.#routeBytes(route), target, to)],
      ['routeVersion', (into, to, { routeVersion }) => putLong(into, to, routeVersion)],
      [
        'review',
        (into, to, { review }) => {
          into[to] = review ? 1 : 0;
          return to + 1;
        },
      ],
      ['engine', (_, to, { engine }, target) => copyAll(engines.get(engine)!, target, to)],
      ['stale', (into, to, { stale }) => into.writeUInt8(Number(stale), to)],
    ]);
  }

  #routeBytes(route: string): Source {
    let source = this.#routes.get(route);
    if (source === undefined) {
      if (this.#routes.size >= ROUTES_KEPT_MAX) this.#routes.clear();
      this.#routes.set(route, (source = sourceOf(this.#predictions.encodeField('route', route))));
    }
    return source;
  }

  /** Writes predictions of one batch, each once; their bytes lie side by side. @throws TypeError naming a field that does not fit */
  begin(
    vectors: Vectors,
    shared: Shared,
    room: Room,
  ): (row: number, key: Uint8Array, fields: RowFields, place: Place) => void {
    const parts = this.#parts;
    const frame = this.#frame;
    const encoded: Source[] = [];
    let fixed = this.#ownBytesMax;
    for (const part of parts) {
      const source = part.kind === 'shared' ? this.#sharedOf(part, shared) : NOTHING;
      encoded.push(source);
      fixed += source.bytes.length;
    }
    const { values, starts } = vectors;
    const bytesFrom = (first: number): number => {
      let bytes = (fixed + KEY_BYTES_ABOUT) * (values.length - first);
      for (let row = first; row < values.length; row++) bytes += values[row]!.length;
      return bytes;
    };
    const all = bytesFrom(0);
    if (!room.has(all)) room.renew(all);
    const memories = new Memories();
    return (row, key, fields, place) => {
      const bytes = values[row]!;
      // Longer keys than were reckoned with: the rows that are left lie elsewhere.
      if (!room.has(key.length + bytes.length + fixed)) room.renew(bytesFrom(row) + key.length);
      const { into, target } = room;
      const memory = memories.of(bytes);
      const { byteOffset } = bytes;
      const base = row * this.#slots;
      const keyAt = room.end;
      for (let i = 0; i < key.length; i++) into[keyAt + i] = key[i]!;
      const valueAt = keyAt + key.length;
      let next = copy(frame, 0, FRAME_BYTES, target, valueAt);
      for (let k = 0; k < parts.length; k++) {
        const part = parts[k]!;
        if (part.kind === 'copied') {
          const { from, to } = part;
          next = copy(memory, byteOffset + starts[base + from.slot]! + from.bytes, byteOffset + starts[base + to.slot]! + to.bytes, target, next); // prettier-ignore
        } else if (part.kind === 'own') next = part.put(into, next, fields, target);
        else next = copyAll(encoded[k]!, target, next);
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

  /** Most of what a batch shares the batch before has shared, too: at a low rate a batch has a few rows. */
  #sharedOf({ names, last }: SharedPart, shared: Shared): Source {
    const values = shared as Readonly<Record<string, unknown>>;
    let isSame = last.values.length > 0;
    for (let i = 0; isSame && i < names.length; i++) isSame = last.values[i] === values[names[i]!];
    if (!isSame) {
      last.values = names.map(name => values[name]);
      const encoded = names.map((name, i) => this.#predictions.encodeField(name, last.values[i]));
      last.source = sourceOf(encoded.length === 1 ? encoded[0]! : Buffer.concat(encoded));
    }
    return last.source;
  }
}

const isSamePoint = (a: Point, b: Point): boolean => a.slot === b.slot && a.bytes === b.bytes;
