import type { FoldEvent } from './event.ts';
import type { Layout } from './layout.ts';

/** A point in the order of one stream's events: time, sequence, partition, offset. */
export interface Point {
  readonly time: number;
  readonly sequence: number;
  readonly partition: number;
  readonly offset: number;
}

export interface NewRow extends Point {
  readonly id: string;
  readonly revision: number;
  readonly knownAt: number;
  readonly until: number;
  readonly live: boolean;
  readonly numbers: ArrayLike<number>;
  readonly texts: readonly (string | undefined)[];
}

/** The point behind everything of a time. */
export const endOf = (time: number): Point => ({
  time,
  sequence: Number.POSITIVE_INFINITY,
  partition: Number.POSITIVE_INFINITY,
  offset: Number.POSITIVE_INFINITY,
});

const NO_TEXTS: readonly (string | undefined)[] = [];
/** The row that is being folded: leaves and listeners take out of it what they keep. One is enough, folding is never nested. */
const inHand = {
  time: 0, sequence: 0, partition: 0, offset: 0, id: '', revision: 0, knownAt: 0, until: 0, live: true,
  numbers: [] as number[], texts: NO_TEXTS,
}; // prettier-ignore

/** An event as a row, until the next call. */
export const rowOf = (
  { measures, hasText }: Layout,
  event: FoldEvent,
  knownAt: number,
  until: number,
): NewRow => {
  inHand.time = event.time;
  inHand.sequence = event.sequence;
  inHand.partition = event.partition;
  inHand.offset = event.offset;
  inHand.id = event.eventId;
  inHand.revision = event.revision;
  inHand.knownAt = knownAt;
  inHand.until = until;
  inHand.live = !event.withdrawn;
  for (let m = 0; m < measures.length; m++) inHand.numbers[m] = measures[m]!.number(event);
  inHand.texts = hasText ? measures.map(m => m.text?.(event)) : NO_TEXTS;
  return inHand;
};
