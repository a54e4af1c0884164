import avsc from 'avsc';

/** Longest text that is looked for, in bytes: ids of entities are short, and those of events come once. */
const TEXT_BYTES_MAX = 32;
const ASCII_MAX = 0x7f;

/** What Node's buffers have and its types leave out: much quicker than `toString` for short texts. */
export interface Sliced extends Uint8Array {
  utf8Slice(from: number, to: number): string;
  latin1Slice(from: number, to: number): string;
}

/** What of avsc's reader a text is read with. */
interface Tap {
  readonly buf: Sliced;
  pos: number;
  readString(): string;
}

const isText = (text: string, bytes: Uint8Array, from: number, to: number): boolean => {
  if (text.length !== to - from) return false;
  for (let i = from; i < to; i++) if (text.charCodeAt(i - from) !== bytes[i]) return false;
  return true;
};

/**
 * Short ASCII texts that come again and again, such as keys: to make one anew costs more than to find it, and one that
 * maps have seen before need not be hashed again. A text is kept from its second coming on, in the one place that its
 * hash gives it, so that what comes once displaces nothing, and the number of texts is bounded.
 */
export class KnownTexts {
  readonly #mask: number;
  /** By place: hash of the text that came last and was not known. */
  readonly #seen: Int32Array;
  readonly #texts: (string | undefined)[];

  /** @param places a power of two */
  constructor(places: number) {
    this.#mask = places - 1;
    this.#seen = new Int32Array(places);
    this.#texts = Array.from({ length: places }, () => undefined);
  }

  /** The text that UTF-8 bytes hold. */
  text(bytes: Sliced, from: number, to: number): string {
    return this.find(bytes, from, to) ?? bytes.utf8Slice(from, to);
  }

  /** The same where it is known; if not, it may be next time. */
  find(bytes: Sliced, from: number, to: number): string | undefined {
    if (to - from > TEXT_BYTES_MAX) return undefined;
    let hash = to - from;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      if (byte > ASCII_MAX) return undefined;
      hash = Math.imul(hash ^ byte, 0x5bd1e995);
      hash ^= hash >>> 15;
    }
    const place = hash & this.#mask;
    const known = this.#texts[place];
    if (known !== undefined && isText(known, bytes, from, to)) return known;
    if (this.#seen[place] === hash) return (this.#texts[place] = bytes.latin1Slice(from, to));
    this.#seen[place] = hash;
    return undefined;
  }
}

/** Shared by all codecs of a process. */
const PLACES = 8_192;
const known = new KnownTexts(PLACES);

/** Of so many texts of a field in a row none was known: it has texts that come once, such as ids of events. */
const STRANGE_MAX = 64;
/** One of so many is looked for all the same. */
const TRIED_EVERY = 256;

/** The texts of one field: where they come again they are looked for, else it would be in vain. */
export class FieldTexts {
  #strange = 0;

  /** The text that UTF-8 bytes hold. */
  text(bytes: Sliced, from: number, to: number): string {
    if (this.#strange >= STRANGE_MAX) {
      if (++this.#strange < STRANGE_MAX + TRIED_EVERY) return bytes.utf8Slice(from, to);
      this.#strange = STRANGE_MAX;
    }
    const found = known.find(bytes, from, to);
    if (found === undefined) {
      if (this.#strange < STRANGE_MAX) this.#strange++;
      return bytes.utf8Slice(from, to);
    }
    this.#strange = 0;
    return found;
  }
}

/** Of a text whose length is one byte, at most. */
export const TEXT_BYTES_IN_BYTE_MAX = 63;

/** Avro's strings as avsc has them, read by way of the known texts. */
export class TextType extends avsc.types.StringType {
  /** The walk before it has found the length to be right. */
  _read(tap: Tap): string {
    const { buf, pos } = tap;
    const first = buf[pos]!;
    const start = pos + 1;
    const end = start + (first >>> 1);
    // A length of one byte that is not below zero: all that is short.
    if ((first & 0x81) !== 0 || end > buf.length) return tap.readString();
    tap.pos = end;
    return known.text(buf, start, end);
  }
}
