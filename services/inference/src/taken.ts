/** What a lane holds: runs whose rows wait, and the batch that was cut from them. */
import { Bad } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import type { InboundBatch, Outcomes } from '@millrace/stream';
import type { PredictionOutputs } from './laneOptions.ts';
import type { Stale } from './freshness.ts';
import type { Routed } from './routing.ts';
import type { VectorInput, Vectors } from './vectors.ts';

export interface Run {
  readonly batch: InboundBatch<FeaturesValue>;
  readonly out: Outcomes<PredictionOutputs>;
  readonly input: VectorInput;
  readonly atMs: number;
  readonly settled: PromiseWithResolvers<void>;
  next: number; // first row not yet taken
  open: number; // rows not yet closed
}

/** A batch that was cut: row r is record `at[r]` of run `runs[r]`, was routed by `routed[r]`, and is fresh or `stale[r]`. */
export interface Taken {
  readonly runs: Run[];
  readonly at: number[];
  readonly routed: Routed[];
  readonly stale: (Stale | undefined)[];
  readonly vectors: Vectors;
}

export const closed = (run: Run, rows: number): void => {
  run.open -= rows;
  if (run.open === 0) run.settled.resolve();
};

export const mismatch = (value: FeaturesValue | Bad | null): string =>
  value === null || value instanceof Bad
    ? 'the vector is of another feature set'
    : `the vector is of feature set v${value.featureSet}, hash ${value.featureSetHash}; the model needs another`;
