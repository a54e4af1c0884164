import {
  AHEAD_MS_MAX,
  type CompiledStage,
  type EntityState,
  type FoldEvent,
  Heard,
} from '@millrace/features';
import type { KeyedState, SkipReason, TaskContext } from '@millrace/stream';
import type { CachedEntity, EntityCache } from './entityCache.ts';
import { formatted, unformatted } from './format.ts';

/** What a stage found for one row: what it adds to the vector, or why the row ends here. */
export type Folding =
  | {
      readonly late: boolean;
      readonly features: readonly number[];
      /** Of the stage's views, as `agesOf` gives them. */
      readonly ages: readonly number[];
      readonly skip?: never;
    }
  | { readonly skip: SkipReason };

const NOTHING: readonly number[] = [];
/** Stored keys looked at for each entity that is written: more than one, so that all are met while events come. */
const SWEPT_PER_ENTITY = 2;
/** Event time is kept in whole hours, so that it is seldom written. */
const HOUR_MS = 3_600_000;

interface Entity extends CachedEntity {
  readonly state: EntityState;
  /** It holds nothing that no event from then on needs. */
  expiredMs: number;
}

type StageContext = Pick<TaskContext<never>, 'state' | 'signal'>;

/**
 * The views of one key in one task. Entities are put together from their chunks when they are asked for, and kept while
 * the cache has room; `flush` writes what changed.
 *
 * Chunks expire by event time: by the newest that the stage has folded, in whole hours, less the day that an event may
 * be ahead of its arrival. An entity that is folded into lets go of such chunks first, so it does not matter when the
 * sweep comes by those that nobody asks for any more.
 */
export class StageViews {
  readonly #stage: CompiledStage;
  readonly #state: KeyedState;
  readonly #cache: EntityCache;
  readonly #prefix: string;
  readonly #open = new Map<string, Entity>();
  /** Those that are touched, each once. */
  #touched: Entity[] = [];
  readonly #heard: Heard;
  #heardMore = false;
  #hours: number;
  #hoursKept: number;
  readonly #keep = (key: string, bytes: Uint8Array | null): void => {
    if (bytes === null) this.#state.delete(key);
    else this.#state.put(key, bytes);
  };
  readonly #kept = (key: string): Uint8Array | undefined => this.#state.get(key);

  constructor(stage: CompiledStage, { state, signal }: StageContext, cache: EntityCache) {
    this.#stage = stage;
    this.#state = state;
    this.#cache = cache;
    this.#prefix = `view\0${stage.key}\0`;
    this.#hours = this.#hoursKept = hoursIn(state.get(this.#hoursKey));
    this.#heard = new Heard(stage.heard, heardIn(state.get(this.#heardKey)));
    const letGo = (): void => {
      for (const entity of this.#open.values()) cache.remove(entity);
    };
    signal.addEventListener('abort', letGo, { once: true });
  }

  /** Whether an event that is about to be folded is older than what its key has seen, and comes for the first time. */
  comesLate(event: FoldEvent): boolean {
    return this.#stage.comesLate(this.#entityFor(event, this.#idOf(event)).state, event);
  }

  fold(event: FoldEvent): Folding {
    if (!this.#stage.streams.includes(event.stream)) return { late: false, features: NOTHING, ages: NOTHING };
    const id = this.#idOf(event);
    const entity = this.#entityFor(event, id);
    if (this.#heard.note(event)) this.#heardMore = true;
    const ages = this.#stage.agesOf(entity.state, event, this.#heard);
    const { admission, late, values } = this.#stage.fold(entity.state, event);
    if (admission === 'duplicate') return { skip: 'duplicate' };
    if (admission === 'superseded') return { skip: 'by-rule' };
    if (!entity.isTouched) {
      entity.isTouched = true;
      this.#touched.push(entity);
    }
    return { late, features: values ?? NOTHING, ages };
  }

  flush(): void {
    if (this.#touched.length === 0 && !this.#heardMore) return;
    for (const entity of this.#touched) {
      entity.state.eachDirtyChunk(this.#keep, this.#kept);
      entity.isTouched = false;
      this.#cache.resize(entity, entity.state.bytes);
    }
    if (this.#hours > this.#hoursKept)
      this.#state.put(this.#hoursKey, hoursOf((this.#hoursKept = this.#hours)));
    if (this.#heardMore) this.#state.put(this.#heardKey, heardOf(this.#heard));
    this.#heardMore = false;
    this.#sweep(this.#touched.length * SWEPT_PER_ENTITY);
    this.#touched = [];
    this.#cache.shrink();
  }

  get #expiryMs(): number {
    return this.#hours * HOUR_MS - AHEAD_MS_MAX;
  }

  get #heardKey(): string {
    return `heard\0${this.#stage.key}`;
  }

  get #hoursKey(): string {
    return `hours\0${this.#stage.key}`;
  }

  /** Deletes what nobody has asked for and no event will need. */
  #sweep(keys: number): void {
    for (const key of this.#state.nextKeys(this.#prefix, keys))
      if (this.#stage.neededUntil(key.slice(key.lastIndexOf('\0') + 1)) <= this.#expiryMs)
        this.#state.delete(key);
  }

  #idOf(event: FoldEvent): string {
    return String(event.fields[this.#stage.key]);
  }

  /** The event's entity, without what has expired by the event. */
  #entityFor(event: FoldEvent, id: string): Entity {
    this.#hours = Math.max(this.#hours, Math.floor(event.time / HOUR_MS));
    const entity = this.#entity(id);
    const expiryMs = this.#expiryMs;
    if (entity.expiredMs !== expiryMs) entity.state.expireBefore(expiryMs);
    // What is older comes to lie where all is let go next time.
    entity.expiredMs = event.time < expiryMs ? Number.NaN : expiryMs;
    return entity;
  }

  #entity(id: string): Entity {
    const open = this.#open.get(id);
    if (open === undefined) return this.#read(id);
    open.isUsed = true;
    return open;
  }

  /** Puts it together from its chunks. */
  #read(id: string): Entity {
    const group = `${this.#prefix}${id}\0`;
    const state = this.#stage.open(group);
    for (const [key, bytes] of this.#state.inGroup(group)) state.restoreChunk(key.slice(group.length), bytes);
    const evict = (): void => void this.#open.delete(id);
    const entity = {
      state,
      bytes: state.bytes,
      isUsed: true,
      isTouched: false,
      evict,
      expiredMs: Number.NaN,
    };
    this.#open.set(id, entity);
    this.#cache.add(entity);
    return entity;
  }
}

const heardOf = (heard: Heard): Uint8Array =>
  formatted(new TextEncoder().encode(JSON.stringify(heard.kept())));

const heardIn = (bytes: Uint8Array | undefined): Readonly<Record<string, number>> | undefined =>
  bytes === undefined
    ? undefined
    : (JSON.parse(new TextDecoder().decode(unformatted('what a stage has heard', bytes))) as Readonly<
        Record<string, number>
      >);

const hoursOf = (hours: number): Uint8Array => formatted(new TextEncoder().encode(String(hours)));

const hoursIn = (bytes: Uint8Array | undefined): number =>
  bytes === undefined
    ? Number.NEGATIVE_INFINITY
    : Number(new TextDecoder().decode(unformatted('the event time of a stage', bytes)));
