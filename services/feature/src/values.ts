import type { Epochs, FeaturesValue } from '@millrace/contracts';
import type { EpochParts } from '@millrace/features';

/** A decoded value of any input: an event of a stream, or what another stage sent. */
export type Inbound = Readonly<Record<string, unknown>>;

/** `schemas/millrace/repartition.avsc`: a row of an epoch, or a marker. Times are milliseconds since the epoch. */
export interface RepartitionValue {
  /** Task that wrote it. */
  readonly lane: number;
  readonly epoch: EpochParts;
  /** Null in a marker. */
  readonly row: RepartitionRow | null;
}

export interface RepartitionRow {
  readonly stream: string;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
  readonly appendTime: number;
  readonly late: boolean;
  /** What the stages so far gave, one behind the other. */
  readonly features: readonly number[];
  /** Of the views of the stages so far, two numbers each; fewer where an older release had a part in it. */
  readonly ages: readonly number[];
  readonly traceparent: string | null;
  /** The event's value as on its topic, with its frame. */
  readonly value: Uint8Array;
}

/** `schemas/millrace/progress.avsc`. */
export interface ProgressValue {
  readonly task: number;
  readonly head: EpochParts | null;
  readonly released: EpochParts | null;
}

/** Outputs of a task; `stage:<key>` leads to the stage of that key. */
export interface Outputs {
  readonly features: FeaturesValue;
  readonly aside: FeaturesValue;
  readonly release: RepartitionValue;
  readonly progress: ProgressValue;
  readonly epochs: Epochs;
  readonly [stage: `stage:${string}`]: RepartitionValue;
}
