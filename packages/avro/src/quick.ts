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

/** Moves `at` behind a part, in JavaScript. What is as it nearly always is, a byte says alone. */
const passing = (kind: number): string => {
  if (kind >= NULLABLE)
    return `if (bytes[at] === 0) at++; else if (bytes[at] === 2) { at++; ${passing(kind - NULLABLE)} } else return false;`;
  if (kind === BOOLEAN) return 'if (!(bytes[at++] <= 1)) return false;';
  const quick =
    kind === TEXT ? '(byte & 0x81) === 0 && byte >> 1 <= textBytesMax) at += 1 + (byte >> 1)' : 'byte < 0x80) at++';
  const checked =
    kind === TEXT ? 'afterText(bytes, at, textBytesMax)' : `afterNumber(bytes, at, ${kind === INT ? INT_BYTES_MAX : LONG_BYTES_MAX})`;
  return `byte = bytes[at]; if (${quick}; else if ((at = ${checked}) === -1) return false;`;
}; // prettier-ignore

const passingOther = (i: number): string =>
  `if (at > to) return false; walk.bytes = bytes; walk.at = at; if (!walks[${i}](walk)) return false; at = walk.at;`;

type Quickly = (bytes: Uint8Array, from: number, to: number, starts: Int32Array, base: number) => boolean;

/**
 * Locates values whose parts are as they nearly always are: short texts, and numbers of few bytes, in one function that is
 * put together for them. False is no verdict: the value is to be looked at in the checked way, from its beginning. What it
 * says yes to, that would, too, and with the same slots. The value may lie between others in the same bytes: it is one
 * only where it ends exactly at `to`, so no part of it lies beyond.
 */
export const quickly = (parts: readonly QuickPart[], restBytes: number, fieldBytesMax: number): Quickly => {
  const steps = parts.map(({ fixedBytes, kind }, i) => {
    const pass = kind === OTHER ? passingOther(i) : passing(kind);
    return `at += ${fixedBytes}; ${pass} starts[base + ${i + 1}] = at;`;
  });
  const text = `return (bytes, from, to, starts, base) => {
    let at = from, byte = 0;
    starts[base] = at;
    ${steps.join('\n')}
    return at + ${restBytes} === to;
  };`;
  const walks = parts.map(({ walk }) => walk);
  // Nothing of the schema's own words is in it: kinds and numbers only.
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function('walks', 'walk', 'textBytesMax', 'afterText', 'afterNumber', text) as (
    ...of: readonly unknown[]
  ) => Quickly;
  return make(walks, newWalk(), fieldBytesMax, afterText, afterNumber);
};
