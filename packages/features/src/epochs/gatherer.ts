import type { Gathered } from './cutter.ts';
import { type Epoch, EPOCH_NONE } from './number.ts';

export interface Complete<Row, Held> {
  /** Newest epoch applied now: the stage's own marker. */
  readonly applied: Epoch;
  /** Non-empty epochs up to it, ascending. Each is sorted and folded by itself. */
  readonly epochs: readonly Gathered<Row>[];
  /** What was held for the markers of these epochs: it may be closed with their commit. */
  readonly markers: readonly Held[];
}

/**
 * Gathers rows of many lanes into epochs, and hands an epoch over once every lane's marker has reached it. A marker
 * is cumulative: nothing of its epoch, or of an earlier one, will follow from its lane. `Held` stands for a marker's
 * record, which stays open as long as its epoch is not applied, as rows do.
 */
export class EpochGatherer<Row, Held> {
  readonly #marked: Epoch[];
  readonly #open = new Map<Epoch, Row[]>();
  #markers: { readonly epoch: Epoch; readonly held: Held }[] = [];
  #applied: Epoch;

  /** `applied`: of the last commit. Each lane's marker starts there. */
  constructor(lanes: number, applied: Epoch = EPOCH_NONE) {
    this.#applied = applied;
    this.#marked = Array.from({ length: lanes }, () => applied);
  }

  get applied(): Epoch {
    return this.#applied;
  }

  /** Rows held back until their epoch is complete. */
  get rowsHeld(): number {
    let rows = 0;
    for (const held of this.#open.values()) rows += held.length;
    return rows;
  }

  /** Non-empty epochs held. */
  get epochsHeld(): number {
    return this.#open.size;
  }

  /** Lanes for whose markers everything held waits; none while nothing is held. */
  get laggards(): readonly number[] {
    if (this.#open.size === 0 && this.#markers.length === 0) return [];
    const least = Math.min(...this.#marked);
    return [...this.#marked.keys()].filter(lane => this.#marked[lane] === least);
  }

  /** False: the row's epoch was applied before a restart, and the row is not kept. */
  row(epoch: Epoch, row: Row): boolean {
    if (epoch <= this.#applied) return false;
    const rows = this.#open.get(epoch);
    if (rows === undefined) this.#open.set(epoch, [row]);
    else rows.push(row);
    return true;
  }

  /** False: the marker says nothing that is not applied already. */
  marker(lane: number, epoch: Epoch, held: Held): boolean {
    if (epoch <= this.#applied) return false;
    const marked = this.#marked[lane];
    if (marked === undefined) throw new RangeError(`lane ${lane} of ${this.#marked.length}`);
    this.#marked[lane] = Math.max(marked, epoch);
    this.#markers.push({ epoch, held });
    return true;
  }

  /** The epochs that every lane has marked since the last call, or nothing. */
  take(): Complete<Row, Held> | undefined {
    const applied = Math.min(...this.#marked);
    if (applied <= this.#applied) return undefined;
    this.#applied = applied;
    const epochs: Gathered<Row>[] = [];
    for (const [epoch, rows] of this.#open) if (epoch <= applied) epochs.push({ epoch, rows });
    epochs.sort((a, b) => a.epoch - b.epoch);
    for (const { epoch } of epochs) this.#open.delete(epoch);
    const closed = this.#markers.filter(marker => marker.epoch <= applied);
    this.#markers = this.#markers.filter(marker => marker.epoch > applied);
    return { applied, epochs, markers: closed.map(marker => marker.held) };
  }
}
