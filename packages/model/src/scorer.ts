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
}

/** A model that can be asked. The same port fits this thread, a worker thread and a child process. */
export interface Scorer {
  /** @throws ScoringError when the engine refuses the batch: the caller halves it until the bad row is alone. */
  score(batch: Rows): Promise<Scored>;
  /** Execution provider that really runs (`cpu`, `cuda`). */
  readonly provider: string;
  close(): Promise<void>;
}
