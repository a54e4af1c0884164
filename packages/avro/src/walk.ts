import type { Limits } from './limits.ts';
import type { BadReason } from './bad.ts';

/**
 * A walk over the bytes of one value, before anything is built from them: every count, length and index is checked
 * against the bytes that are there and against the limits, so that the decoder that follows meets no hostile input.
 * A step advances `at` and answers true, or sets the fault and answers false; records put their field before its path.
 */
export interface Walk {
  bytes: Uint8Array;
  at: number;
  reason: BadReason;
  message: string;
  path: string;
}
export type Step = (w: Walk) => boolean;

const VARINT_BYTES_MAX = 10;
const INT_BYTES_MAX = 5;

export const fault = (w: Walk, reason: BadReason, message: string): false => {
  w.reason = reason;
  w.message = message;
  w.path = '';
  return false;
};
const ended = (w: Walk): false => fault(w, 'bad-value', 'the bytes end before the value does');

/** Says of a fault that it lies in this field. */
export const inField = (w: Walk, name: string): false => {
  w.path = w.path === '' ? name : `${name}.${w.path}`;
  return false;
};

/** A number of Avro's variable length, exact to 2^53 and beyond that only as large; NaN, with a fault, where the bytes are none. */
export const varint = (w: Walk): number => {
  const { bytes } = w;
  let n = 0;
  let scale = 1;
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const b = bytes[w.at++];
    if (b === undefined) break;
    n += (b & 0x7f) * scale;
    if (b < 0x80) return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
    scale *= 128;
  }
  fault(w, 'bad-value', 'the bytes hold no whole number where one must be');
  return Number.NaN;
};

export const long: Step = w => {
  const { bytes } = w;
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const b = bytes[w.at++];
    if (b === undefined) return ended(w);
    if (b < 0x80) return true;
  }
  return fault(w, 'bad-value', 'a whole number is longer than 10 bytes');
};

/** The largest that a decoder takes for exact. */
const LONG_MAX = 9_007_199_254_740_990;

/** A whole number that a decoder reads: within 2^53. */
export const safeLong: Step = w => {
  const n = varint(w);
  if (Number.isNaN(n)) return false;
  return n > LONG_MAX || n < -LONG_MAX ? fault(w, 'bad-value', 'a whole number is beyond 2^53') : true;
};

/** An int; NaN, with a fault, where the bytes are none. */
export const readInt = (w: Walk): number => {
  const start = w.at;
  const n = varint(w);
  if (Number.isNaN(n) || (w.at - start <= INT_BYTES_MAX && n === (n | 0))) return n;
  fault(w, 'bad-value', 'a number does not fit an int');
  return Number.NaN;
};

export const int: Step = w => !Number.isNaN(readInt(w));

export const boolean: Step = w => {
  const b = w.bytes[w.at++];
  if (b === undefined) return ended(w);
  return b > 1 ? fault(w, 'bad-value', `a boolean is byte ${b}, neither 0 nor 1`) : true;
};

export const nothing: Step = () => true;

/** A run of bytes of a known length: float, double, fixed. */
export const bytesOf =
  (length: number): Step =>
  w => {
    w.at += length;
    return w.at > w.bytes.length ? ended(w) : true;
  };

export const sized = ({ fieldBytesMax }: Limits): Step => {
  return w => {
    const length = varint(w);
    if (Number.isNaN(length)) return false;
    if (length < 0) return fault(w, 'bad-value', 'a length is below zero');
    if (length > w.bytes.length - w.at) return ended(w);
    if (length > fieldBytesMax)
      return fault(w, 'too-large', `a field has ${length} bytes; at most ${fieldBytesMax} are allowed`);
    w.at += length;
    return true;
  };
};

/** `__proto__` as the key of a map would set the prototype of the object that is built. */
const PROTO = Buffer.from('__proto__');
export const mapKey = (limits: Limits): Step => {
  const key = sized(limits);
  return w => {
    const before = w.at;
    if (!key(w)) return false;
    const length = PROTO.length;
    return w.at - before === length + 1 && PROTO.compare(w.bytes, w.at - length, w.at) === 0
      ? fault(w, 'bad-value', "a map has the key '__proto__'")
      : true;
  };
};

export const oneOf = (steps: readonly Step[], what: string): Step => {
  return w => {
    const index = varint(w);
    const step = steps[index];
    if (step !== undefined) return step(w);
    return Number.isNaN(index)
      ? false
      : fault(w, 'bad-value', `${what} number ${index} does not exist; there are ${steps.length}`);
  };
};

/**
 * The blocks of an array or map. An item takes at least one byte, so the bytes bound the work.
 * @param begins is told how many items each block has, before they are walked over, and at last the 0 that ends them
 */
export const blocks = (
  item: Step,
  { itemCountMax }: Limits,
  begins: (count: number) => void = () => undefined,
): Step => {
  return w => {
    let total = 0;
    for (;;) {
      let count = varint(w);
      let end = -1;
      if (count === 0) {
        begins(0);
        return true;
      }
      if (count < 0) {
        count = -count;
        const length = varint(w);
        end = w.at + length;
      }
      if (Number.isNaN(count) || Number.isNaN(end)) return false;
      total += count;
      if (total > itemCountMax)
        return fault(w, 'too-large', `more than the ${itemCountMax} items that are allowed`);
      begins(count);
      for (let i = 0; i < count; i++) if (!item(w)) return false;
      // A decoder that skips a block trusts its length: a false one would move it anywhere, even backwards.
      if (end !== -1 && end !== w.at) return fault(w, 'bad-value', 'a block is not as long as it says');
    }
  };
};

export const fields = (named: readonly (readonly [string, Step])[]): Step => {
  const names = named.map(([name]) => name);
  const steps = named.map(([, step]) => step);
  return w => {
    for (let i = 0; i < steps.length; i++) if (!steps[i]!(w)) return inField(w, names[i]!);
    return true;
  };
};

export const newWalk = (): Walk => ({
  bytes: new Uint8Array(0),
  at: 0,
  reason: 'bad-value',
  message: '',
  path: '',
});
