/** How a record was closed: an index into the closed sets of `closing.ts`; 0 is open. */
export type ClosingCode = number;

/** One run of a partition while any of its records is open or uncommitted. */
export interface Segment<Held> {
  readonly length: number;
  readonly offset: (i: number) => number;
  readonly nextOffset: number;
  readonly closed: Uint8Array;
  /** What is to be committed together with the record's offset; mostly one, which needs no list. */
  readonly held: (Held | readonly Held[] | undefined)[];
  /** Records before it are closed and taken. */
  taken: number;
}

/** What is held for a record, one or several. */
export const heldOf = <Held>(held: Held | readonly Held[]): readonly Held[] =>
  Array.isArray(held) ? (held as readonly Held[]) : [held as Held];

/**
 * Which records of one partition are open. Runs are opened in offset order, records are closed in any order, and
 * `take` hands out the contiguous closed prefix, whole or in pieces. The watermark is what may be committed: the lowest
 * offset not yet handed out, else the position (which includes gaps that were read over).
 */
export class OffsetTracker<Held> {
  readonly #segments: Segment<Held>[] = [];
  #position: number;
  #open = 0;

  constructor(position: number) {
    this.#position = position;
  }

  /** Next offset to be read. */
  get position(): number {
    return this.#position;
  }

  /** Records opened and not yet closed. */
  get open(): number {
    return this.#open;
  }

  get watermark(): number {
    const first = this.#segments[0];
    return first === undefined ? this.#position : first.offset(first.taken);
  }

  /** Whether there is something to take. */
  get ready(): boolean {
    const first = this.#segments[0];
    return first !== undefined && first.closed[first.taken] !== 0;
  }

  /** @throws RangeError when the run begins before the position: it was delivered twice. */
  add(length: number, offset: (i: number) => number, nextOffset: number): Segment<Held> {
    if (length > 0 && offset(0) < this.#position)
      throw new RangeError(`a run begins at offset ${offset(0)}, before the position ${this.#position}`);
    const segment: Segment<Held> = {
      length,
      offset,
      nextOffset,
      closed: new Uint8Array(length),
      held: [],
      taken: 0,
    };
    if (length > 0) this.#segments.push(segment);
    this.#open += length;
    this.#position = Math.max(this.#position, nextOffset);
    return segment;
  }

  /** Nothing is left to read below the offset. */
  moveTo(offset: number): void {
    this.#position = Math.max(this.#position, offset);
  }

  /** @throws RangeError when the record has been closed before. */
  close(segment: Segment<Held>, i: number, code: ClosingCode): void {
    if (segment.closed[i] !== 0) throw new RangeError(`offset ${segment.offset(i)} was closed before`);
    segment.closed[i] = code;
    this.#open--;
  }

  /** Hands out, in offset order, each record of the closed prefix once, while `more` says so. @returns how many there were. */
  take(
    visit: (code: ClosingCode, held: Held | readonly Held[] | undefined) => void,
    more: () => boolean = () => true,
  ): number {
    let count = 0;
    let whole = 0;
    for (const segment of this.#segments) {
      while (segment.taken < segment.length && segment.closed[segment.taken] !== 0 && more()) {
        const held = segment.held[segment.taken];
        visit(segment.closed[segment.taken]!, held);
        // Where nothing is held the list stays as short as it is.
        if (held !== undefined) segment.held[segment.taken] = undefined;
        segment.taken++;
        count++;
      }
      if (segment.taken < segment.length) break;
      whole++;
    }
    this.#segments.splice(0, whole);
    return count;
  }
}
