/**
 * A vector as bytes, written field by field in the order of its schema, with no object between: what all vectors of a
 * set share is encoded once, the rest is written where it belongs. The bytes are those that the codec would write.
 */
import { FRAME_BYTES, type RecordCodec, ValueWriter, writeFrame } from '@millrace/avro';
import { type FeaturesValue, INPUT_HASH_DIGITS, InputHashes, LIVE } from '@millrace/contracts';
import { ageField } from '@millrace/define';
import { NEVER_HEARD } from '@millrace/features';
import { Lent, Pieces, type SharedBytes } from '@millrace/stream';
import type { Plan } from './plan.ts';
import type { Row } from './row.ts';

type Put = (out: ValueWriter, row: Row, entity: string) => void;
type PutValue = (out: ValueWriter, value: unknown) => void;

/** How a plain field's value is written; of others the type itself knows. */
const PLAIN: Readonly<Record<string, PutValue>> = {
  string: (out, value) => out.text(value as string),
  double: (out, value) => out.double(value as number),
  float: (out, value) => out.float(value as number),
  long: (out, value) => out.whole(value as number),
  boolean: (out, value) => out.byte(value === true ? 1 : 0),
};

const putInt = (out: ValueWriter, value: number, field: string): void => {
  if ((value | 0) !== value) throw new TypeError(`field '${field}' is no number that fits an int`);
  out.whole(value);
};

const putOptionalText = (out: ValueWriter, text: string | null): void => {
  out.byte(text === null ? 0 : 2);
  if (text !== null) out.text(text);
};

/** Memory of vectors that is kept for later ones, bytes at most. */
const KEPT_BYTES_MAX = 16 * 1_048_576;
/** Of all pipelines of the process. */
const pieces = new Pieces(KEPT_BYTES_MAX);

/** Writes the vectors of one topic; all tasks of a process may share it. */
export class VectorBytes {
  readonly #plan: Plan;
  readonly #codec: RecordCodec<FeaturesValue>;
  readonly #puts: readonly Put[];
  readonly #frame = new Uint8Array(FRAME_BYTES);
  /** Of the memory that is written to. */
  #lent: Lent | undefined;
  readonly #out = new ValueWriter(bytes => this.#piece(bytes));
  readonly #hashes = new InputHashes();
  /** Where the hash of the input stands in the vector that is being written. */
  #hashAt = 0;

