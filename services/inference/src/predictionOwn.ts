/** What is a row's own in its prediction, and how each of it is written. */
import { PREDICTION_ID_DIGITS } from '@millrace/contracts';
import type { Engine } from '@millrace/define';
import { copy, copyAll, NOTHING, putLong, putText, type Room, type Source } from './bytes.ts';
import type { Routed } from './routing.ts';

/** What is a row's own, or that of many rows of its batch. */
export interface RowFields {
  /** Of all rows of the batch, `PREDICTION_ID_DIGITS` characters each. */
  readonly ids: Source;
  readonly outputs: readonly number[];
  readonly decision: string;
  readonly kpis: readonly (number | string | undefined)[];
  readonly vectorOffset: number;
  readonly routed: Routed;
  /** What the model ran on; null where none did. */
  readonly engine: Engine | null;
  readonly stale: boolean;
}

/** What is written row by row. */
const OWN = ['predictionId', 'outputs', 'decision', 'kpis', 'vectorOffset', 'stale'] as const;
export type Own = (typeof OWN)[number];
export const isOwn = (name: string): name is Own => (OWN as readonly string[]).includes(name);

/** Writes one field of a row. @returns where it ends */
export type PutOwn = (row: number, fields: RowFields, room: Room, to: number) => number;

export const FLOAT_BYTES = 4;
export const DOUBLE_BYTES = 8;

/**
 * @param decisions as they are encoded, by name
 * @param isText which business figures are text
 */
export const ownWriters = (
  decisions: ReadonlyMap<string, Source>,
  isText: readonly boolean[],
): Readonly<Record<Own, PutOwn>> => {
  // Most rows are decided as the one before.
  let lastName: string | undefined;
  let last = NOTHING;
  return {
    predictionId: (row, { ids }, { into, target }, to) => {
      // As many bytes, and few enough that their number is a byte.
      into[to] = PREDICTION_ID_DIGITS * 2;
      const start = row * PREDICTION_ID_DIGITS;
      return copy(ids, start, start + PREDICTION_ID_DIGITS, target, to + 1);
    },
    outputs: (_, { outputs }, { target }, to) => {
      for (let k = 0; k < outputs.length; k++)
        target.words.setFloat32(to + k * FLOAT_BYTES, outputs[k]!, true);
      return to + outputs.length * FLOAT_BYTES;
    },
    decision: (_, { decision }, { target }, to) => {
      if (decision !== lastName) {
        last = decisions.get(decision)!;
        lastName = decision;
      }
      return copyAll(last, target, to);
    },
    kpis: (_, { kpis }, { into, target }, to) => {
      let next = to;
      for (let k = 0; k < isText.length; k++) {
        if (isText[k] === true) next = putText(into, next, kpis[k] as string | undefined);
        else {
          target.words.setFloat64(next, kpis[k] as number, true);
          next += DOUBLE_BYTES;
        }
      }
      return next;
    },
    vectorOffset: (_, { vectorOffset }, { into }, to) => putLong(into, to, vectorOffset),
    stale: (_, { stale }, { into }, to) => {
      into[to] = stale ? 1 : 0;
      return to + 1;
    },
  };
};
