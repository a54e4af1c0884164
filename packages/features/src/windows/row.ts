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
