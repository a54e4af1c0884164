import type { EventStream, Pipeline } from '@millrace/define';

/** An event or a label as the stages fold it: who, when, where it came from, and its fields by name. */
export interface FoldEvent {
  /** Name of its stream in the pipeline. */
  readonly stream: string;
  readonly eventId: string;
  readonly revision: number;
  readonly withdrawn: boolean;
  /** Event time, milliseconds since the epoch; a label carries its event's. */
  readonly time: number;
  /** Labels: when it became known, milliseconds since the epoch; undefined for events. */
  readonly knownAt: number | undefined;
  readonly sequence: number;
  /** Source coordinates: they order what nothing else does. */
  readonly partition: number;
  readonly offset: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

/** Reads a decoded value of a stream; `revision`, `withdrawn` and `sequence` may be absent. */
export const readEvent = (
  pipeline: Pipeline,
  stream: string,
  fields: Readonly<Record<string, unknown>>,
  partition: number,
  offset: number,
): FoldEvent => {
  const { time, knownAt } = pipeline.events[stream] as EventStream;
  return {
    stream,
    eventId: String(fields['eventId']),
    revision: numberOf(fields['revision'], 0),
    withdrawn: fields['withdrawn'] === true,
    time: numberOf(fields[time], Number.NaN),
    knownAt: knownAt === undefined ? undefined : numberOf(fields[knownAt], Number.NaN),
    sequence: numberOf(fields['sequence'], 0),
    partition,
    offset,
    fields,
  };
};

/** Time at which an event takes effect: when it happened, or for a label, when it became known. */
export const orderTime = (event: FoldEvent): number => event.knownAt ?? event.time;

/** The order of a fold: order time, labels before events, sequence, stream, partition, offset. */
export const compareOrder = (a: FoldEvent, b: FoldEvent): number =>
  orderTime(a) - orderTime(b) ||
  Number(a.knownAt === undefined) - Number(b.knownAt === undefined) ||
  a.sequence - b.sequence ||
  (a.stream === b.stream ? 0 : a.stream < b.stream ? -1 : 1) ||
  a.partition - b.partition ||
  a.offset - b.offset;
