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
  { metrics, group, clock }: Setting<In, Out>,
  lanes: readonly Lane<In>[],
  task: number,
  stateEntries: number | undefined,
): void {
  for (const lane of lanes) {
    const labels = { topic: lane.at.topic, partition: String(lane.at.partition) };
    lane.gate.count();
    metrics.set('millrace_lane_rows', labels, lane.rows);
    metrics.set('millrace_lane_bytes', labels, lane.bytes);
    const lag = Math.max(0, lane.end - lane.tracker.watermark);
    metrics.set('millrace_consumer_lag_records', labels, lag);
    metrics.set('kafka_consumergroup_group_lag', { group, ...labels }, lag);
    const { oldestMs } = lane;
    const lagSeconds = oldestMs === undefined ? 0 : Math.max(0, clock.now() - oldestMs) / 1000;
    metrics.set('kafka_consumergroup_group_lag_seconds', { group, ...labels }, lagSeconds);
  }
  if (stateEntries !== undefined)
    metrics.set('millrace_state_entries', { group, task: String(task) }, stateEntries);
}

/** The partitions are somebody else's now: what our gauges said of them would be counted twice. */
export function forgetLanes<In, Out extends object>(
  { metrics, group }: Setting<In, Out>,
  lanes: readonly Lane<In>[],
): void {
  for (const { at, gate } of lanes) {
    const labels = { topic: at.topic, partition: String(at.partition) };
    gate.forget();
    for (const name of [
      'millrace_lane_rows',
      'millrace_lane_bytes',
      'millrace_consumer_lag_records',
    ] as const)
      metrics.set(name, labels, 0);
    for (const name of ['kafka_consumergroup_group_lag', 'kafka_consumergroup_group_lag_seconds'] as const)
      metrics.set(name, { group, ...labels }, 0);
  }
}

/** How often the ends of partitions that stand still are asked for. */
const ENDS_MS = 5_000;

/**
 * A partition that is paused is not fetched, and nobody would hear how it grows: its end is asked for instead. Also
 * while there is no task yet, such as one that waits for a database. Ends with the signal.
 */
export async function watchPaused<In, Out extends object>(
  setting: Setting<In, Out>,
  lanesOf: () => Iterable<readonly [task: number, lanes: readonly Lane<In>[]]>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await setting.clock.sleep(ENDS_MS, signal).catch(() => undefined); // Aborted: the loop ends.
    if (signal.aborted) return;
    const paused = [...lanesOf()].filter(([, lanes]) => lanes.some(({ gate }) => gate.isClosed));
    const topics = new Set(paused.flatMap(([, lanes]) => lanes.map(({ at }) => at.topic)));
    for (const topic of topics) {
      const ends = await setting.broker.admin.endOffsets(topic).catch(() => []); // Asked again in a moment.
      for (const lane of paused.flatMap(([, lanes]) => lanes).filter(({ at }) => at.topic === topic))
        lane.end = Math.max(
          lane.end,
          ends.find(({ partition }) => partition === lane.at.partition)?.offset ?? 0,
        );
    }
    for (const [task, lanes] of paused) gaugeLanes(setting, lanes, task, undefined);
  }
}
