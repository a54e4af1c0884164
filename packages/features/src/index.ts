export { ALLOWANCE_MS, type CompiledSet, type CompileOptions, compileSet } from './set/compile.ts';
export { foldInOrder, type Vector } from './set/fold.ts';
export type { CompiledStage, Folded } from './set/stage.ts';
export { EntityState } from './set/state.ts';
export { compareOrder, type FoldEvent, orderTime, readEvent } from './windows/event.ts';
export type { Admission } from './windows/timeline.ts';
