import type { PartitionOffset } from '../broker/port.ts';
import type { RejectReason } from '../task.ts';
import { handAgain, pump } from './handing.ts';
import type { Lane } from './lane.ts';
import { HOLD_MS_FIRST, HOLD_MS_MAX } from './options.ts';
import type { Handover } from './outcomes.ts';
import type { Sitting } from './sitting.ts';

export interface HeldAt extends PartitionOffset {
  readonly reason: RejectReason;
}

interface Hold {
  /** One record each, in the order of their answers. */
  held: { readonly hand: Handover; readonly at: HeldAt }[];
  first: HeldAt;
  delayMs: number;
  dueAtMs: number;
  asking: boolean;
}

/**
 * The lanes of one sitting that stand still for a record that cannot be used yet. States of a lane: flowing (no record
 * on hold) → held (its gate is closed, its queue waits) → asking (the records are handed over again) → held, with a
 * longer wait, when one of them is put on hold again, else flowing. It waits without an end: whoever chose to hold
 * wants no record passed over, and a metric, a log line and the readiness tell of it.
 */
export class Holds<In, Out extends object> {
  readonly #sitting: Sitting<In, Out>;
  readonly #holds = new Map<Lane<In>, Hold>();

  constructor(sitting: Sitting<In, Out>) {
    this.#sitting = sitting;
  }

  /** The record for which a lane has stood still first; undefined while all flow. */
  get first(): HeldAt | undefined {
    return this.#holds.values().next().value?.first;
  }

  add(handover: Handover, index: number, reason: RejectReason): void {
    const { run } = handover;
    const { lanes, setting } = this.#sitting.of;
    const lane = lanes.find(({ at }) => at.topic === run.topic)!;
    const at = { ...lane.at, offset: run.offset(index), reason };
    const one = { hand: { ...handover, from: index, to: index + 1 }, at };
    const hold = this.#holds.get(lane);
    if (hold !== undefined) {
      hold.held.push(one);
      return;
    }
    const dueAtMs = setting.clock.now() + HOLD_MS_FIRST;
    this.#holds.set(lane, { held: [one], first: at, delayMs: HOLD_MS_FIRST, dueAtMs, asking: false });
    lane.gate.close('hold');
    this.#gauge(at, 1);
    setting.logger.warn(at, 'the lane stands still until this record can be used');
  }

  /** Asks again where it is time. */
  onTime(nowMs: number): void {
    for (const [lane, hold] of this.#holds)
      if (!hold.asking && nowMs >= hold.dueAtMs)
        this.#ask(lane, hold).catch((error: unknown) => this.#sitting.fail(error));
  }

  /** The sitting is over: the records are read again by the next one. */
  end(): void {
    for (const [lane, { first }] of this.#holds) {
      this.#gauge(first, 0);
      lane.gate.open('hold');
    }
    this.#holds.clear();
  }

  async #ask(lane: Lane<In>, hold: Hold): Promise<void> {
    const { clock, logger } = this.#sitting.of.setting;
    hold.asking = true;
    const again = hold.held.map(({ hand }) => hand);
    hold.held = [];
    await handAgain(this.#sitting, lane, again);
    if (this.#sitting.signal.aborted) return;
    hold.asking = false;
    hold.delayMs = Math.min(hold.delayMs * 2, HOLD_MS_MAX);
    hold.dueAtMs = clock.now() + hold.delayMs;
    this.#gauge(hold.first, 0);
    if (hold.held.length > 0) {
      hold.first = hold.held[0]!.at;
      return this.#gauge(hold.first, 1);
    }
    this.#holds.delete(lane);
    logger.info(lane.at, 'the record could be used: the lane goes on');
    lane.gate.open('hold');
    pump(this.#sitting, lane);
  }

  #gauge({ topic, partition, reason }: HeldAt, value: 0 | 1): void {
    const labels = { topic, partition: String(partition), reason };
    this.#sitting.of.setting.metrics.set('millrace_lane_held', labels, value);
  }
}
