/** Whether the rows are right: each payment once, with the vector of the fold offline and the score of the model offline. */
import { SCORE_TOLERANCE } from '../check.ts';
import type { Sheet, SheetAccount } from '../sheet.ts';

export interface ChainAccount extends SheetAccount {
  readonly wrongScores: number;
  readonly worstScore: number;
}

/**
 * Share of vectors that may differ by the order in which events of several keys came. Where the broker appends a send to
 * several partitions on both sides of a grid line of the epochs, a label and a payment of one terminal may change places.
 */
export const OTHER_ORDER_SHARE_MAX = 0.01;

export const isChainRight = (account: ChainAccount): boolean => {
  const { answers, missing, doubled, foreign, wrongVectors, wrongScores, otherOrder } = account;
  return (
    missing + doubled + foreign + wrongVectors + wrongScores === 0 &&
    otherOrder <= answers * OTHER_ORDER_SHARE_MAX
  );
};

/** What rows are judged by. */
export interface Evidence {
  /** Predictions that a reader saw on their topic: more than there are rows is doubled, as an upsert hides it. */
  readonly onTopic: number;
  /** Vectors of the fold, row by row. */
  readonly expected: Float32Array;
  /** Scores that were stored, and those of the model offline for the vectors that were stored. */
  readonly scores: ArrayLike<number>;
  readonly offline: ArrayLike<number>;
}

export const chainAccount = (
  sheet: Sheet,
  { onTopic, expected, scores, offline }: Evidence,
): ChainAccount => {
  const account = sheet.account(expected);
  let [wrongScores, worstScore] = [0, 0];
  for (let row = 0; row < scores.length; row++) {
    if (!sheet.has(row)) continue;
    const off = Math.abs(scores[row]! - offline[row]!);
    // Written so that NaN is wrong.
    if (!(off <= SCORE_TOLERANCE)) wrongScores++;
    worstScore = Math.max(worstScore, off);
  }
  const doubled = account.doubled + Math.max(0, onTopic - account.answers);
  return { ...account, doubled, wrongScores, worstScore };
};
