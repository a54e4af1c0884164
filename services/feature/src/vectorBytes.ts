/**
 * A vector as bytes, written field by field in the order of its schema, with no object between: what all vectors of a
 * set share is encoded once, the rest is written where it belongs. The bytes are those that the codec would write.
 */
import { FRAME_BYTES, type RecordCodec, ValueWriter, writeFrame } from '@millrace/avro';
import { type FeaturesValue, INPUT_HASH_DIGITS, InputHashes, LIVE } from '@millrace/contracts';
import { ageField } from '@millrace/define';
import { NEVER_HEARD } from '@millrace/features';
import { LentPieces, Pieces, type SharedBytes } from '@millrace/stream';
import type { Plan } from './plan.ts';
import type { Row } from './row.ts';

type Put = (out: ValueWriter, row: Row) => void;
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

/**
 * Fields of a vector, in the order in which they are written. Which of them is written how stands in `of` and not in a
 * table: a call through a table, one for each field, takes longer than what most of them do.
 */
const FIELDS = [
  'eventId', 'revision', 'sequence', 'entity', 'eventTime', 'appendTime', 'featureSet', 'featureSetHash', 'late', 'sourceTopic',
  'sourcePartition', 'sourceOffset', 'inputHash', 'runId', 'traceparent', 'viewAges', 'entityAges', 'event', 'features',
] as const; // prettier-ignore
/** A set without views has none. */
const OPTIONAL: ReadonlySet<string> = new Set(['viewAges', 'entityAges']);

/** Memory of vectors that is kept for later ones, bytes at most. */
const KEPT_BYTES_MAX = 16 * 1_048_576;
/** Of all pipelines of the process. */
const pieces = new Pieces(KEPT_BYTES_MAX);

/** Writes the vectors of one topic; all tasks of a process may share it. */
export class VectorBytes {
  readonly #plan: Plan;
  readonly #codec: RecordCodec<FeaturesValue>;
  readonly #frame = new Uint8Array(FRAME_BYTES);
  /** Version and hash of the feature set. */
  readonly #set: Uint8Array;
  readonly #live: Uint8Array;
  readonly #putViewAges: Put;
  readonly #putEntityAges: Put;
  readonly #putEvent: Put;
  readonly #putFeatures: Put;
  /** Where the last vector's event came from, as text and encoded: it is seldom another. */
  #sourceTopic: string | undefined;
  #sourceBytes = new Uint8Array(0);
  readonly #memory = new LentPieces(pieces);
  readonly #out = new ValueWriter(bytes => this.#memory.next(bytes));
  readonly #hashes = new InputHashes();

  /** @throws TypeError where the schema does not fit the feature set: our own defect */
  constructor(plan: Plan, codec: RecordCodec<FeaturesValue>) {
    this.#plan = plan;
    this.#codec = codec;
    writeFrame(this.#frame, codec.id);
    const there = codec.fieldNames;
    const expected = FIELDS.filter(name => there.includes(name) || !OPTIONAL.has(name));
    if (there.join() !== expected.join())
      throw new TypeError(`a vector has the fields ${there.join()}, and not ${expected.join()}`);
    const { version, hash } = plan.set;
    this.#set = Buffer.concat([
      codec.encodeField('featureSet', version),
      codec.encodeField('featureSetHash', hash),
    ]);
    this.#live = codec.encodeField('runId', LIVE);
    const ages = plan.set.stages.flatMap(({ views }) => views.map(ageField));
    this.#putViewAges = this.#agesPut('viewAges', ages, 0, 0);
    this.#putEntityAges = this.#agesPut('entityAges', ages, 1, NEVER_HEARD);
    this.#putEvent = this.#eventPut();
    this.#putFeatures = this.#featuresPut();
  }

  /**
   * The vector behind its key, which is its entity. Its bytes are all there once `settle` was called: hashes are made four
   * at a time. @throws TypeError naming a field that does not fit
   */
  of(row: Row, entity: string): SharedBytes {
    const out = this.#out;
    const { event } = row;
    out.begin();
    out.characters(entity);
    const keyBytes = out.length;
    out.raw(this.#frame);
    out.text(event.eventId);
    putInt(out, event.revision, 'revision');
    out.whole(event.sequence);
    out.text(entity);
    out.whole(event.time);
    out.whole(row.appendTimeMs);
    out.raw(this.#set);
    out.byte(row.late ? 1 : 0);
    out.raw(row.sourceTopic === this.#sourceTopic ? this.#sourceBytes : this.#sourceOf(row.sourceTopic));
    out.whole(event.partition);
    out.whole(event.offset);
    out.whole(INPUT_HASH_DIGITS);
    const hashAt = out.length;
    out.skip(INPUT_HASH_DIGITS);
    out.raw(this.#live);
    putOptionalText(out, row.traceparent);
    this.#putViewAges(out, row);
    this.#putEntityAges(out, row);
    this.#putEvent(out, row);
    this.#putFeatures(out, row);
    const bytes = out.length;
    const keyAt = out.leave();
    const { value } = row;
    this.#hashes.add(value.bytes, value.from, value.to, out.memory, keyAt + hashAt);
    const { lent } = this.#memory;
    lent.add();
    return { bytes: out.memory, keyAt, valueAt: keyAt + keyBytes, end: keyAt + bytes, lent };
  }

  /** To be called in the same stretch as `of`, before anybody reads what that gave. */
  settle(): void {
    this.#hashes.settle();
  }

  #sourceOf(topic: string): Uint8Array {
    this.#sourceTopic = topic;
    return (this.#sourceBytes = new Uint8Array(this.#codec.encodeField('sourceTopic', topic)));
  }

  /** @param which of the two numbers of a view; unknown where an older release had a part in the row */
  #agesPut(field: string, views: readonly string[], which: 0 | 1, unknown: number): Put {
    if (!this.#codec.fieldNames.includes(field)) return () => undefined;
    const places = this.#codec.rows.fieldsOf(field).map(({ name }) => 2 * views.indexOf(name) + which);
    const known = 2 * views.length;
    return (out, { ages }) => {
      for (let i = 0; i < places.length; i++)
        putInt(out, ages.length === known ? ages[places[i]!]! : unknown, field);
    };
  }

  /** Fields of the event, and what reference tables say of it. */
  #eventPut(): Put {
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
      for (let i = 0; i < puts.length; i++) {
        const { name, put, table } = puts[i]!;
        const of = table < 0 ? fields[name] : reference![table]!;
        put(out, table >= 0 && Number.isNaN(of) ? null : of);
      }
    };
  }

  #featuresPut(): Put {
    const { set } = this.#plan;
    const names = this.#codec.rows.fieldsOf('features').map(({ name, type }) => `${name} ${type.typeName}`);
    if (names.join() !== set.names.map(name => `${name} float`).join())
      throw new TypeError("field 'features' of a vector has other names than the feature set");
    // Avro's floats lie with their small end first, as in every machine that we run on.
    const floats = new Float32Array(set.names.length);
    const bytes = new Uint8Array(floats.buffer);
    const values = set.names.map(() => 0);
    return (out, row) => {
      set.doubles(row.event.fields, this.#partsOf(row), values);
      for (let i = 0; i < values.length; i++) floats[i] = values[i]!;
      out.raw(bytes);
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
