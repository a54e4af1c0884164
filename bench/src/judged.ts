/** What both judges say of the answers of a round. Pure. */
import { type Account, isRight as isAccountRight } from './check.ts';
import { isRight as isVerdictRight, type Verdict } from './peers/judge.ts';

export interface BothJudged {
  /** By our own reader and codec; null of copies of vectors, which are no predictions. */
  readonly account: Account | null;
  /** By a reader that is not ours; null where the judge is left out. */
  readonly verdict: Verdict | null;
}

export const areRight = ({ account, verdict }: BothJudged): boolean =>
  (account === null || isAccountRight(account)) && (verdict === null || isVerdictRight(verdict));

/** The end of a line about a round. */
export const wrongsOf = ({ account, verdict }: BothJudged): string =>
  areRight({ account, verdict }) ? '' : `, WRONG: ${JSON.stringify({ account, verdict })}`;
