/** What is measured of one batch's predictions. */
export class Tally {
  readonly decisions = new Map<string, number>();
  readonly scores: number[] = [];
  readonly seconds: number[] = [];
  rows = 0;

  /** @param seconds since it was appended; undefined where nobody asks */
  add(decision: string, score: number | undefined, seconds: number | undefined): void {
    this.rows++;
    this.decisions.set(decision, (this.decisions.get(decision) ?? 0) + 1);
    if (score !== undefined) this.scores.push(score);
    if (seconds !== undefined) this.seconds.push(Math.max(0, seconds));
  }
}
