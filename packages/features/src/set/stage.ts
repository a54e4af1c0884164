import { type Aggregate, durationMs, type Pipeline } from '@millrace/define';
import { aggregateReader, looksBefore, type ReadAggregate } from '../windows/aggregate.ts';
import type { FoldEvent } from '../windows/event.ts';
import { type Layout, layoutOf } from '../windows/layout.ts';
import { endOfChunk } from '../windows/leaf.ts';
import type { Admission, Timeline } from '../windows/timeline.ts';
import { endOfWindows, Window, type WindowSpan } from '../windows/window.ts';
import { agesBy, type AgesOf } from './heard.ts';
import { EntityState } from './state.ts';

export interface Folded {
  readonly admission: Admission;
  /** Older than an event of the scored stream that this entity had seen. */
  readonly late: boolean;
  /**
   * The stage's features in its order, in double precision; NaN is missing. Present for an event of the scored stream
   * that was folded, unless it is withdrawn. One that has expired is answered as if it were its entity's first.
   */
  readonly values: readonly number[] | undefined;
}

/** The views of one entity key. */
export interface CompiledStage {
  /** Entity key field: events are keyed by it on their way in. */
  readonly key: string;
  /** Features whose values `fold` gives, in order. */
  readonly features: readonly string[];
  /** Streams that must be folded here. */
  readonly streams: readonly string[];
  /** Views whose ages `agesOf` gives, in order. */
  readonly views: readonly string[];
  /** Streams beside the scored one that these views read. */
  readonly heard: readonly string[];
  /** Of an event that is about to be folded. */
  readonly agesOf: AgesOf;
  /**
   * Event time from which on no event needs a chunk of this key, unless it is older by more than the allowance than the
   * newest; infinity for rows of a table, and for a chunk that is not known here.
   */
  neededUntil(chunk: string): number;
  /** State of an entity that has seen nothing. @param prefix what the keys of its chunks begin with, where it gives them */
  open(prefix?: string): EntityState;
  /**
   * Of an event that is about to be folded: older than the newest of the scored stream that its entity has seen, and seen
   * for the first time. A repetition, a correction or a withdrawal of what is kept is none.
   */
  comesLate(state: EntityState, event: FoldEvent): boolean;
  /** Folds one event or label into its entity's state. Streams the stage does not use are left alone. */
  fold(state: EntityState, event: FoldEvent): Folded;
}

interface Reading {
  readonly window: Window;
  readonly reads: { readonly at: number; readonly read: ReadAggregate }[];
}

/** Windows that end at one place. */
interface Ending {
  readonly stream: number;
  readonly end: Omit<WindowSpan, 'windowMs'>;
  readonly readings: Reading[];
}

const NOT_FOLDED: Folded = { admission: 'superseded', late: false, values: undefined };

/** Aggregates by stream, end and span, so that each place is looked up once for all that are read from it. */
const endingsOf = (
  aggregates: readonly Aggregate[],
  layouts: readonly Layout[],
  measuresOf: ReadonlyMap<Aggregate, readonly number[]>,
): readonly Ending[] => {
  const endings = new Map<string, Ending>();
  aggregates.forEach((a, at) => {
    const span = {
      windowMs: durationMs(a.window),
      delayMs: durationMs(a.delay),
      before: looksBefore(a.kind),
    };
    const name = `${a.of} ${span.delayMs} ${String(span.before)}`;
    const stream = layouts.findIndex(l => l.stream === a.of);
    const ending = endings.get(name) ?? { stream, end: span, readings: [] };
    endings.set(name, ending);
    let reading = ending.readings.find(({ window }) => window.span.windowMs === span.windowMs);
    if (reading === undefined) ending.readings.push((reading = { window: new Window(span), reads: [] }));
    reading.reads.push({ at, read: aggregateReader(a, measuresOf.get(a)!) });
  });
  return [...endings.values()];
};

