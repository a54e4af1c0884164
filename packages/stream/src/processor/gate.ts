import type { Clock, Metrics } from '@millrace/telemetry';
import type { TopicPartition } from '../broker/port.ts';

/** Why reading of a partition stands still: its lane is full, a record is on hold, the task asked, or there is no task. */
export type PauseReason = 'lane' | 'hold' | 'task' | 'no-task';

export interface Valve {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
}

/** One partition's reasons to stand still: it is paused while there is any, and the broker hears of changes only. */
export class Gate {
  readonly #at: TopicPartition;
  readonly #valve: Valve;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #reasons = new Set<PauseReason>();
  #countedAtMs: number | undefined;

  constructor(at: TopicPartition, valve: Valve, clock: Clock, metrics: Metrics) {
    this.#at = { topic: at.topic, partition: at.partition };
    this.#valve = valve;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  has(reason: PauseReason): boolean {
    return this.#reasons.has(reason);
  }

  get isClosed(): boolean {
    return this.#reasons.size > 0;
  }

  close(reason: PauseReason): void {
    const wasOpen = this.#reasons.size === 0;
    this.#reasons.add(reason);
    if (!wasOpen) return;
    this.#valve.pause([this.#at]);
    this.#countedAtMs = this.#clock.now();
    this.#metrics.set('millrace_partition_paused', this.#labels(), 1);
  }

  open(reason: PauseReason): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return;
    this.count();
    this.#valve.resume([this.#at]);
    this.#metrics.set('millrace_partition_paused', this.#labels(), 0);
    this.#countedAtMs = undefined;
  }

  /** Counts the time paused so far. */
  count(): void {
    if (this.#countedAtMs === undefined) return;
    const nowMs = this.#clock.now();
    const seconds = (nowMs - this.#countedAtMs) / 1000;
    if (seconds > 0) this.#metrics.count('millrace_paused_seconds_total', this.#labels(), seconds);
    this.#countedAtMs = nowMs;
  }

  /** Without a word to the broker: the partition is somebody else's. */
  forget(): void {
    this.count();
    this.#countedAtMs = undefined;
    this.#reasons.clear();
    this.#metrics.set('millrace_partition_paused', this.#labels(), 0);
  }

  #labels(): { readonly topic: string; readonly partition: string } {
    return { topic: this.#at.topic, partition: String(this.#at.partition) };
  }
}
