/** How old what a view knows is when an event is folded, by event time alone, in whole seconds. */
import { agedViews, type Pipeline, streamsOfView } from '@millrace/define';
import { type FoldEvent, orderTime } from '../windows/event.ts';
import type { EntityState } from './state.ts';

const SECOND_MS = 1000;
/** What an Avro int holds: an event may claim to be of any time in the past. */
const AGE_SECONDS_MAX = 2 ** 31 - 1;
const secondOf = (ms: number): number => Math.floor(ms / SECOND_MS);

/** Said of an entity that the view has not heard of before. */
export const NEVER_HEARD = -1;

/**
 * Newest order time that a stage has folded of each stream beside the scored one, in whole seconds, so that it is seldom
 * kept anew. A stream that has said nothing yet counts from the first event that the stage has folded, of whatever stream.
 */
export class Heard {
  readonly #streams: readonly string[];
  readonly #seconds: Float64Array;

  /** @param kept what `kept` gave, by stream; a stream that it does not name has said nothing yet */
  constructor(streams: readonly string[], kept: Readonly<Record<string, number>> = {}) {
    this.#streams = streams;
    const begun = Object.values(kept);
    const first = begun.length === 0 ? Number.NaN : Math.min(...begun);
    this.#seconds = Float64Array.from(streams, name => kept[name] ?? first);
  }

  /** @returns whether anything changed */
  note(event: FoldEvent): boolean {
    if (this.#streams.length === 0) return false;
    const second = secondOf(orderTime(event));
    const isFirst = Number.isNaN(this.#seconds[0]);
    if (isFirst) this.#seconds.fill(second);
    const at = this.#streams.indexOf(event.stream);
    if (at < 0 || second <= this.#seconds[at]!) return isFirst;
    this.#seconds[at] = second;
    return true;
  }

  /** Seconds that a stream is behind that time; 0 where it is not. */
  behind(stream: string, timeMs: number): number {
    return Math.max(0, secondOf(timeMs) - this.#seconds[this.#streams.indexOf(stream)]!);
  }

  kept(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#streams.map((name, i) => [name, this.#seconds[i]!]));
  }
}

/**
 * Two numbers for each view of a stage, in its order. First, how far its streams other than the scored one are behind the
 * event; of several the farthest; 0 where there are none. Second, how long ago the entity was last heard of in the view
 * before this event, or `NEVER_HEARD`. None for an event that is not scored.
 */
export type AgesOf = (state: EntityState, event: FoldEvent, heard: Heard) => readonly number[];

const NONE: readonly number[] = [];

/** @param streams of the stage, in the order of an entity's timelines */
export const agesBy = (
  pipeline: Pipeline,
  key: string,
  streams: readonly string[],
): { readonly views: readonly string[]; readonly heard: readonly string[]; readonly agesOf: AgesOf } => {
  const views = agedViews(pipeline.features)
    .filter(view => view.key === key)
    .map(view => {
      const read = [...streamsOfView(view)];
      const others = read.filter(stream => stream !== pipeline.scores);
      return { name: view.name, others, timelines: read.map(stream => streams.indexOf(stream)) };
    });
  const blank: readonly number[] = views.flatMap(() => [0, 0]);
  return {
    views: views.map(({ name }) => name),
    heard: [...new Set(views.flatMap(({ others }) => others))],
    agesOf: (state, event, heard) => {
      if (event.stream !== pipeline.scores) return NONE;
      const ages = blank.slice();
      // By index: an iterator for each list would be most of what is allocated here.
      for (let v = 0; v < views.length; v++) {
        const { others, timelines } = views[v]!;
        let behind = 0;
        for (let i = 0; i < others.length; i++)
          behind = Math.max(behind, heard.behind(others[i]!, event.time));
        let newest = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < timelines.length; i++)
          newest = Math.max(newest, state.timelines[timelines[i]!]!.newestTime());
        const isNew = newest === Number.NEGATIVE_INFINITY;
        const since = isNew ? NEVER_HEARD : Math.max(0, secondOf(event.time - newest));
        ages[2 * v] = Math.min(behind, AGE_SECONDS_MAX);
        ages[2 * v + 1] = Math.min(since, AGE_SECONDS_MAX);
      }
      return ages;
    },
  };
};
