import type { CompiledStage, EntityState, FoldEvent } from '@millrace/features';
import type { SkipReason, KeyedState } from '@millrace/stream';

/** What a stage found for one row: what it adds to the vector, or why the row ends here. */
export type Folding =
  | { readonly late: boolean; readonly features: readonly number[]; readonly skip?: never }
  | { readonly skip: SkipReason };

const NOTHING: readonly number[] = [];

/**
 * The views of one key in one task: entities are put together from their chunks when they are first seen, and `flush`
 * writes what changed.
 */
export class StageViews {
  readonly #stage: CompiledStage;
  readonly #state: KeyedState;
  readonly #prefix: string;
  readonly #open = new Map<string, EntityState>();
  /** Keys of the chunks of entities that have not been seen since the start. */
  readonly #kept = new Map<string, string[]>();
  readonly #touched = new Set<string>();

  constructor(stage: CompiledStage, state: KeyedState) {
    this.#stage = stage;
    this.#state = state;
    this.#prefix = `view\0${stage.key}\0`;
    for (const [key] of state.entries()) {
      if (!key.startsWith(this.#prefix)) continue;
      const entity = key.slice(this.#prefix.length, key.lastIndexOf('\0'));
      const keys = this.#kept.get(entity);
      if (keys === undefined) this.#kept.set(entity, [key]);
      else keys.push(key);
    }
  }

  fold(event: FoldEvent): Folding {
    if (!this.#stage.streams.includes(event.stream)) return { late: false, features: NOTHING };
    const entity = String(event.fields[this.#stage.key]);
    const { admission, late, values } = this.#stage.fold(this.#entity(entity), event);
    if (admission === 'duplicate') return { skip: 'duplicate' };
    if (admission === 'superseded') return { skip: 'by-rule' };
    this.#touched.add(entity);
    return { late, features: values === undefined ? NOTHING : Array.from(values) };
  }

  flush(): void {
    for (const entity of this.#touched)
      for (const [chunk, bytes] of this.#entity(entity).dirtyChunks()) {
        const key = `${this.#prefix}${entity}\0${chunk}`;
        if (bytes === null) this.#state.delete(key);
        else this.#state.put(key, bytes);
      }
    this.#touched.clear();
  }

  #entity(entity: string): EntityState {
    const open = this.#open.get(entity);
    if (open !== undefined) return open;
    const state = this.#stage.open();
    for (const key of this.#kept.get(entity) ?? [])
      state.restoreChunk(key.slice(key.lastIndexOf('\0') + 1), this.#state.get(key)!);
    this.#kept.delete(entity);
    this.#open.set(entity, state);
    return state;
  }
}
