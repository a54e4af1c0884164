import type { TypeView } from './schema.ts';
import { newWalk, type Step } from './walk.ts';

/** What the quick way knows of a part of variable length. */
export const OTHER = 0;
const TEXT = 1;
const INT = 2;
const LONG = 3;
const BOOLEAN = 4;
const KINDS: Readonly<Record<string, number>> = {
  string: TEXT,
  bytes: TEXT,
  int: INT,
  long: LONG,
  boolean: BOOLEAN,
};
/** Added where it may be null, and null is the first branch. */
const NULLABLE = 8;

/** Numbers of so many bytes are neither too large nor too long, whatever they hold. */
export const INT_BYTES_MAX = 4;
export const LONG_BYTES_MAX = 7;

export const kindOf = ({ typeName, types }: TypeView): number => {
  if (types?.length !== 2 || types[0]!.typeName !== 'null') return KINDS[typeName] ?? OTHER;
  const kind = KINDS[types[1]!.typeName];
  return kind === undefined ? OTHER : kind + NULLABLE;
};

/** One part of a value: bytes of fixed length, then what has a length of its own. */
export interface QuickPart {
  readonly fixedBytes: number;
  readonly kind: number;
  /** The checked way, of what is of another kind. */
  readonly walk: Step;
}

/** Where a number of at most so many bytes ends; -1 where it is longer, or the bytes end. */
const afterNumber = (bytes: Uint8Array, at: number, bytesMax: number): number => {
  for (let next = at; next < at + bytesMax; next++) if (bytes[next]! < 0x80) return next + 1;
  return -1;
};

/** Where a text ends whose length takes one or two bytes; -1 where it takes more, or is too long. */
const afterText = (bytes: Uint8Array, at: number, fieldBytesMax: number): number => {
  let length = bytes[at]!;
  let next = at + 1;
  if (length >= 0x80) {
    const high = bytes[next++]!;
    if (!(high < 0x80)) return -1;
    length = (length & 0x7f) | (high << 7);
  }
  // The lowest bit is the sign. No byte, no number: that is not even either.
  return length % 2 === 0 && length >> 1 <= fieldBytesMax ? next + (length >> 1) : -1;
};

/** Where a part ends that begins there; -1 where the quick way does not know. */
const after = (bytes: Uint8Array, at: number, kind: number, fieldBytesMax: number): number => {
  if (kind === TEXT) return afterText(bytes, at, fieldBytesMax);
  if (kind === LONG) return afterNumber(bytes, at, LONG_BYTES_MAX);
  if (kind === INT) return afterNumber(bytes, at, INT_BYTES_MAX);
  return bytes[at]! <= 1 ? at + 1 : -1;
};

/**
 * Locates values whose parts are as they nearly always are: short texts, and numbers of few bytes. Without calls through
 * a table of functions, one for each field, it takes a fraction of the time. False is no verdict: the value is to be
 * looked at in the checked way, from its beginning. What it says yes to, that would, too, and with the same slots. The value
 * may lie between others in the same bytes: it is one only where it ends exactly at `to`, so no part of it lies beyond.
 */
export const quickly = (parts: readonly QuickPart[], restBytes: number, fieldBytesMax: number) => {
  const fixed = Int32Array.from(parts, ({ fixedBytes }) => fixedBytes);
  const kinds = Int32Array.from(parts, ({ kind }) => kind);
  const walks = parts.map(({ walk }) => walk);
  const w = newWalk();
  return (bytes: Uint8Array, from: number, to: number, starts: Int32Array, base: number): boolean => {
    let at = from;
    starts[base] = at;
    for (let i = 0; i < kinds.length; i++) {
      at += fixed[i]!;
      const kind = kinds[i]!;
      if (kind === OTHER) {
        w.bytes = bytes;
        w.at = at;
        if (at > to || !walks[i]!(w)) return false;
        at = w.at;
      } else if (kind < NULLABLE) at = after(bytes, at, kind, fieldBytesMax);
      else if (bytes[at] === 0) at++;
      else at = bytes[at] === 2 ? after(bytes, at + 1, kind - NULLABLE, fieldBytesMax) : -1;
      if (at === -1) return false;
      starts[base + i + 1] = at;
    }
    return at + restBytes === to;
  };
};
