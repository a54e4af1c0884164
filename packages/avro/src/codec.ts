import type { Bad } from './bad.ts';
import type { Rows } from './rows.ts';

/**
 * Turns framed bytes of one topic into values and back. Values are plain objects in the shape of the reader
 * schema: `long` as number, `bytes`/`fixed` as Uint8Array, a nullable union as value or null.
 */
export interface Codec<T> {
  /**
   * Makes every writer schema named in these frames known, so that `decode` needs no waiting.
   * A null value (tombstone) is passed over; a bad frame is left for `decode` to name.
   * @throws RegistryUnavailable when the registry does not answer (a bad world).
   */
  prepare(values: Iterable<Uint8Array | null>): Promise<void>;
  /** Decodes one frame. Only ids seen by `prepare` are known; any other is an `unknown-schema`. Never throws for bad bytes. */
  decode(value: Uint8Array): T | Bad;
  /** As `decode`, of a frame that lies between others in the same bytes. A codec may do without. */
  decodeIn?(bytes: Uint8Array, from: number, to: number): T | Bad;
  /**
   * Encodes one value with its frame into bytes of its own. Like every small Buffer it may share its ArrayBuffer with
   * others (a fresh one costs ten times as much): copy it, do not transfer it.
   * @throws TypeError naming the field when the value does not fit: our own defect
   */
  encode(value: T): Uint8Array;
}

/** A codec of records that can also leave values in their bytes, and write them field by field. */
export interface RecordCodec<T> extends Codec<T> {
  /** Id of our schema: what values are framed with. */
  readonly id: number;
  /** Names of the fields, in the order of their bytes. @throws TypeError where values are no records */
  readonly fieldNames: readonly string[];
  /** @throws TypeError where values are no records */
  readonly rows: Rows;
  /** Encodes one field, without a frame. @throws TypeError naming the field when the value does not fit */
  encodeField(name: string, value: unknown): Uint8Array;
}

/** The schema registry as Millrace uses it; `confluentRegistry` and `memoryRegistry` pass one contract suite. */
export interface Registry {
  /** Schema text of an id, or undefined where the registry says there is none. @throws RegistryUnavailable */
  schemaById(id: number): Promise<string | undefined>;
  /** Id of exactly this schema under this subject, or undefined. @throws RegistryUnavailable */
  idOf(subject: string, schema: string): Promise<number | undefined>;
  /** Latest version of a subject, or undefined. @throws RegistryUnavailable */
  latest(subject: string): Promise<{ id: number; version: number; schema: string } | undefined>;
  /** Why the subject would refuse this schema, in the registry's words; undefined where it would take it. Changes nothing. */
  whyIncompatible(subject: string, schema: string): Promise<string | undefined>;
  /** Registers (idempotent: the same text has the same id). @throws IncompatibleSchema with the registry's reason */
  register(subject: string, schema: string): Promise<number>;
  /** Sets the compatibility rule new versions are held to: all subjects', or one subject's. */
  setCompatibility(level: 'BACKWARD' | 'BACKWARD_TRANSITIVE', subject?: string): Promise<void>;
}
