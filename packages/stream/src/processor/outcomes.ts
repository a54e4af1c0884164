import type { OutRecord, RecordRun } from '../broker/port.ts';
import { bytesOfRecord } from '../broker/shared.ts';
import type { Emitter, Outcomes, RejectReason } from '../task.ts';
import { DONE, rejectCode, skipCode } from './closing.ts';
import { type ClosingCode, heldOf, type OffsetTracker, type Segment } from './offsets.ts';
import type { Outlet } from './outlets.ts';
import type { RejectPolicies } from './options.ts';
import { ProgrammingError, StoppedByRecord } from './trouble.ts';

/** What the answers of one task come together in. */
export interface Desk {
  readonly outlet: Outlet;
  /** Aborted: the task has ended, and answers that still come are dropped. */
  readonly signal: AbortSignal;
  readonly rejects: RejectPolicies;
  letter(run: RecordRun, index: number, reason: RejectReason, cause: unknown): OutRecord;
  /** Plain output, for the next commit. */
  put(record: OutRecord): void;
  touch(records: number, bytes: number): void;
  /** The record stays open, and its lane stands still until the task takes it. */
  hold(hand: Handover, index: number, reason: RejectReason): void;
  /** Our rules were broken, or a record must stop us: the process ends. */
  broken(error: ProgrammingError | StoppedByRecord): void;
}

export function emitterOf<Out>(desk: Desk): Emitter<Out> {
  const put = (record: OutRecord): void => {
    desk.put(record);
    desk.touch(1, bytesOfRecord(record));
  };
  return {
    put: (to, at) => {
      if (!desk.signal.aborted) put(desk.outlet.shared(to, at));
    },
    emit: (to, key, value, partition) => {
      if (!desk.signal.aborted) put(desk.outlet.record(to, key, value, partition));
    },
  };
}

/** The records of one piece of a run, open until each has its closing answer. */
export interface Handover {
  readonly run: RecordRun;
  readonly tracker: OffsetTracker<OutRecord>;
  readonly segment: Segment<OutRecord>;
  readonly from: number;
  readonly to: number;
  /** Indices in the run that were put on hold: answered, and yet open. */
  readonly onHold: Set<number>;
}

export function outcomesOf<Out>(desk: Desk, hand: Handover): Outcomes<Out> {
  const { run, segment, from, to } = hand;
  const at = (i: number): number => {
    if (Number.isInteger(i) && i >= 0 && i < to - from) return from + i;
    throw broken(desk, new ProgrammingError(`${run.topic}-${run.partition}: no record ${i} in this batch`));
  };
  const hold = (index: number, record: OutRecord): void => {
    // At its full length at once: to grow as it is filled would leave three times as much behind.
    if (segment.held.length === 0) segment.held.length = segment.length;
    const before = segment.held[index];
    segment.held[index] = before === undefined ? record : [...heldOf(before), record];
  };
  const keep = (index: number, record: OutRecord): void => {
    hold(index, record);
    desk.touch(1, bytesOfRecord(record));
  };
  const close = (index: number, code: ClosingCode): void => {
    if (isAnswered(hand, index)) throw broken(desk, twice(hand, index));
    hand.tracker.close(segment, index, code);
    desk.touch(1, 0);
  };
  return {
    ...emitterOf<Out>(desk),
    emitFor: (i, to, key, value, partition) => {
      if (desk.signal.aborted) return;
      const index = at(i);
      if (isAnswered(hand, index)) throw broken(desk, twice(hand, index));
      keep(index, desk.outlet.record(to, key, value, partition));
    },
    answer: (i, to, shared) => {
      if (desk.signal.aborted) return;
      const index = at(i);
      if (isAnswered(hand, index)) throw broken(desk, twice(hand, index));
      const record = desk.outlet.shared(to, shared);
      hold(index, record);
      hand.tracker.close(segment, index, DONE);
      desk.touch(2, bytesOfRecord(record));
    },
    done: i => {
      if (!desk.signal.aborted) close(at(i), DONE);
    },
    skip: (i, reason) => {
      if (!desk.signal.aborted) close(at(i), skipCode(reason));
    },
    reject: (i, reason, cause) => {
      if (desk.signal.aborted) return;
      const index = at(i);
      if (isAnswered(hand, index)) throw broken(desk, twice(hand, index));
      const policy = desk.rejects[reason] ?? 'dead-letter';
      if (policy === 'stop') return desk.broken(stopped(hand, index, reason));
      if (policy === 'dead-letter') {
        keep(index, desk.letter(run, index, reason, cause));
        return close(index, rejectCode(reason));
      }
      // What was emitted for it is emitted again once the task can use it.
      segment.held[index] = undefined;
      hand.onHold.add(index);
      desk.hold(hand, index, reason);
    },
  };
}

/** @throws ProgrammingError naming the first record that a settled handler has left without an answer. */
export function assertClosed(hand: Handover): void {
  for (let index = hand.from; index < hand.to; index++)
    if (!isAnswered(hand, index))
      throw new ProgrammingError(`${placeIn(hand, index)}: the handler has ended without closing it`);
}

const isAnswered = ({ segment, onHold }: Handover, index: number): boolean =>
  segment.closed[index] !== 0 || (onHold.size > 0 && onHold.has(index));

const placeIn = ({ run }: Handover, index: number): string =>
  `${run.topic}-${run.partition} offset ${run.offset(index)}`;

const twice = (hand: Handover, index: number): ProgrammingError =>
  new ProgrammingError(`${placeIn(hand, index)}: an answer after its closing answer`);

const stopped = (hand: Handover, index: number, reason: RejectReason): StoppedByRecord =>
  new StoppedByRecord(`${placeIn(hand, index)}: rejected as ${reason}, and the pipeline says to stop there`);

const broken = (desk: Desk, error: ProgrammingError): ProgrammingError => {
  desk.broken(error);
  return error;
};
