import type { Deferred, FeaturesValue, PredictionValue, PushValue } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { InboundBatch } from '@millrace/stream';
import type { Clock, Logger, Metrics, Tracing } from '@millrace/telemetry';
import type { PredictionWriter } from './answer.ts';
import type { Board, InForce } from './board.ts';
import type { Displaced } from './engines.ts';
import type { PushOutput } from './pushes.ts';
import type { Routed } from './routing.ts';
import type { VectorReader, Vectors } from './vectors.ts';

export interface PredictionOutputs {
  readonly predictions: PredictionValue;
  /** Vectors that are put off until the night. */
  readonly deferred: Deferred;
  /** What is pushed beside predictions, by the name of the push. */
  readonly [push: PushOutput]: PushValue;
}

/** Where a row is answered, which is record `i` of its batch. */
export type ChooseRoute = (
  vectors: Vectors,
  row: number,
  inForce: InForce,
  from: { readonly batch: InboundBatch<FeaturesValue>; readonly i: number },
) => Routed;

export interface LaneOptions {
  readonly pipeline: Pipeline;
  readonly board: Pick<Board, 'choose' | 'smaller' | 'restore' | 'first' | 'notReady'>;
  /** Whether this lane answers the event that stands there; without it, all. */
  readonly owns?: (sourcePartition: number, sourceOffset: number) => boolean;
  readonly reader: VectorReader;
  readonly route: ChooseRoute;
  readonly writer: PredictionWriter;
  readonly displaced: Displaced;
  /** Name of this lane in batch ids: instance and task. */
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly logger: Logger;
}
