import { FencedError, type PartitionOffset, type RecordRun } from '../broker/port.ts';
import type { StateStore } from '../state/store.ts';
import { type Absence, isAbsence } from './absence.ts';
import { acquire } from './acquire.ts';
import { Backoff } from './backoff.ts';
import type { SharedProducer } from './delivery.ts';
import { HandlerFailure } from './handing.ts';
import type { HeldAt } from './hold.ts';
import type { Lane } from './lane.ts';
import { forgetLanes } from './measures.ts';
import type { Outlet } from './outlets.ts';
import type { Group, Setting } from './setting.ts';
import { Sitting } from './sitting.ts';
import type { SharedTransactions } from './together.ts';
import { asError, cannotBeRetried, placeOf } from './trouble.ts';
import type { Progress, Wait } from './watchdog.ts';

/** Longer than the interval of heartbeats, so that one of them has learned whether we are still in the group. */
const FENCED_WAIT_MS = 1_500;
/**
 * Records in a row on which the handler may fail before it is the code, and not the records, that is bad. None of them is
 * committed by then. A sender's mistake can make some hundreds that are bad in the same way.
 */
const CONDEMNED_IN_A_ROW_MAX = 1_000;
/** So many of a row are told of one by one, then every hundredth: their dead letters tell of all. */
const TOLD_ONE_BY_ONE_MAX = 10;
const TOLD_EACH = 100;

export interface RunnerOf<In, Out extends object> {
  readonly setting: Setting<In, Out>;
  readonly task: number;
  readonly generation: number;
  readonly lanes: readonly Lane<In>[];
  readonly positions: readonly PartitionOffset[];
  readonly member: Group;
  readonly shared: SharedProducer;
  readonly transactions: SharedTransactions;
  readonly outlet: Outlet;
  readonly store: () => Promise<StateStore | undefined>;
  readonly progress: Progress;
  readonly absence: Absence;
  readonly fatal: (error: Error) => void;
}

/**
 * One task through one generation of the group. States: acquiring (fence, read what is committed, restore, create the
 * task) → running → over, when it is revoked or drained. An error while acquiring or running throws the task object
 * away: → waiting (backoff) → acquiring, without end while Kafka is away. Fenced by a newer owner: → waiting → acquiring while the group still counts us
 * as a member of this generation, else → lost, until the next generation makes another runner.
 */
export class TaskRunner<In, Out extends object> {
  readonly #of: RunnerOf<In, Out>;
  readonly #revoked = new AbortController();
  readonly #backoff: Backoff;
  #state: 'acquiring' | 'running' | 'waiting' | 'lost' | 'over' = 'acquiring';
  /** What acquiring waits for. */
  #step = 'the generation before to end';
  #sitting: Sitting<In, Out> | undefined;
  #condemnedInARow = 0;
  #failures = 0;
  #life: Promise<void> = Promise.resolve();

  constructor(of: RunnerOf<In, Out>) {
    this.#of = of;
    this.#backoff = new Backoff(of.setting.retry, of.setting.random);
  }

  get state(): string {
    return this.#state;
  }

  get progress(): Progress {
    return this.#of.progress;
  }

  get lanes(): readonly Lane<In>[] {
    return this.#of.lanes;
  }

