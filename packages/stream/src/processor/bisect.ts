/** Offsets of one partition, both ends included. */
export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}

/** Indices of one run, `to` excluded. A condemned piece is one record that failed alone. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly condemned: boolean;
}

/**
 * Finds the record on which a handler fails. After a failure the range that was handled is the suspect; when its
 * records are delivered again the suspect part is handed over in two halves, so the next failure names a smaller range,
 * until one record has failed alone: it is condemned, and never handled again. Bad records come in rows, so what follows
 * one goes in pieces of one, two, four: the next of a row is found by one failure, and a good one costs none.
 */
export class Bisection {
  readonly #condemned = new Set<number>();
  #suspect: OffsetRange | undefined;

  /** A handler failed on these records. @returns the offset that is condemned by it, if any. */
  failed(range: OffsetRange): number | undefined {
    if (range.first !== range.last) {
      this.#suspect = range;
      return undefined;
    }
    this.#suspect = undefined;
    this.#condemned.add(range.first);
    return range.first;
  }

  /** Everything below the offset is committed. */
  committed(watermark: number): void {
    if (this.#suspect !== undefined && this.#suspect.last < watermark) this.#suspect = undefined;
    for (const offset of this.#condemned) if (offset < watermark) this.#condemned.delete(offset);
  }

  /** How to hand over a run. Gives one piece, with no further look at the offsets, while nothing is suspected. */
  pieces(length: number, offset: (i: number) => number): readonly Piece[] {
    if (length === 0) return [];
    if (this.#suspect === undefined && this.#condemned.size === 0)
      return [{ from: 0, to: length, condemned: false }];
    const cuts = new Set([0, length, ...this.#suspectCuts(length, offset)]);
    const condemned = new Set<number>();
    for (let i = 0; i < length; i++) {
      if (!this.#condemned.has(offset(i))) continue;
      condemned.add(i);
      cuts.add(i).add(i + 1);
    }
    const last = Math.max(-1, ...condemned);
    if (last >= 0) for (let size = 1, at = last + 2; at < length; size *= 2, at += size) cuts.add(at);
    const borders = [...cuts].sort((a, b) => a - b);
    return borders
      .slice(1)
      .map((to, n) => ({ from: borders[n]!, to, condemned: condemned.has(borders[n]!) }));
  }

  #suspectCuts(length: number, offset: (i: number) => number): readonly number[] {
    const suspect = this.#suspect;
    if (suspect === undefined) return [];
    let from = 0;
    while (from < length && offset(from) < suspect.first) from++;
    let to = from;
    while (to < length && offset(to) <= suspect.last) to++;
    return from === to ? [] : [from, from + ((to - from) >>> 1), to];
  }
}
