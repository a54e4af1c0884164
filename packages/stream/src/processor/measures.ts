import type { Cut } from './cut.ts';
import type { Lane } from './lane.ts';
import type { Setting } from './setting.ts';

/** What a commit did. Counted only here, so that in = done + skipped + rejected whenever somebody looks. */
export function countCommit<In, Out extends object>(
  { metrics, group }: Setting<In, Out>,
  cut: Cut<In>,
  seconds: number,
): void {
  metrics.count('millrace_commits_total', { group, outcome: 'committed' });
  metrics.observe('millrace_commit_seconds', { group }, seconds);
  for (const [topic, count] of cut.outputs) metrics.count('millrace_records_out_total', { topic }, count);
  for (const { lane, rows, counts } of cut.shares) {
    const { topic } = lane.at;
    if (rows > 0) metrics.count('millrace_records_in_total', { topic }, rows);
    if (counts.done > 0) metrics.count('millrace_records_done_total', { topic }, counts.done);
    for (const [reason, count] of counts.skipped())
      metrics.count('millrace_records_skipped_total', { topic, reason }, count);
    for (const [reason, count] of counts.rejected())
      metrics.count('millrace_records_rejected_total', { topic, reason }, count);
  }
}

export function gaugeLanes<In, Out extends object>(
  { metrics, group }: Setting<In, Out>,
  lanes: readonly Lane<In>[],
  task: number,
  stateEntries: number | undefined,
): void {
  for (const lane of lanes) {
    const labels = { topic: lane.at.topic, partition: String(lane.at.partition) };
    lane.gate.count();
    metrics.set('millrace_lane_rows', labels, lane.rows);
    metrics.set('millrace_consumer_lag_records', labels, Math.max(0, lane.end - lane.tracker.watermark));
  }
  if (stateEntries !== undefined)
    metrics.set('millrace_state_entries', { group, task: String(task) }, stateEntries);
}
