import type { OutRecord, RecordRun } from '../broker/port.ts';
import type { Task } from '../task.ts';
import type { Piece } from './bisect.ts';
import type { Lane } from './lane.ts';
import type { Segment } from './offsets.ts';
import { assertClosed, type Handover, outcomesOf } from './outcomes.ts';
import type { Sitting } from './sitting.ts';
import { isOwnDefect } from './trouble.ts';
import { framesOf, viewOf } from './view.ts';

/** A handler's own mistake on these records. The message names no content. */
export class HandlerFailure extends Error {
  readonly topic: string;
  readonly first: number;
  readonly last: number;

  constructor({ run, from, to }: Handover, cause: unknown) {
    const [first, last] = [run.offset(from), run.offset(to - 1)];
    super(`the handler failed on ${run.topic}-${run.partition} offsets ${first} to ${last}`, { cause });
    this.name = 'HandlerFailure';
    this.topic = run.topic;
    this.first = first;
    this.last = last;
  }
}

/** Hands the runs of one lane over, in order, until its queue is empty or the task has ended. */
export function pump<In, Out extends object>(sitting: Sitting<In, Out>, lane: Lane<In>): void {
  if (lane.pumpedBy === sitting) return;
  lane.pumpedBy = sitting;
  handAll(sitting, lane).catch((error: unknown) => sitting.fail(error));
}

async function handAll<In, Out extends object>(sitting: Sitting<In, Out>, lane: Lane<In>): Promise<void> {
  try {
    while (lane.queue.length > 0 && !lane.gate.has('hold')) {
      const run = lane.queue[0]!;
      await prepared(sitting, lane, run);
      const task = sitting.taker;
      if (task === undefined) return;
      if (lane.gate.has('hold')) break;
      lane.queue.shift();
      hand(sitting, lane, task, run);
    }
    if (lane.queue.length === 0) sayCaughtUp(sitting, lane);
  } finally {
    // In the stretch that found the queue empty: a run that comes after it finds nobody pumping.
    if (lane.pumpedBy === sitting) lane.pumpedBy = undefined;
  }
}

/** Tells the task that its lane has been read to the end, once all before that was handed over. */
export function sayCaughtUp<In, Out extends object>(sitting: Sitting<In, Out>, lane: Lane<In>): void {
  const task = sitting.taker;
  const at = lane.caughtUpAt;
  if (task === undefined || at === undefined) return;
  lane.caughtUpAt = undefined;
  if (at.offset < lane.tracker.position) return;
  lane.tracker.moveTo(at.offset);
  try {
    task.onCaughtUp?.(at);
  } catch (error) {
    sitting.fail(error);
  }
}

/** Learns the schemas of a run. While the registry is silent the lane waits: nothing is lost, and nothing is guessed. */
async function prepared<In, Out extends object>(
  sitting: Sitting<In, Out>,
  lane: Lane<In>,
  run: RecordRun,
): Promise<void> {
  const { clock, logger, metrics, retry } = sitting.of.setting;
  for (let delayMs = retry.delayMsFirst; ; delayMs = Math.min(delayMs * 2, retry.delayMsMax)) {
    try {
      await lane.input.codec.prepare(framesOf(run));
      if (delayMs > retry.delayMsFirst) logger.info(lane.at, 'the schemas are known again');
      if (!sitting.signal.aborted) lane.lacksSchemas = false;
      return;
    } catch (error) {
      if (isOwnDefect(error)) throw error;
      if (delayMs === retry.delayMsFirst)
        logger.warn(
          { ...lane.at, error: (error as Error).name },
          'the schemas cannot be had: the lane waits',
        );
      metrics.count('millrace_retries_total', { what: 'schemas' });
      lane.lacksSchemas ||= !sitting.signal.aborted;
    }
    await clock.sleep(delayMs, sitting.signal);
  }
}

function hand<In, Out extends object>(
  sitting: Sitting<In, Out>,
  lane: Lane<In>,
  task: Task<In, Out>,
  run: RecordRun,
): void {
  const segment = lane.tracker.add(run.length, i => run.offset(i), run.nextOffset);
  for (const piece of lane.bisection.pieces(run.length, i => run.offset(i))) {
    if (sitting.taker !== task) return;
    void handPiece(sitting, lane, task, run, segment, piece);
  }
}

/** Hands records that were on hold over once more, each piece of a run together; what they wait for may be there now. */
export async function handAgain<In, Out extends object>(
  sitting: Sitting<In, Out>,
  lane: Lane<In>,
  held: readonly Handover[],
): Promise<void> {
  for (const run of new Set(held.map(one => one.run))) await prepared(sitting, lane, run);
  const task = sitting.taker;
  if (task === undefined) return;
  await Promise.all(
    held.map(({ run, segment, from, to }) =>
      handPiece(sitting, lane, task, run, segment, { from, to, condemned: false }),
    ),
  );
}

/** @returns when the task has settled; whatever goes wrong ends the sitting. */
function handPiece<In, Out extends object>(
  sitting: Sitting<In, Out>,
  lane: Lane<In>,
  task: Task<In, Out>,
  run: RecordRun,
  segment: Segment<OutRecord>,
  { from, to, condemned }: Piece,
): Promise<void> {
  const handover: Handover = { run, tracker: lane.tracker, segment, from, to, onHold: new Set() };
  const outcomes = outcomesOf<Out>(sitting.desk, handover);
  if (condemned) {
    outcomes.reject(0, 'handler-failed', 'the handler fails on this record alone');
    return Promise.resolve();
  }
  const batch = viewOf(run, lane.input.codec, from, to);
  const handled = Promise.try(() => task.handle(batch, outcomes, sitting.signal)).then(
    () => {
      if (!sitting.signal.aborted) assertClosed(handover);
    },
    (error: unknown) => {
      throw isOwnDefect(error) ? new HandlerFailure(handover, error) : error;
    },
  );
  const over = (): void => void sitting.handlers.delete(watched);
  const watched: Promise<void> = handled.then(over, (error: unknown) => {
    sitting.fail(error);
    over();
  });
  sitting.handlers.add(watched);
  return watched;
}
