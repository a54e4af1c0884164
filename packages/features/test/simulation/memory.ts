import type { CutterState, LiveStretch, SourceCutter } from '../../src/epochs/cutter.ts';
import type { EpochGatherer } from '../../src/epochs/gatherer.ts';
import type { LaneRecord, SimRow, Vector } from './world.ts';

/** What a task finds when it starts: everything that one transaction had committed. */
export interface Durable {
  /** Next offset of events, labels, second, last. */
  readonly offsets: readonly number[];
  readonly cutter: CutterState | undefined;
  readonly secondApplied: number;
  readonly lastApplied: number;
  readonly firstState: ReadonlyMap<number, number>;
  readonly secondState: ReadonlyMap<number, number>;
}

export interface Held {
  readonly input: number;
  readonly offset: number;
  readonly isMarker: boolean;
}

/** What a crash takes away. */
export interface Memory {
  readonly positions: number[];
  /** Open records of each input. */
  readonly open: Map<number, Held>[];
  readonly cutter: SourceCutter<{ row: SimRow; held: Held }>;
  readonly second: EpochGatherer<{ row: SimRow; held: Held }, Held>;
  readonly last: EpochGatherer<{ row: SimRow; held: Held }, Held>;
  readonly firstState: Map<number, number>;
  readonly secondState: Map<number, number>;
  readonly toSecond: { readonly partition: number; readonly record: LaneRecord }[];
  readonly toLast: { readonly partition: number; readonly record: LaneRecord }[];
  readonly vectors: Vector[];
  /** Written down with the next commit. */
  readonly stretches: LiveStretch[];
  cut: CutterState | undefined;
  headPublished: number;
  releasedPublished: number;
  paused: readonly boolean[];
}
