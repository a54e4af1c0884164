export { ALLOWANCE_MS, type CompiledSet, type CompileOptions, compileSet } from './set/compile.ts';
export { foldInOrder, stageFolder, type Vector } from './set/fold.ts';
export { Heard, NEVER_HEARD } from './set/heard.ts';
export type { CompiledStage, Folded } from './set/stage.ts';
export { EntityState } from './set/state.ts';
export {
  AHEAD_MS_MAX,
  checkEvent,
  compareOrder,
  type EventInHand,
  eventInHand,
  type FoldEvent,
  orderTime,
  readEvent,
} from './windows/event.ts';
export { newerFormat } from './windows/format.ts';
export type { Admission } from './windows/timeline.ts';
export {
  type Cut,
  type CutterOptions,
  type CutterState,
  type Gathered,
  type LiveStretch,
  SourceCutter,
} from './epochs/cutter.ts';
export {
  type History,
  recordedHistory,
  type RecordedEnd,
  type RecordedOptions,
  replayHistory,
  type ReplayOptions,
} from './epochs/history.ts';
export { type Complete, EpochGatherer } from './epochs/gatherer.ts';
export {
  type Epoch,
  EPOCH_NONE,
  epochOf,
  type EpochParts,
  type EpochPhase,
  liveMiddleMs,
  partsOf,
} from './epochs/number.ts';
export { inReleaseOrder, type Newest, type Releasable, Releasing } from './epochs/release.ts';
