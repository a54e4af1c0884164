import type { Metrics } from '@millrace/telemetry';

const SECOND_MS = 1000;

/** What is measured of one batch's predictions. It is used again for the next batch, with the memory that it has. */
export class Tally {
  #scores = new Float64Array(0);
  #scored = 0;
  #seconds = new Float64Array(0);
  #timed = 0;
  readonly #decisions = new Map<string, number>();
  /** Of the last rows, which have one decision in common, and are not among the others yet. */
  #decision = '';
  #alike = 0;
  readonly #fallbacks = new Map<string, number>();

  /** Begins another batch, of so many rows at most. */
  renew(rowsMax: number): void {
    this.#scored = 0;
    this.#timed = 0;
    this.#decisions.clear();
    this.#fallbacks.clear();
    if (rowsMax <= this.#scores.length) return;
    this.#scores = new Float64Array(rowsMax);
    this.#seconds = new Float64Array(rowsMax);
  }

  add(decision: string, score: number | undefined): void {
    if (decision !== this.#decision) {
      this.#countDecision();
      this.#decision = decision;
    }
    this.#alike++;
    if (score !== undefined) this.#scores[this.#scored++] = score;
  }

  /** @param ms since it was appended */
  addTime(ms: number): void {
    this.#seconds[this.#timed++] = Math.max(0, ms) / SECOND_MS;
  }

  addFallback(reason: string): void {
    this.#fallbacks.set(reason, (this.#fallbacks.get(reason) ?? 0) + 1);
  }

  report(metrics: Metrics, pipeline: string): void {
    this.#countDecision();
    for (const [decision, rows] of this.#decisions)
      metrics.count('millrace_predictions_total', { pipeline, decision }, rows);
    for (const [reason, rows] of this.#fallbacks)
      metrics.count('millrace_records_fallback_total', { pipeline, reason }, rows);
    const [scores, seconds] = [
      this.#scores.subarray(0, this.#scored),
      this.#seconds.subarray(0, this.#timed),
    ];
    metrics.observeAll('millrace_prediction_score', { pipeline }, scores);
    metrics.observeAll('millrace_end_to_end_seconds', { pipeline, step: 'scored' }, seconds);
  }

  #countDecision(): void {
    if (this.#alike > 0)
      this.#decisions.set(this.#decision, (this.#decisions.get(this.#decision) ?? 0) + this.#alike);
    this.#alike = 0;
  }
}
