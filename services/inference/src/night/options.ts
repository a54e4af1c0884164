import type { Registry } from '@millrace/avro';
import type { Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { MakeScorer } from '@millrace/model';
import type { Broker } from '@millrace/stream';
import type { Clock, Metrics, Random } from '@millrace/telemetry';
import type { ModelSource } from '../models.ts';
import type { NightReport } from './record.ts';

export interface NightOptions {
  readonly pipeline: Pipeline;
  /** Pipelines whose live scoring goes before. */
  readonly yieldsTo: readonly Pipeline[];
  readonly broker: Broker;
  readonly registry: Registry;
  /** Folder of model folders, or another source of models. */
  readonly models: string | ModelSource;
  readonly makeScorer?: MakeScorer;
  /** Execution provider of the GPU that rules may choose; without it, every row is answered as the manifest says. */
  readonly gpu?: string;
  readonly run: string;
  /** Vectors appended before it, milliseconds since the epoch; without it: those that are there when it begins. */
  readonly asOfMs: number | undefined;
  /** Who starts it. */
  readonly by: string;
  /** Records that live scoring may be behind before the night waits. */
  readonly lagMax: number;
  readonly waitMsTotalMax: number;
  readonly sessionTimeoutMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Told how often and how long the stream was let by, and how many rows had another engine than their rule asks for. */
  readonly metrics: Metrics;
  readonly tell: (line: string) => void;
  readonly progressed: (progress: NightProgress) => void;
  readonly signal: AbortSignal;
}

export interface NightProgress {
  readonly done: number;
  readonly total: number;
}

export interface NightResult {
  readonly run: Run;
  readonly report: NightReport;
  /** It had been done before: nothing was scored now. */
  readonly wasDone: boolean;
}
