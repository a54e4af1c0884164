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
  /**
   * Labels: when it became known, milliseconds since the epoch. Rows of a table: their time, so that they too come before
   * events of the same time. Undefined for events.
   */
  readonly knownAt: number | undefined;
  readonly sequence: number;
  /** Source coordinates: they order what nothing else does. */
  readonly partition: number;
  readonly offset: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

/** An event that is read anew again and again. */
export type EventInHand = { -readonly [K in keyof FoldEvent]: FoldEvent[K] };

const NO_FIELDS: FoldEvent['fields'] = {};

/** To be read into. Whoever keeps events takes a new one for each. */
export const eventInHand = (): EventInHand => ({
  stream: '',
  eventId: '',
  revision: 0,
  withdrawn: false,
  time: Number.NaN,
  knownAt: undefined,
  sequence: 0,
  partition: 0,
  offset: 0,
  fields: NO_FIELDS,
});

/** Reads a decoded value of a stream; `revision`, `withdrawn` and `sequence` may be absent. */
export const readEvent = (
  pipeline: Pipeline,
  stream: string,
  fields: Readonly<Record<string, unknown>>,
  partition: number,
  offset: number,
  into: EventInHand = eventInHand(),
): FoldEvent => {
  const { time, table, knownAt = table && time } = pipeline.events[stream] as EventStream;
  into.stream = stream;
  into.eventId = String(fields['eventId']);
  into.revision = numberOf(fields['revision'], 0);
  into.withdrawn = fields['withdrawn'] === true;
  into.time = numberOf(fields[time], Number.NaN);
  into.knownAt = knownAt === undefined ? undefined : numberOf(fields[knownAt], Number.NaN);
  into.sequence = numberOf(fields['sequence'], 0);
  into.partition = partition;
  into.offset = offset;
  into.fields = fields;
  return into;
};

/** Event times further ahead of their append time than this are refused: one would expire all that its key has. */
export const AHEAD_MS_MAX = 86_400_000;

/**
 * Why an event cannot be folded, in a sentence without its values, or undefined where it can. `appendTimeMs` is when the
 * broker appended it; infinity where there is no such time.
 */
export const checkEvent = (event: FoldEvent, appendTimeMs: number): string | undefined => {
  const { time, knownAt = 0, revision, sequence } = event;
  if (!Number.isSafeInteger(time)) return 'the event time is not a whole number of milliseconds';
  if (time > appendTimeMs + AHEAD_MS_MAX) return 'the event time is more than a day ahead of its arrival';
  if (!Number.isSafeInteger(knownAt)) return 'the time of knowing is not a whole number of milliseconds';
  if (!Number.isSafeInteger(revision)) return 'the revision is not a whole number';
  return Number.isSafeInteger(sequence) ? undefined : 'the sequence is not a whole number';
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
