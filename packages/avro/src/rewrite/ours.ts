import { fault, type Step } from '../walk.ts';
import { ValueWriter } from '../writer.ts';

/** Where values of other schemas are written as ours. Rewriting is synchronous and never nested: one is enough. */
export const ours = new ValueWriter();

/** How a value of a writer's type becomes one of ours. What it says in its faults are the writer's fields. */
export interface Move {
  /** Passes a value in the writer's bytes. */
  readonly pass: Step;
  /** Passes it, and writes what it is in ours. */
  readonly put: Step;
  /** Whether its bytes are ours as they lie. */
  readonly isCopy: boolean;
}

/** Takes over the bytes that a step passes. */
export const copying =
  (pass: Step): Step =>
  w => {
    const start = w.at;
    if (!pass(w)) return false;
    ours.part(w.bytes, start, w.at);
    return true;
  };

export const copyOf = (pass: Step): Move => ({ pass, put: copying(pass), isCopy: true });

/**
 * Writes what does not stand in the writer's bytes: a default, the number of a branch or of a symbol. Only by these a value
 * can become many times as long, once for each item of an array.
 * @param bytesMax of the value as ours
 */
export const inserting =
  (bytes: Uint8Array, bytesMax: number): Step =>
  w => {
    if (ours.length + bytes.length > bytesMax)
      return fault(
        w,
        'too-large',
        `the value has more than ${bytesMax} bytes in our schema, with defaults that its writer does not know`,
      );
    ours.raw(bytes);
    return true;
  };

/** One step after the other. */
export const inTurn = (steps: readonly Step[]): Step => {
  const [first, second, third] = steps;
  if (second === undefined) return first ?? (() => true);
  if (third === undefined) return w => first!(w) && second(w);
  return w => {
    for (let i = 0; i < steps.length; i++) if (!steps[i]!(w)) return false;
    return true;
  };
};
