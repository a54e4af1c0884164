import type { OutRecord } from '../broker/port.ts';
import type { OverlayState } from '../state/overlay.ts';
import { markNow } from '../state/restore.ts';
import type { Mark } from '../state/store.ts';
import { CommitSize } from './commitSize.ts';
import { type Cut, sentTogether, takeCut } from './cut.ts';
import { countCommit } from './measures.ts';
import type { SittingOf } from './sitting.ts';

/**
 * One commit after the other: cuts what is ready, ships it, and lets go of what it took. Where outputs count once they
 * are acknowledged, they are cut and sent ahead, and a commit takes the offsets of what is acknowledged by then.
 */
export class Shipping<In, Out extends object> {
  readonly size: CommitSize;
  readonly #of: SittingOf<In, Out>;
  readonly #state: OverlayState | undefined;
  readonly #signal: AbortSignal;
  #plain: OutRecord[] = [];
  #cuts = 0;
  /** End of the last commit, or the beginning. */
  #lastMs: number;
  #gaps = false;
  /** Acknowledged, its offsets not committed yet. */
  #sent: Cut<In>[] = [];
  /** What sending it took. */
  #sentMs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param signal aborted: what is shipped must not be committed any more. */
  constructor(of: SittingOf<In, Out>, state: OverlayState | undefined, signal: AbortSignal) {
    this.#of = of;
    this.#state = state;
    this.#signal = signal;
    this.size = new CommitSize(of.setting.commit);
    this.#lastMs = of.setting.clock.now();
  }

  /**
   * After a while of quiet, the gaps behind the last record are due: when retention has removed them, an offset before
   * them would look like records that are lost. @returns whether there is something to commit for it
   */
  gapsAreDue(nowMs: number): boolean {
    const { setting, lanes } = this.#of;
    if (nowMs - this.#lastMs < setting.commit.quietMs) return false;
    this.#gaps = lanes.some(
      ({ tracker, committed, start }) => tracker.open === 0 && tracker.watermark !== (committed ?? start),
    );
    return this.#gaps;
  }

  /** Output that belongs to no record, for the next commit. */
  put(record: OutRecord): void {
    this.#plain.push(record);
  }

  get sendsAhead(): boolean {
    return this.#of.courier.send !== undefined;
  }

  /**
   * Sends what is ready ahead of its commit. One send after the other: order is kept, and nothing is sent after what has
   * failed. @returns whether more is ready than one send may carry
   */
  send(): Promise<boolean> {
    const sent = this.#turn.then(() => this.#send());
    this.#turn = sent;
    sent.catch(() => undefined); // Whoever asked for it hears of it, and so does everybody who asks after it.
    return sent;
  }

  async #send(): Promise<boolean> {
    this.#signal.throwIfAborted();
    const { courier, setting } = this.#of;
    const cut = this.#cut();
    if (cut === undefined) return false;
    const startMs = setting.clock.now();
    if (cut.records.length > 0) await courier.send!(cut.records);
    this.#sentMs += setting.clock.now() - startMs;
    // Its records need not be kept.
    this.#sent.push({ ...cut, records: [] });
    return cut.more;
  }

  /** What is acknowledged and not committed, once everything that is ready has been sent. */
  async #acknowledged(): Promise<Cut<In> | undefined> {
    const more = await this.send();
    const sent = this.#sent;
    this.#sent = [];
    return sent.length === 0 ? undefined : { ...sentTogether(sent), more };
  }

  /** @returns whether more is ready than one commit may carry. */
  async commit(): Promise<boolean> {
    const { setting, courier } = this.#of;
    const { clock, group, metrics } = setting;
    const cut = this.sendsAhead ? await this.#acknowledged() : this.#cut();
    if (cut === undefined) return false;
    const startMs = clock.now();
    const atMs = { begun: startMs, sent: startMs };
    try {
      await courier.ship(cut, this.#signal, step => {
        atMs[step] = clock.now();
      });
    } catch (error) {
      metrics.count('millrace_commits_total', { group, outcome: 'failed' });
      throw error;
    }
    this.#signal.throwIfAborted();
    const endMs = clock.now();
    this.#lastMs = endMs;
    this.#gaps = false;
    await this.#state?.settle(cut.bookkeeping, () => this.#mark());
    this.size.observe({
      records: cut.size,
      sendMs: atMs.sent - atMs.begun + this.#sentMs,
      endMs: endMs - atMs.sent,
    });
    this.#sentMs = 0;
    countCommit(setting, cut, (endMs - startMs) / 1000);
    this.#release(cut);
    return cut.more;
  }

  /** Between two commits: what of the changelog is committed is all in the state. */
  #mark(): Promise<Mark> {
    const { setting, store, task } = this.#of;
    const { broker, clock, changelog } = setting;
    return markNow({ broker, clock, store: store!, changelog: changelog!, partition: task });
  }

  #cut(): Cut<In> | undefined {
    const { setting, lanes, task } = this.#of;
    const { changelog } = setting;
    const plain = this.#plain;
    this.#plain = [];
    // Another lane goes first each time: one that always has much would leave no room for the others.
    const first = this.#cuts++ % lanes.length;
    return takeCut({
      lanes: [...lanes.slice(first), ...lanes.slice(0, first)],
      plain,
      state: this.#state,
      changelog: changelog === undefined ? undefined : { topic: changelog, partition: task },
      max: this.size.cutMax,
      gaps: this.#gaps,
    });
  }

  #release({ offsets, shares }: Cut<In>): void {
    const { lanes, committed } = this.#of;
    for (const { topic, offset } of offsets) {
      const lane = lanes.find(({ at }) => at.topic === topic)!;
      lane.committed = offset;
      lane.bisection.committed(offset);
    }
    for (const { lane, rows } of shares) lane.release(rows);
    committed(shares.reduce((sum, { counts }) => sum + counts.done, 0));
  }
}