  /** @throws TypeError where the schema does not fit the feature set: our own defect */
  constructor(plan: Plan, codec: RecordCodec<FeaturesValue>) {
    this.#plan = plan;
    this.#codec = codec;
    writeFrame(this.#frame, codec.id);
    const own = this.#own();
    const shared: Readonly<Record<string, unknown>> = {
      featureSet: plan.set.version,
      featureSetHash: plan.set.hash,
      runId: LIVE,
    };
    this.#puts = codec.fieldNames.map(name => {
      const put = own[name];
      if (put !== undefined) return put;
      if (!(name in shared)) throw new TypeError(`nothing is known of field '${name}' of a vector`);
      const bytes = codec.encodeField(name, shared[name]);
      return out => out.raw(bytes);
    });
  }

  /**
   * The vector behind its key, which is its entity. Its bytes are all there once `settle` was called: hashes are made four
   * at a time. @throws TypeError naming a field that does not fit
   */
  of(row: Row, entity: string): SharedBytes {
    const out = this.#out;
    out.begin();
    out.characters(entity);
    const keyBytes = out.length;
    out.raw(this.#frame);
    for (const put of this.#puts) put(out, row, entity);
    const bytes = out.length;
    const keyAt = out.leave();
    this.#hashes.add(row.value, 0, row.value.length, out.memory, keyAt + this.#hashAt);
    const lent = this.#lent!;
    lent.add();
    return { bytes: out.memory, keyAt, valueAt: keyAt + keyBytes, end: keyAt + bytes, lent };
  }

  /** To be called in the same stretch as `of`, before anybody reads what that gave. */
  settle(): void {
    this.#hashes.settle();
  }

  /** Goes on in other memory; what was written to is used again once all vectors in it are acknowledged. */
  #piece(bytes: number): Buffer {
    const piece = pieces.take(bytes);
    const before = this.#lent;
    this.#lent = new Lent(() => pieces.give(piece));
    // Held until it is left: more may be written in it when all that was is acknowledged.
    this.#lent.add();
    // What was begun in the one before is moved in the same stretch: nobody writes there until then.
    before?.acknowledged();
    return piece;
  }

  #own(): Readonly<Record<string, Put>> {
    const ages = this.#plan.set.stages.flatMap(({ views }) => views.map(ageField));
    return {
      eventId: (out, { event }) => out.text(event.eventId),
      revision: (out, { event }) => putInt(out, event.revision, 'revision'),
      sequence: (out, { event }) => out.whole(event.sequence),
      entity: (out, _, entity) => out.text(entity),
      eventTime: (out, { event }) => out.whole(event.time),
      appendTime: (out, { appendTimeMs }) => out.whole(appendTimeMs),
      late: (out, { late }) => out.byte(late ? 1 : 0),
      sourceTopic: (out, { sourceTopic }) => out.text(sourceTopic),
      sourcePartition: (out, { event }) => out.whole(event.partition),
      sourceOffset: (out, { event }) => out.whole(event.offset),
      inputHash: out => {
        out.whole(INPUT_HASH_DIGITS);
        this.#hashAt = out.length;
        out.skip(INPUT_HASH_DIGITS);
      },
      traceparent: (out, { traceparent }) => putOptionalText(out, traceparent),
      viewAges: this.#putAges('viewAges', ages, 0, 0),
      entityAges: this.#putAges('entityAges', ages, 1, NEVER_HEARD),
      event: this.#putEvent(),
      features: this.#putFeatures(),
    };
  }

  /** @param which of the two numbers of a view; unknown where an older release had a part in the row */
  #putAges(field: string, views: readonly string[], which: 0 | 1, unknown: number): Put {
    if (!this.#codec.fieldNames.includes(field)) return () => undefined;
    const places = this.#codec.rows.fieldsOf(field).map(({ name }) => 2 * views.indexOf(name) + which);
    const known = 2 * views.length;
    return (out, { ages }) => {
      for (const place of places) putInt(out, ages.length === known ? ages[place]! : unknown, field);
    };
  }

  /** Fields of the event, and what reference tables say of it. */
  #putEvent(): Put {
    const { set } = this.#plan;
    const puts = this.#codec.rows.fieldsOf('event').map(({ name, type }) => {
      const put: PutValue =
        type.typeName === 'int'
          ? (out, value) => putInt(out, value as number, `event.${name}`)
          : (PLAIN[type.typeName] ?? ((out, value) => out.raw(type.toBuffer(value))));
      return { name, put, table: set.reference.indexOf(name) };
    });
    return (out, row) => {
      const { fields } = row.event;
      const reference = set.reference.length === 0 ? undefined : set.referenceOf(this.#partsOf(row));
      for (const { name, put, table } of puts) {
        const of = table < 0 ? fields[name] : reference![table]!;
        put(out, table >= 0 && Number.isNaN(of) ? null : of);
      }
    };
  }

  #putFeatures(): Put {
    const { set } = this.#plan;
    const names = this.#codec.rows.fieldsOf('features').map(({ name, type }) => `${name} ${type.typeName}`);
    if (names.join() !== set.names.map(name => `${name} float`).join())
      throw new TypeError("field 'features' of a vector has other names than the feature set");
    return (out, row) => {
      const values = set.doubles(row.event.fields, this.#partsOf(row));
      for (let i = 0; i < values.length; i++) out.float(values[i]!);
    };
  }

  /** What each stage gave. */
  #partsOf({ features }: Row): readonly (readonly number[])[] {
    const { stages } = this.#plan.set;
    if (stages.length === 1) return [features];
    let at = 0;
    return stages.map(stage => features.slice(at, (at += stage.features.length)));
  }
}
