import type { OutRecord, PartitionOffset, RecordRun, TopicPartition } from '../broker/port.ts';
import { Bisection } from './bisect.ts';
import type { Gate } from './gate.ts';
import { type InputOptions, LANE_DEFAULT, type LaneMarks } from './options.ts';
import { OffsetTracker } from './offsets.ts';

/**
 * One input partition of one task: runs read and not yet handed over, records open, records closed and not yet
 * committed. All of them count against the marks, so memory is bounded whatever the task or the broker does.
 */
export class Lane<In> {
  readonly at: TopicPartition;
  readonly input: InputOptions<In>;
  readonly gate: Gate;
  readonly bisection = new Bisection();
  readonly #marks: LaneMarks | undefined;
  readonly queue: RecordRun[] = [];
  tracker: OffsetTracker<OutRecord>;
  /** Committed offset, as far as this process knows; undefined where the group has none. */
  committed: number | undefined;
  /** Where this task began to read. */
  start: number;
  /** End of the partition as last seen. */
  end = 0;
  /** Read to here with nothing behind it, told to the task once the queue has been handed over. */
  caughtUpAt: PartitionOffset | undefined;
  /** Its next run cannot be read: the registry does not answer. */
  lacksSchemas = false;
  /** Who hands its runs over just now. */
  pumpedBy: object | undefined;
  /** Where the membership reads on, unless it is told to seek. */
  #readNext: number;
  #rows = 0;
  #bytes = 0;
  #runs: { rows: number; readonly bytes: number; readonly appendTimeMs: number }[] = [];

  constructor(input: InputOptions<In>, start: PartitionOffset, gate: Gate) {
    this.at = { topic: start.topic, partition: start.partition };
    this.input = input;
    this.gate = gate;
    this.#marks = input.lane === 'unbounded' ? undefined : (input.lane ?? LANE_DEFAULT);
    this.#readNext = start.offset;
    this.start = start.offset;
    this.tracker = new OffsetTracker(start.offset);
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Append time of the oldest run that is not committed as a whole. */
  get oldestMs(): number | undefined {
    return this.#runs[0]?.appendTimeMs;
  }

  get isFull(): boolean {
    return this.gate.has('lane');
  }

  /** Starts anew at an offset. @returns whether the membership has read past it or short of it, and must seek. */
  startAt(offset: number): boolean {
    this.start = offset;
    this.tracker = new OffsetTracker(offset);
    this.queue.length = 0;
    this.#runs = [];
    this.#rows = 0;
    this.#bytes = 0;
    this.caughtUpAt = undefined;
    this.pumpedBy = undefined;
    this.lacksSchemas = false;
    const mustSeek = this.#readNext !== offset;
    this.#readNext = offset;
    this.gate.open('lane');
    return mustSeek;
  }

  /** A run came while there is no task for it: it is read again later. */
  drop(run: RecordRun): void {
    this.#readNext = run.nextOffset;
  }

  push(run: RecordRun): void {
    this.#readNext = run.nextOffset;
    this.end = Math.max(this.end, run.highWatermark);
    this.queue.push(run);
    const { bytes } = run;
    this.#runs.push({ rows: run.length, bytes, appendTimeMs: run.appendTimeMs(0) });
    this.#rows += run.length;
    this.#bytes += bytes;
    if (
      this.#marks !== undefined &&
      (this.#rows >= this.#marks.rowsHigh || this.#bytes >= this.#marks.bytesHigh)
    )
      this.gate.close('lane');
  }

  /** The oldest rows are committed. */
  release(rows: number): void {
    this.#rows -= rows;
    let left = rows;
    while (left > 0 || this.#runs[0]?.rows === 0) {
      const run = this.#runs[0]!;
      const step = Math.min(left, run.rows);
      run.rows -= step;
      left -= step;
      if (run.rows > 0) break;
      this.#bytes -= run.bytes;
      this.#runs.shift();
    }
    if (this.#marks === undefined) return;
    if (this.#rows <= this.#marks.rowsLow && this.#bytes <= this.#marks.bytesLow) this.gate.open('lane');
  }
}
