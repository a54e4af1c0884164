/** What is pushed beside predictions to topics of their own, by the definition's rules. */
import type { Field, RecordCodec } from '@millrace/avro';
import { type FeaturesValue, PREDICTION_ID_DIGITS, type PushValue, topicsOf } from '@millrace/contracts';
import {
  compileCondition,
  compileExpression,
  type Evaluate,
  type Pipeline,
  PUSH_TEXT_CHARACTERS_MAX,
  type Value,
} from '@millrace/define';
import type { Outcomes } from '@millrace/stream';
import type { Metrics } from '@millrace/telemetry';
import type { BatchOfAnswers } from './answer.ts';
import { environmentOf, type InHand } from './inHand.ts';
import type { PredictionOutputs } from './laneOptions.ts';
import type { RowFields } from './predictionOwn.ts';

/** By the name of the push. */
export type PushCodecs = ReadonlyMap<string, RecordCodec<PushValue>>;
export type PushOutput = `push:${string}`;

/** One record that goes with a prediction. */
export interface Pushed {
  readonly name: string;
  /** Undefined: the entity's. */
  readonly key: Uint8Array | undefined;
  readonly bytes: Uint8Array;
  /** Values that could not be worked out. */
  readonly unknown: number;
}

/** Beyond it a record goes without its values: its prediction goes to a broker that takes no more than a megabyte. */
export const PUSH_BYTES_MAX = 262_144;

type ValueType = 'double' | 'string' | 'boolean';
type Known = PushValue['values'][string];

interface Rule {
  readonly name: string;
  readonly codec: RecordCodec<PushValue>;
  readonly holds: (of: InHand) => boolean;
  readonly key: Evaluate<InHand> | undefined;
  readonly values: readonly {
    readonly name: string;
    readonly type: ValueType;
    readonly of: Evaluate<InHand>;
  }[];
}

/** Why a value cannot stand in the record; undefined where it can. */
const whyNot = (type: ValueType, value: Value): string | undefined => {
  if (Number.isNaN(value)) return 'missing, or resting on something missing';
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : 'neither true nor false';
  if (type === 'double') {
    if (typeof value === 'string') return 'text, not a number';
    return Number.isFinite(Number(value)) ? undefined : 'not finite';
  }
  if (typeof value !== 'string') return 'not text';
  return value.length > PUSH_TEXT_CHARACTERS_MAX
    ? `of ${value.length} characters, more than ${PUSH_TEXT_CHARACTERS_MAX}`
    : undefined;
};

/** Text and whole numbers are keys as they are written. */
const keyOf = (value: Value): string | undefined => {
  const text = typeof value === 'number' && !Number.isFinite(value) ? '' : String(value);
  return text === '' || text.length > PUSH_TEXT_CHARACTERS_MAX ? undefined : text;
};

/** What of the envelope stands in the vector. */
const VECTOR_SAYS = [
  'eventId', 'revision', 'sequence', 'entity', 'eventTime', 'late', 'sourceTopic', 'sourcePartition', 'sourceOffset', 'traceparent',
] as const satisfies readonly (keyof FeaturesValue & keyof PushValue)[]; // prettier-ignore

/** Works out, for each answer, what is pushed. An expression that gives nothing is a missing value with its reason. */
export class PushWriter {
  readonly #rules: readonly Rule[];
  readonly #vectorSays: readonly (readonly [name: string, field: Field])[];
  readonly #runId: Field;
  readonly #late: Field;

