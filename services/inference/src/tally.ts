/** What is measured of one batch's predictions. */
export class Tally {
  readonly decisions = new Map<string, number>();
  readonly scores: number[] = [];
  readonly seconds: number[] = [];

  add(decision: string, score: number | undefined, seconds: number): void {
    this.decisions.set(decision, (this.decisions.get(decision) ?? 0) + 1);
    if (score !== undefined) this.scores.push(score);
    this.seconds.push(Math.max(0, seconds));
  }
}
