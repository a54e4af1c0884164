/** Sizes of places, bytes: each a third or a half larger than the one before. */
const SIZES = [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096] as const;
/** How long the value of a place is stands in front of it. */
const HEAD_BYTES = 2;
const VALUE_BYTES_MAX = SIZES.at(-1)! - HEAD_BYTES;
/** Class of a value by its length in sixteenths, so that nobody has to look for it. */
const CLASS_BY_UNITS = Array.from({ length: SIZES.at(-1)! / 16 + 1 }, (_, units) =>
  SIZES.findIndex(size => size >= units * 16),
);
/** Places of one page have one size. */
const PAGE_BYTES = 16_384;
const UNIT_BITS = 4;
/** A place's number is that of its page, and in this many bits behind it its first unit. */
const PLACE_BITS = Math.log2(PAGE_BYTES) - UNIT_BITS;
const PLACE_MASK = 2 ** PLACE_BITS - 1;

/**
 * Values of all lengths in few large pieces of memory, each known by a number. Memory of its own for each of them weighs
 * more than most are long, and V8 has to look after every one. A larger value than a page is made for has its own.
 */
export class Slabs {
  readonly #pages: Buffer[] = [];
  readonly #classOfPage: number[] = [];
  /** Places of each class in which nothing lies. */
  readonly #free: number[][] = SIZES.map(() => []);
  /** By the number, which is negative. */
  readonly #large = new Map<number, Uint8Array>();
  #larges = 0;

  /** Memory that it has, without that of large values. */
  get bytes(): number {
    return this.#pages.length * PAGE_BYTES;
  }

  /**
   * Copies a value, into the place of the one before it where it fits in there.
   * @returns the place
   */
  set(before: number | undefined, value: Uint8Array): number {
    const { length } = value;
    if (length > VALUE_BYTES_MAX) return this.#setLarge(before, value);
    const fits = CLASS_BY_UNITS[(length + HEAD_BYTES + 15) >>> UNIT_BITS]!;
    const place = before !== undefined && this.#classOf(before) === fits ? before : this.#take(fits);
    if (before !== undefined && place !== before) this.free(before);
    const page = this.#pages[place >>> PLACE_BITS]!;
    const at = (place & PLACE_MASK) << UNIT_BITS;
    page[at] = length;
    page[at + 1] = length >>> 8;
    page.set(value, at + HEAD_BYTES);
    return place;
  }

  /** A view of the value: good until its place is set again or freed. */
  get(place: number): Uint8Array {
    if (place < 0) return this.#large.get(place)!;
    const page = this.#pages[place >>> PLACE_BITS]!;
    const at = (place & PLACE_MASK) << UNIT_BITS;
    const from = at + HEAD_BYTES;
    return page.subarray(from, from + page[at]! + (page[at + 1]! << 8));
  }

  free(place: number): void {
    if (place < 0) this.#large.delete(place);
    else this.#free[this.#classOf(place)!]!.push(place);
  }

  #classOf(place: number): number | undefined {
    return place < 0 ? undefined : this.#classOfPage[place >>> PLACE_BITS];
  }

  #take(ofClass: number): number {
    const free = this.#free[ofClass]!;
    if (free.length === 0) {
      const first = this.#pages.push(Buffer.allocUnsafeSlow(PAGE_BYTES)) - 1;
      this.#classOfPage.push(ofClass);
      const units = SIZES[ofClass]! >>> UNIT_BITS;
      for (let unit = 0; unit + units <= PLACE_MASK + 1; unit += units)
        free.push((first << PLACE_BITS) | unit);
    }
    return free.pop()!;
  }

  #setLarge(before: number | undefined, value: Uint8Array): number {
    if (before !== undefined && before >= 0) this.free(before);
    const place = before !== undefined && before < 0 ? before : --this.#larges;
    this.#large.set(place, new Uint8Array(value));
    return place;
  }
}