/** Reads the aggregates at all ends, each at its place among so many values. */
const readerOf = (endings: readonly Ending[], count: number) => {
  const nothing: readonly number[] = Array.from({ length: count }, () => Number.NaN);
  return (state: EntityState, event: FoldEvent): readonly number[] => {
    const values = nothing.slice();
    // By index: iterators would be most of what is allocated here.
    for (let e = 0; e < endings.length; e++) {
      const { stream, end, readings } = endings[e]!;
      const timeline = state.timelines[stream]!;
      const to = endOfWindows(timeline, end, event);
      for (let r = 0; r < readings.length; r++) {
        const { window, reads } = readings[r]!;
        window.open(timeline, to, event);
        for (let i = 0; i < reads.length; i++) values[reads[i]!.at] = reads[i]!.read(window);
      }
    }
    return values;
  };
};

/** Values of reference tables beside the vector, each with the key by which its table is looked up. */
export const referencesOf = ({
  reference,
  events,
}: Pipeline): readonly { readonly name: string; readonly key: string; readonly aggregate: Aggregate }[] =>
  Object.entries(reference).flatMap(([name, d]) =>
    'aggregate' in d ? [{ name, key: events[d.aggregate.of]!.keys[0]!, aggregate: d.aggregate }] : [],
  );

/** Compiles the aggregates of all views and reference tables with one key. `allowanceMs`: see `compileSet`. */
export const compileStage = (pipeline: Pipeline, key: string, allowanceMs: number): CompiledStage => {
  const named = [
    ...pipeline.features.views
      .filter(view => view.key === key)
      .flatMap(view => Object.entries(view.features))
      .flatMap(([name, d]) => ('aggregate' in d ? [{ name, aggregate: d.aggregate }] : [])),
    ...referencesOf(pipeline).filter(one => one.key === key),
  ];
  const aggregates = named.map(n => n.aggregate);
  // The scored stream always passes, so that duplicates are known here too.
  const streams = [...new Set([pipeline.scores, ...aggregates.map(a => a.of)])];
  const layouts: Layout[] = [];
  const measuresOf = new Map<Aggregate, readonly number[]>();
  for (const stream of streams) {
    const made = layoutOf(pipeline, stream, aggregates.filter(a => a.of === stream), allowanceMs); // prettier-ignore
    layouts.push(made.layout);
    for (const [a, measures] of made.measuresOf) measuresOf.set(a, measures);
  }
  const endings = endingsOf(aggregates, layouts, measuresOf);

  const read = readerOf(endings, aggregates.length);

  /** What its windows held is gone in parts: the whole of it is left out, so that the parts do not matter. */
  const readAlone = (event: FoldEvent): readonly number[] => {
    const alone = new EntityState(layouts);
    alone.timelines[streams.indexOf(event.stream)]!.fold(event);
    return read(alone, event);
  };

  const isBehind = (timeline: Timeline, event: FoldEvent): boolean =>
    event.stream === pipeline.scores && event.time < timeline.newestTime();

  return {
    key,
    features: named.map(n => n.name),
    streams,
    ...agesBy(pipeline, key, streams),
    neededUntil: chunk => {
      const layout = layouts.find(l => chunk.startsWith(`${l.stream}:`));
      return layout === undefined || layout.isTable
        ? Number.POSITIVE_INFINITY
        : endOfChunk(chunk.slice(layout.stream.length + 1)) + layout.retentionMs;
    },
    open: prefix => new EntityState(layouts, prefix),
    comesLate: (state, event) => {
      const timeline = state.timelines[streams.indexOf(event.stream)];
      return timeline !== undefined && isBehind(timeline, event) && !timeline.holds(event);
    },
    fold: (state, event) => {
      const timeline = state.timelines[streams.indexOf(event.stream)];
      if (timeline === undefined) return NOT_FOLDED;
      const late = isBehind(timeline, event);
      const admission = timeline.fold(event);
      if (event.stream !== pipeline.scores || event.withdrawn) return { admission, late, values: undefined };
      if (admission === 'folded') return { admission, late, values: read(state, event) };
      return { admission, late, values: admission === 'expired' ? readAlone(event) : undefined };
    },
  };
};
