/** A batch of rows for one model: row-major float32, `rows * width` values, width = the manifest's input width. */
export interface Rows {
  readonly rows: number;
  readonly data: Float32Array;
}

export interface Scored {
  /** Row-major outputs in the manifest's output order: `rows * outputWidth` values. */
  readonly data: Float32Array;
  /** Time in the engine, without queueing, milliseconds. */
  readonly computeMs: number;
  /** Rows of the engine call, where batches shared one and this one tells of it; 0 where another does. Default: the batch's. */
  readonly callRows?: number;
}

/** A model that can be asked. The same port fits this thread, a worker thread and a child process. */
export interface Scorer {
  /**
   * Leaves `batch.data` as it was.
   * @throws ScoringError when the engine refuses the batch: the caller halves it until the bad row is alone.
   * @throws ScorerLost when nobody is there to answer: no other batch would fare better.
   */
  score(batch: Rows): Promise<Scored>;
  /** Execution provider that really runs (`cpu`, `cuda`). */
  readonly provider: string;
  /** Idempotent. Calls still open are answered first. */
  close(): Promise<void>;
}

/** The engine refused these rows. Some of them may be scored without the others. */
export class ScoringError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ScoringError';
  }
}

/** The engine is gone: closed, or its thread ended. */
export class ScorerLost extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ScorerLost';
  }
}
