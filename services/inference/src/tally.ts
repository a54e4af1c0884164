import type { Metrics } from '@millrace/telemetry';

/** What is measured of one batch's predictions. */
export class Tally {
  readonly decisions = new Map<string, number>();
  readonly scores: number[] = [];
  readonly seconds: number[] = [];
  readonly fallbacks = new Map<string, number>();

  /** @param seconds since it was appended; undefined where nobody asks */
  add(decision: string, score: number | undefined, seconds: number | undefined): void {
    this.decisions.set(decision, (this.decisions.get(decision) ?? 0) + 1);
    if (score !== undefined) this.scores.push(score);
    if (seconds !== undefined) this.seconds.push(Math.max(0, seconds));
  }

  addFallback(reason: string): void {
    this.fallbacks.set(reason, (this.fallbacks.get(reason) ?? 0) + 1);
  }

  report(metrics: Metrics, pipeline: string): void {
    for (const [decision, rows] of this.decisions)
      metrics.count('millrace_predictions_total', { pipeline, decision }, rows);
    for (const [reason, rows] of this.fallbacks)
      metrics.count('millrace_records_fallback_total', { pipeline, reason }, rows);
    metrics.observeAll('millrace_prediction_score', { pipeline }, this.scores);
    metrics.observeAll('millrace_end_to_end_seconds', { pipeline, step: 'scored' }, this.seconds);
  }
}
