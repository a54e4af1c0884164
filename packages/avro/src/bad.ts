/** Why a value could not be used. One closed set, so that dead letters and metrics can count by it. */
export type BadReason =
  | 'bad-frame' // not magic byte 0 + 4-byte schema id
  | 'unknown-schema' // the registry answered that it has no such id
  | 'bad-value' // the bytes do not fit their writer schema, or a field breaks a rule
  | 'too-large' // a limit on size, depth or item count was passed
  | 'schema-mismatch'; // the writer's schema cannot be read with ours

/**
 * Bad data is a value: what a decoder or a check returns for input that can never be used.
 * A bad world (a lost broker, a silent registry) is an exception instead.
 */
export class Bad {
  readonly reason: BadReason;
  /** One sentence for a person: names the field, what kind of value was found, and the remedy. Never the value itself. */
  readonly message: string;
  /** Path of the failing field, where one is known: `lineage.source`. */
  readonly field: string | undefined;

  constructor(reason: BadReason, message: string, field?: string) {
    this.reason = reason;
    this.message = message;
    this.field = field;
  }
}