  constructor(pipeline: Pipeline, features: RecordCodec<FeaturesValue>, codecs: PushCodecs) {
    const env = environmentOf(pipeline, features.rows);
    this.#runId = features.rows.field('runId');
    this.#late = features.rows.field('late');
    this.#vectorSays = VECTOR_SAYS.map(name => [name, features.rows.field(name)]);
    this.#rules = Object.entries(pipeline.pushes).map(([name, { when, key, fields }]): Rule => {
      const codec = codecs.get(name)!;
      return {
        name,
        codec,
        holds: when === undefined ? () => true : compileCondition(when, env),
        key: key && compileExpression(key, env),
        values: Object.entries(fields).map(([field, e]) => {
          const [, type] = codec.rows.field(`values.${field}`).place.type.schema() as [string, ValueType];
          return { name: field, type, of: compileExpression(e, env) };
        }),
      };
    });
  }

  /** @param hand with outputs and business figures. @param run whose answers they are; undefined: the vector says it */
  of(
    batch: BatchOfAnswers,
    hand: InHand,
    fields: RowFields & { readonly run: string | undefined },
  ): readonly Pushed[] {
    const { decision, routed, run } = fields;
    const { route, review } = routed;
    const read = (field: Field) => batch.vectors.read(field, hand.row);
    const runId = run ?? (read(this.#runId) as string);
    hand.answer = {
      decision,
      route,
      review,
      fallback: batch.by.fallback,
      runId,
      late: read(this.#late) as boolean,
    };
    const holding = this.#rules.filter(rule => rule.holds(hand));
    if (holding.length === 0) return [];
    const envelope = this.#envelope(batch, hand.row, { ...fields, runId });
    return holding.map(rule => this.#pushed(rule, hand, envelope));
  }

  #pushed({ name, codec, key, values }: Rule, hand: InHand, envelope: Envelope): Pushed {
    const known: Record<string, Known> = {};
    const unknown: string[] = [];
    for (const { name: field, type, of } of values) {
      const value = of(hand);
      const reason = whyNot(type, value);
      known[field] = reason !== undefined ? null : type === 'double' ? Number(value) : value;
      if (reason !== undefined) unknown.push(`${field}: ${reason}`);
    }
    const text = key && keyOf(key(hand));
    if (key !== undefined && text === undefined) unknown.push('key: missing, empty or too long');
    const keyBytes = text === undefined ? undefined : Buffer.from(text);
    let bytes = codec.encode({ ...envelope, values: known, unknown });
    if (bytes.length > PUSH_BYTES_MAX) {
      unknown.push(`every value: the record would have ${bytes.length} bytes, more than ${PUSH_BYTES_MAX}`);
      const none = Object.fromEntries(values.map(({ name: field }) => [field, null]));
      bytes = codec.encode({ ...envelope, values: none, unknown });
    }
    return { name, key: keyBytes, bytes, unknown: unknown.length };
  }

  #envelope(
    { vectors, by, inForce, scoredAt }: BatchOfAnswers,
    row: number,
    { ids, decision, routed, runId }: RowFields & { readonly runId: string },
  ): Envelope {
    const said = Object.fromEntries(
      this.#vectorSays.map(([name, field]) => [name, vectors.read(field, row)]),
    ) as unknown as Pick<FeaturesValue, (typeof VECTOR_SAYS)[number]>;
    const { model, modelVersion, modelDigest, fallback } = by;
    const { controlRevision } = inForce;
    const { route, routeVersion, review } = routed;
    const id = row * PREDICTION_ID_DIGITS;
    const predictionId = Buffer.from(ids.bytes.subarray(id, id + PREDICTION_ID_DIGITS)).toString('latin1');
    const own = { predictionId, scoredAt, decision, model, modelVersion, modelDigest, controlRevision, route, routeVersion, review, fallback, runId };
    return { ...said, ...own };
  } // prettier-ignore
}

type Envelope = Omit<PushValue, 'values' | 'unknown'>;

/** @param open opens what is written to a topic of the pipeline */
export const openPushCodecs = async (
  pipeline: Pipeline,
  open: (pipeline: Pipeline, topic: string) => Promise<RecordCodec<PushValue>>,
): Promise<PushCodecs> => {
  const codecs = new Map<string, RecordCodec<PushValue>>();
  for (const [name, topic] of Object.entries(topicsOf(pipeline).pushes))
    codecs.set(name, await open(pipeline, topic));
  return codecs;
};

/** Outputs of a processor; values come as bytes. */
export const pushOutputs = (pipeline: Pipeline): Record<PushOutput, { readonly topic: string }> =>
  Object.fromEntries(
    Object.entries(topicsOf(pipeline).pushes).map(([name, topic]) => [`push:${name}` as const, { topic }]),
  );

/** Hands a push to be committed with its prediction, and with the offset that closes the vector. */
export const emitPush = (
  out: Outcomes<PredictionOutputs>,
  i: number,
  entity: Uint8Array,
  { name, key, bytes, unknown }: Pushed,
  { metrics, pipeline }: { readonly metrics: Metrics; readonly pipeline: string },
): void => {
  out.emitFor(i, `push:${name}`, key ?? entity, bytes);
  if (unknown > 0) metrics.count('millrace_push_values_unknown_total', { pipeline, push: name }, unknown);
};
