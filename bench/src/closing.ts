/** What a bench says of its result in the end, and whether that is a success. Pure. */

export interface Judged {
  /** No answer that was judged is wrong. */
  readonly correct: boolean;
  readonly rounds: readonly unknown[];
  /** What answers are compared with; default the scores of the model. */
  readonly judgedBy?: string;
  /** Contestants that were asked for and could not be measured to the end. */
  readonly failed?: readonly string[];
}

export interface Closing {
  readonly lines: readonly string[];
  readonly good: boolean;
}

const ofAnswers = ({ correct, rounds, judgedBy = 'the score of the model offline' }: Judged): string => {
  if (rounds.length === 0) return 'nothing was measured: no contestant came to the end of a round';
  return correct
    ? `every record was answered once, with ${judgedBy}`
    : 'the answers are WRONG: see the account or the verdict of each round';
};

export const closingOf = (result: Judged): Closing => {
  const { correct, rounds, failed = [] } = result;
  const ofFailed = failed.length === 0 ? [] : [`asked for, but FAILED to run: ${failed.join(', ')}`];
  return {
    lines: [ofAnswers(result), ...ofFailed],
    good: correct && rounds.length > 0 && failed.length === 0,
  };
};
