/** A bad world: the registry does not answer, or answers what it must not. */
export class RegistryUnavailable extends Error {
  /** The same call may succeed later. */
  readonly retriable: boolean;
  constructor(message: string, { cause, retriable = true }: { cause?: unknown; retriable?: boolean } = {}) {
    super(message, { cause });
    this.name = 'RegistryUnavailable';
    this.retriable = retriable;
  }
}

/** The registry refuses a schema for its subject. */
export class IncompatibleSchema extends Error {
  readonly subject: string;
  /** The registry's own words. */
  readonly reason: string;
  constructor(subject: string, reason: string) {
    super(`subject '${subject}' refuses the schema: ${reason}`);
    this.name = 'IncompatibleSchema';
    this.subject = subject;
    this.reason = reason;
  }
}

/** Our own schema is not registered: somebody has to deploy it first. */
export class SchemaNotRegistered extends Error {
  constructor(subject: string) {
    super(`our schema is not registered under subject '${subject}': run \`millrace schemas register\` first`);
    this.name = 'SchemaNotRegistered';
  }
}
