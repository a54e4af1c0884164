/** What a bench says of its result in the end, and whether that is a success. Pure. */

export interface Judged {
  /** No answer that was judged is wrong. */
  readonly correct: boolean;
  readonly rounds: readonly unknown[];
  /** What answers are compared with; default the scores of the model. */
  readonly judgedBy?: string;
  /** Who read the answers beside us; null where nobody did, and why. Benches in which nobody does have neither. */
  readonly judge?: string | null;
  readonly judgeLeft?: string | undefined;
  /** Contestants that were asked for and could not be measured to the end. */
  readonly failed?: readonly string[];
}

export interface Closing {
  readonly lines: readonly string[];
  readonly good: boolean;
}

const ofAnswers = ({
  correct,
  rounds,
  judge,
  judgedBy = 'the score of the model offline',
}: Judged): string => {
  if (rounds.length === 0) return 'nothing was measured: no contestant came to the end of a round';
  const alsoBy = judge ? `; ${judge} says so, too` : '';
  return correct
    ? `every record was answered once, with ${judgedBy}${alsoBy}`
    : 'the answers are WRONG: see the account or the verdict of each round';
};

export const closingOf = (result: Judged): Closing => {
  const { correct, rounds, judge, judgeLeft, failed = [] } = result;
  const ofJudge =
    judge === null
      ? [`NOT JUDGED by a reader that is not ours, which needs python3 with venv: ${judgeLeft}`]
      : [];
  const ofFailed = failed.length === 0 ? [] : [`asked for, but FAILED to run: ${failed.join(', ')}`];
  return {
    lines: [ofAnswers(result), ...ofJudge, ...ofFailed],
    good: correct && rounds.length > 0 && failed.length === 0,
  };
};
