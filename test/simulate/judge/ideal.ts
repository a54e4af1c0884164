import {
  compareOrder,
  type CompiledSet,
  compileSet,
  type Epoch,
  type EntityState,
  type FoldEvent,
} from '@millrace/features';
import type { Pipeline } from '@millrace/define';
import { type KeyedState, murmur2Partition } from '@millrace/stream';
import { putNewest } from '../../../services/feature/src/book.ts';
import { type Evidence, placeOf } from './evidence.ts';

export interface IdealVector {
  readonly event: FoldEvent;
  readonly place: string;
  readonly values: Float32Array;
  readonly late: boolean;
  readonly epoch: Epoch;
}

/** What a fold in one place, one event after the other in the order of the recorded epochs, gives. */
export interface Ideal {
  /** By partition, in the order of release. */
  readonly features: readonly (readonly IdealVector[])[];
  readonly aside: readonly (readonly IdealVector[])[];
  /** By partition: state of the views and newest vectors, by the keys of the changelog. */
  readonly state: readonly ReadonlyMap<string, Uint8Array>[];
}

interface Row {
  readonly event: FoldEvent;
  readonly epoch: Epoch;
}

const partitionOf = (key: string, partitions: number): number =>
  murmur2Partition(new TextEncoder().encode(key), partitions);

/** The states of all entities of a set, in one place. */
class Fold {
  readonly #set: CompiledSet;
  readonly #states: readonly Map<string, EntityState>[];

  constructor(set: CompiledSet) {
    this.#set = set;
    this.#states = set.stages.map(() => new Map());
  }

  next({ event, epoch }: Row, topic: string): IdealVector | undefined {
    const set = this.#set;
    const partials: (readonly number[])[] = [];
    let late = false;
    set.stages.forEach((stage, s) => {
      const entity = String(event.fields[stage.key]);
      const state = this.#states[s]!.get(entity) ?? stage.open();
      this.#states[s]!.set(entity, state);
      const folded = stage.fold(state, event);
      late ||= folded.late;
      if (folded.values !== undefined) partials.push(folded.values);
    });
    if (event.stream !== set.scores || event.withdrawn || partials.length < set.stages.length)
      return undefined;
    const place = placeOf(topic, event.partition, event.offset);
    return { event, epoch, late, place, values: set.finish(event.fields, partials) };
  }

  keep(into: readonly Map<string, Uint8Array>[]): void {
    this.#set.stages.forEach((stage, s) => {
      for (const [entity, state] of this.#states[s]!)
        for (const [chunk, bytes] of state.dirtyChunks())
          if (bytes !== null)
            into[partitionOf(entity, into.length)]!.set(`view\0${stage.key}\0${entity}\0${chunk}`, bytes);
    });
  }
}

export function idealOf({ pipeline, world, inputs, sentOn }: Evidence): Ideal {
  const { partitions } = pipeline;
  const events = new Map(
    inputs.flatMap(({ source, event }) => (event === undefined ? [] : [[source, event] as const])),
  );
  const rows = sentOn.map(({ epoch, source }): Row => ({ epoch, event: events.get(source)! }));
  rows.sort((a, b) => a.epoch - b.epoch || compareOrder(a.event, b.event));
  const fold = new Fold(compileSet(pipeline));
  const vectors = rows.flatMap(row => fold.next(row, world.topics.events[row.event.stream]!) ?? []);
  const state = Array.from({ length: partitions }, () => new Map<string, Uint8Array>());
  fold.keep(state);
  const released = Array.from({ length: partitions }, (_, p) => releasedOf(vectors, p, pipeline, state[p]!));
  return {
    state,
    features: released.map(all => all.filter(({ aside }) => !aside).map(({ vector }) => vector)),
    aside: released.map(all => all.filter(({ aside }) => aside).map(({ vector }) => vector)),
  };
}

function releasedOf(
  vectors: readonly IdealVector[],
  partition: number,
  { entity: entityField, partitions }: Pipeline,
  state: Map<string, Uint8Array>,
) {
  // Those of a letter that was sent again too, although they first stood elsewhere.
  const mine = vectors.filter(
    ({ event }) => partitionOf(String(event.fields[entityField]), partitions) === partition,
  );
  // Not by the product's own function: a mistake in it would be taken for right.
  mine.sort(
    (a, b) => a.epoch - b.epoch || a.event.partition - b.event.partition || a.event.offset - b.event.offset,
  );
  const newest = new Map<string, { readonly eventTimeMs: number; readonly sequence: number }>();
  const all = mine.map(vector => {
    const { time, sequence, fields } = vector.event;
    const entity = String(fields[entityField]);
    const seen = newest.get(entity);
    const aside =
      seen !== undefined &&
      (time < seen.eventTimeMs || (time === seen.eventTimeMs && sequence < seen.sequence));
    if (!aside) newest.set(entity, { eventTimeMs: time, sequence });
    return { vector, aside };
  });
  // Written as the service writes it: what is judged is whose turn it was, not how that is spelt.
  const put = {
    put: (key: string, bytes: Uint8Array) => void state.set(key, new Uint8Array(bytes)),
  } as KeyedState;
  for (const [entity, seen] of newest) putNewest(put, entity, seen);
  return all;
}