  waitsFor(): Wait {
    switch (this.#state) {
      case 'acquiring':
        // What fails has a budget of attempts and time; what neither fails nor ends has none.
        return { what: this.#step, on: this.#backoff.attempts > 0 ? 'stated' : 'ours' };
      case 'running':
        return this.#sitting?.waitsFor() ?? { what: 'its task to be let go', on: 'ours' };
      case 'lost':
        return { what: 'the next generation of the group', on: 'ours' };
      default:
        return { what: 'the next attempt', on: 'stated' };
    }
  }

  /** A record for which a lane stands still. */
  get held(): HeldAt | undefined {
    return this.#sitting?.holds.first;
  }

  /** Settles, never rejecting, when nothing of this task is at work any more. */
  get over(): Promise<void> {
    return this.#life;
  }

  /** @param predecessor the same task in the generation before. */
  start(predecessor: Promise<void>): void {
    for (const { gate } of this.#of.lanes) gate.close('no-task');
    this.#life = predecessor
      .then(() => this.#live())
      .catch((error: unknown) => this.#of.fatal(asError(error)))
      .then(() => {
        this.#state = 'over';
      });
  }

  run(run: RecordRun): void {
    const lane = this.#lane(run.topic);
    if (lane === undefined) return;
    if (this.#sitting === undefined) lane.drop(run);
    else this.#sitting.push(lane, run);
  }

  caughtUp(at: PartitionOffset): void {
    const lane = this.#lane(at.topic);
    if (lane !== undefined) this.#sitting?.caughtUp(lane, at);
  }

  /** Synchronously void: nothing that comes later is committed. */
  revoke(): void {
    this.#revoked.abort(new Error('the generation has ended'));
    this.#sitting?.revoke();
  }

  /** The partitions are not ours any more: their gauges say nothing further. */
  forget(): void {
    forgetLanes(this.#of.setting, this.#of.lanes);
    this.#of.absence.isOverFor(this.#of.task);
  }

  async drain(waitMsMax: number): Promise<void> {
    if (this.#sitting !== undefined) await this.#sitting.drain(waitMsMax);
    this.revoke();
    await this.#life;
  }

  async #live(): Promise<void> {
    while (!this.#revoked.signal.aborted) {
      try {
        await this.#sit();
        return;
      } catch (error) {
        if (this.#revoked.signal.aborted || !(await this.#mayTryAgain(asError(error)))) return;
      }
    }
  }

  async #sit(): Promise<void> {
    const { setting, task, lanes, positions } = this.#of;
    this.#state = 'acquiring';
    const { signal } = this.#revoked;
    const step = (what: string): void => {
      this.#step = what;
    };
    step('its local store');
    const store = await this.#of.store();
    const moved = (): void => this.#moved();
    const { courier, committed } = await acquire({ ...this.#of, store, signal, step, moved });
    this.#of.absence.isOverFor(task);
    for (const lane of lanes) lane.committed = committed.get(lane.at.topic);
    const sitting = new Sitting<In, Out>({
      ...this.#of,
      courier,
      store,
      positions: positions.map(at => ({ ...at, offset: committed.get(at.topic) ?? at.offset })),
      failuresBefore: this.#failures,
      committed: done => this.#committed(done),
    });
    // One that fails while it begins has to be closed too.
    const revoke = (): void => sitting.revoke();
    signal.addEventListener('abort', revoke, { once: true });
    try {
      this.#sitting = sitting;
      step('createTask');
      await sitting.begin();
      this.#state = 'running';
      setting.logger.info({ task, generation: this.#of.generation }, 'the task runs');
      await sitting.ended;
    } finally {
      signal.removeEventListener('abort', revoke);
      sitting.revoke();
      this.#sitting = undefined;
      await sitting.close();
    }
  }

  #moved(): void {
    this.#of.progress.atMs = this.#of.setting.clock.now();
  }

  #committed(done: number): void {
    this.#moved();
    this.#backoff.succeeded();
    this.#failures = 0;
    if (done > 0) this.#condemnedInARow = 0;
  }

  /** @returns whether the task may be acquired again. */
  async #mayTryAgain(error: Error): Promise<boolean> {
    const { setting, fatal } = this.#of;
    const { metrics } = setting;
    this.#state = 'waiting';
    this.#failures++;
    metrics.count('millrace_retries_total', { what: 'task' });
    if (error instanceof HandlerFailure) return this.#halve(error);
    const delayMs = this.#delayAfter(error);
    if (delayMs === undefined) {
      fatal(error);
      return false;
    }
    const fenced = error instanceof FencedError;
    if (!(await this.#slept(fenced ? Math.max(FENCED_WAIT_MS, delayMs) : delayMs))) return false;
    return !fenced || (await this.#stillMember());
  }

  /** @returns undefined where another attempt would not help, or the budget is spent. */
  #delayAfter(error: Error): number | undefined {
    const { setting, task, absence } = this.#of;
    const { clock, logger } = setting;
    if (isAbsence(error)) {
      absence.isMissedBy(task, error);
      return this.#backoff.absent(clock.now());
    }
    const delayMs = cannotBeRetried(error) ? undefined : this.#backoff.failed(clock.now());
    logger.warn({ task, error: placeOf(error), attempts: this.#backoff.attempts }, error.message);
    return delayMs;
  }

  async #stillMember(): Promise<boolean> {
    try {
      await this.#of.member.heartbeat();
    } catch (error) {
      if (!(error instanceof FencedError)) return true; // Not an answer; acquiring asks again.
      this.#of.setting.logger.warn({ task: this.#of.task }, 'fenced: waiting for the next generation');
      this.#state = 'lost';
      return false;
    }
    return true;
  }

  #halve(failure: HandlerFailure): boolean {
    const { setting, task, fatal } = this.#of;
    const lane = this.#lane(failure.topic)!;
    const condemned = lane.bisection.failed({ first: failure.first, last: failure.last });
    if (condemned !== undefined) {
      this.#condemnedInARow++;
      this.#moved(); // Found is progress, though nothing is committed yet.
    }
    const inARow = this.#condemnedInARow;
    if (inARow <= TOLD_ONE_BY_ONE_MAX || (condemned !== undefined && inARow % TOLD_EACH === 0))
      setting.logger.warn(
        { task, ...lane.at, error: placeOf(failure.cause), condemned, inARow },
        failure.message,
      );
    if (inARow < CONDEMNED_IN_A_ROW_MAX) return true;
    fatal(new Error(`the handler fails on every record: ${failure.message}`, { cause: failure.cause }));
    return false;
  }

  async #slept(ms: number): Promise<boolean> {
    try {
      await this.#of.setting.clock.sleep(ms, this.#revoked.signal);
      return true;
    } catch (error) {
      if (!this.#revoked.signal.aborted) throw error;
      return false;
    }
  }

  #lane(topic: string): Lane<In> | undefined {
    return this.#of.lanes.find(({ at }) => at.topic === topic);
  }
}
