import type { TimelineListener } from './listener.ts';
import { endOf, type NewRow, type Point } from './row.ts';
import type { Timeline } from './timeline.ts';
import { eachCorrection, eachRow, type Window } from './window.ts';

const isAfter = (a: Point, b: Point): boolean =>
  (a.time - b.time || a.sequence - b.sequence || a.partition - b.partition || a.offset - b.offset) > 0;

/**
 * Counts the different texts of one measure in a window that slides along a timeline. It keeps how often each text
 * occurs between two points and moves these to where the next event needs them: in order that costs as much as rows
 * come and go, for a late event as much as it is late. It holds nothing that the rows do not say.
 */
export class SlidingDistinct implements TimelineListener {
  private readonly timeline: Timeline;
  private readonly measure: number;
  private times = new Map<string, number>();
  private covered: { readonly after: Point; readonly through: Point } | undefined;

  constructor(timeline: Timeline, measure: number) {
    this.timeline = timeline;
    this.measure = measure;
    timeline.listeners.push(this);
  }

  count(window: Window): number {
    const { through } = window;
    const after = endOf(window.after);
    const { covered } = this;
    if (covered === undefined || isAfter(after, covered.through) || isAfter(covered.after, through)) {
      this.times = new Map();
      this.move(after, through, 1);
    } else {
      // Grow before shrinking, so that a text that stays is never dropped and made again.
      this.move(after, covered.after, 1);
      this.move(covered.through, through, 1);
      this.move(covered.after, after, -1);
      this.move(through, covered.through, -1);
    }
    const { time, sequence, partition, offset } = through;
    this.covered = { after, through: { time, sequence, partition, offset } };
    return this.times.size + this.corrected(window);
  }

  added(row: NewRow): void {
    if (this.covers(row)) this.change(row.texts[this.measure], 1);
  }

  removed(row: NewRow): void {
    if (this.covers(row)) this.change(row.texts[this.measure], -1);
  }

  dropped(beforeTime: number): void {
    if (this.covered !== undefined && this.covered.after.time < beforeTime) this.covered = undefined;
  }

  private covers(row: NewRow): boolean {
    return (
      this.covered !== undefined && isAfter(row, this.covered.after) && !isAfter(row, this.covered.through)
    );
  }

  /** Adds (1) or takes away (-1) what lies behind one point and not behind another; nothing where they are crossed. */
  private move(after: Point, through: Point, by: 1 | -1): void {
    if (!isAfter(through, after)) return;
    const { timeline } = this;
    const from = timeline.positionThrough(after);
    const to = timeline.positionThrough(through);
    eachRow(timeline, from, to, (leaf, row) => this.change(leaf.texts[row]?.[this.measure], by));
  }

  private change(text: string | undefined, by: 1 | -1): void {
    if (text === undefined) return;
    const times = (this.times.get(text) ?? 0) + by;
    if (times === 0) this.times.delete(text);
    else this.times.set(text, times);
  }

  /** How many more there were at the window's time. */
  private corrected(window: Window): number {
    const changes = new Map<string, number>();
    eachCorrection(window, (leaf, row, by) => {
      const text = leaf.texts[row]?.[this.measure];
      if (text !== undefined) changes.set(text, (changes.get(text) ?? 0) + by);
    });
    let more = 0;
    for (const [text, by] of changes) {
      const now = this.times.get(text) ?? 0;
      more += Number(now + by > 0) - Number(now > 0);
    }
    return more;
  }
}
