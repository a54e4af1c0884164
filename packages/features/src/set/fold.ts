import type { FoldEvent } from '../windows/event.ts';
import type { CompiledSet } from './compile.ts';
import type { CompiledStage, Folded } from './stage.ts';
import type { EntityState } from './state.ts';

/** An event of the scored stream with its vector. */
export interface Vector {
  readonly event: FoldEvent;
  /** In the set's order; missing is NaN. */
  readonly values: Float32Array;
  /** Values of reference tables, in the set's order; missing is NaN. */
  readonly reference: readonly number[];
  /** Older than an event that one of its keys had seen. */
  readonly late: boolean;
}

/** Folds events into one stage that has seen nothing, one after the other in the order given; it keeps all that it sees. */
export const stageFolder = (stage: CompiledStage): ((event: FoldEvent) => Folded) => {
  const states = new Map<string, EntityState>();
  return event => {
    const entity = String(event.fields[stage.key]);
    const state = states.get(entity) ?? stage.open();
    states.set(entity, state);
    const folded = stage.fold(state, event);
    state.forgetChanges();
    return folded;
  };
};

/**
 * Runs all stages of a set in this process, one event after the other in the order given: for files, training data and
 * comparisons. Sorted by `compareOrder` that is the ideal order, which a replay reproduces. Duplicates and withdrawn
 * events have no vector.
 */
export function* foldInOrder(set: CompiledSet, events: Iterable<FoldEvent>): Generator<Vector> {
  const folders = set.stages.map(stageFolder);
  for (const event of events) {
    const partials: (readonly number[])[] = [];
    let late = false;
    for (const fold of folders) {
      const folded = fold(event);
      late ||= folded.late;
      if (folded.values !== undefined) partials.push(folded.values);
    }
    if (event.stream === set.scores && partials.length === set.stages.length && !event.withdrawn)
      yield {
        event,
        values: set.finish(event.fields, partials),
        reference: set.referenceOf(partials),
        late,
      };
  }
}
