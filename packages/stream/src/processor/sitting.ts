import type { PartitionOffset, RecordRun, TopicPartition } from '../broker/port.ts';
import { OverlayState } from '../state/overlay.ts';
import type { StateStore } from '../state/store.ts';
import type { Task, TaskContext } from '../task.ts';
import { deadLetter } from './deadLetter.ts';
import type { Courier } from './delivery.ts';
import { pump, sayCaughtUp } from './handing.ts';
import { Holds } from './hold.ts';
import type { Lane } from './lane.ts';
import { gaugeLanes } from './measures.ts';
import { type Desk, emitterOf } from './outcomes.ts';
import type { Outlet } from './outlets.ts';
import { Pace } from './pace.ts';
import type { Group, Setting } from './setting.ts';
import { Shipping } from './shipping.ts';
import { asError, isOwnDefect, placeOf, ProgrammingError } from './trouble.ts';
import type { Wait } from './watchdog.ts';

export interface SittingOf<In, Out extends object> {
  readonly setting: Setting<In, Out>;
  readonly task: number;
  readonly generation: number;
  readonly lanes: readonly Lane<In>[];
  readonly positions: readonly PartitionOffset[];
  readonly member: Group;
  readonly courier: Courier;
  readonly store: StateStore | undefined;
  readonly outlet: Outlet;
  /** How often the records at hand were handed over before. */
  readonly failuresBefore: number;
  /** Told after each commit. */
  readonly committed: (done: number) => void;
  readonly fatal: (error: Error) => void;
}

/** Least between two looks at what gauges say of lanes. A task may have its clock looked at much more often. */
const GAUGE_MS = 100;
/** Longest a task may take to be let go: the next generation waits for it. */
const LET_GO_MS_MAX = 5_000;

const letGo = async (task: Pick<Task<never, never>, 'onRevoke'>): Promise<void> => task.onRevoke?.();

/**
 * One life of a task object, from its creation over what is committed to its first error, its revocation or its drain.
 * `ended` rejects with the first error and resolves after a drain; the signal says that everything later is void.
 */
export class Sitting<In, Out extends object> {
  readonly of: SittingOf<In, Out>;
  readonly desk: Desk;
  readonly ended: Promise<void>;
  readonly handlers = new Set<Promise<void>>();
  readonly holds = new Holds(this);
  readonly #end: PromiseWithResolvers<void>;
  readonly #abort = new AbortController();
  readonly #pace: Pace;
  readonly #shipping: Shipping<In, Out>;
  readonly #state: OverlayState | undefined;
  #task: Task<In, Out> | undefined;
  #mode: 'creating' | 'running' | 'draining' | 'over' = 'creating';

  constructor(of: SittingOf<In, Out>) {
    this.of = of;
    const { setting, store } = of;
    this.#end = Promise.withResolvers<void>();
    this.ended = this.#end.promise;
    this.ended.catch(() => undefined); // Whoever waits hears of it; an error before that is no unhandled one.
    const touch = (records: number, bytes: number): void => {
      if (!this.signal.aborted) this.#pace.touch(records, bytes);
    };
    const changelog = { topic: setting.changelog!, partition: of.task };
    this.#state = store && new OverlayState(store, changelog, setting.topics, bytes => touch(1, bytes));
    this.#shipping = new Shipping(of, this.#state, this.signal);
    this.#pace = new Pace({
      clock: setting.clock,
      intervalMs: setting.commit.intervalMs,
      shipping: this.#shipping,
      isIdle: () => {
        for (const { tracker, queue } of of.lanes) if (tracker.open > 0 || queue.length > 0) return false;
        return true;
      },
      failed: error => this.fail(error),
    });
    this.desk = this.#deskWith(touch);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The task, while records may be handed over to it. */
  get taker(): Task<In, Out> | undefined {
    return this.#mode === 'running' ? this.#task : undefined;
  }

  /** What keeps it from committing more. */
  waitsFor(): Wait {
    const { lanes } = this.of;
    const held = this.holds.first;
    if (held !== undefined)
      return {
        what: `${held.topic}-${held.partition} offset ${held.offset}, which is on hold`,
        on: 'stated',
      };
    if (this.#pace.isSending) return { what: 'a commit that is under way', on: 'ours' };
    const schemas = lanes.find(lane => lane.lacksSchemas);
    if (schemas !== undefined && this.handlers.size === 0)
      return { what: `the schemas of ${schemas.at.topic}: the registry does not answer`, on: 'stated' };
    const paused = lanes.find(({ gate }) => gate.has('task'));
    if (paused !== undefined)
      return { what: `its task, which has paused ${paused.at.topic}-${paused.at.partition}`, on: 'others' };
    if (this.handlers.size > 0) return { what: `${this.handlers.size} handlers to end`, on: 'ours' };
    const full = lanes.find(lane => lane.isFull);
    if (full !== undefined)
      return { what: `the full lane of ${full.at.topic}-${full.at.partition}`, on: 'ours' };
    return { what: 'records to be fetched', on: 'ours' };
  }

  /** Creates the task and opens the lanes where it wants to start. */
  async begin(): Promise<void> {
    const { lanes, positions, member } = this.of;
    const starts = new Map(positions.map(at => [at.topic, at.offset]));
    await this.#create(starts);
    this.#mode = 'running';
    for (const lane of lanes) {
      const offset = starts.get(lane.at.topic)!;
      if (lane.startAt(offset)) member.seek({ ...lane.at, offset });
      lane.gate.open('no-task');
    }
    void this.#tick();
  }

  /** A creation that never ends must not hold up the next generation; a task that comes too late is let go. */
  async #create(starts: Map<string, number>): Promise<void> {
    const creating = Promise.try(() => this.of.setting.createTask(this.#context(starts))).catch(
      (error: unknown) => {
        // It would fail the same way each time.
        if (isOwnDefect(error)) throw new ProgrammingError(`createTask: ${asError(error).message}`, error);
        throw error;
      },
    );
    const late = (task: Task<In, Out>): Promise<void> | void => {
      if (this.#task !== task) return letGo(task);
    };
    try {
      const given = await Promise.race([creating, this.ended]);
      this.signal.throwIfAborted();
      this.#task = given as Task<In, Out>;
    } finally {
      creating.then(late).catch(() => undefined); // Nobody is left to hear of it.
    }
  }

  push(lane: Lane<In>, run: RecordRun): void {
    if (this.#mode !== 'running') return lane.drop(run);
    lane.push(run);
    if (lane.isFull) this.#pace.soon();
    pump(this, lane);
  }

  caughtUp(lane: Lane<In>, at: PartitionOffset): void {
    lane.caughtUpAt = at;
    lane.end = Math.max(lane.end, at.offset);
    // Every fetch says it of every partition that has nothing new: where nothing waits, it is passed on without a detour.
    if (lane.pumpedBy !== this && lane.queue.length === 0) sayCaughtUp(this, lane);
    else pump(this, lane);
  }

  /** The first error ends it; what comes after is void. */
  fail(error: unknown): void {
    this.#over();
    this.#end.reject(asError(error));
  }

  /** Hands over nothing more, waits for open handlers, commits what is closed. */
  async drain(waitMsMax: number): Promise<void> {
    if (this.#mode !== 'running') return this.revoke();
    this.#mode = 'draining';
    const timer = new AbortController();
    const timeUp = this.of.setting.clock.sleep(waitMsMax, timer.signal).catch(() => undefined);
    await Promise.race([Promise.all(this.handlers), timeUp, this.ended.catch(() => undefined)]);
    timer.abort();
    if (!this.signal.aborted) await this.#pace.drain();
    this.revoke();
  }

  /** The partition is no longer ours, or the process stops: nothing more is committed. */
  revoke(): void {
    this.#over();
    this.#end.resolve();
  }

  /** After the end: waits for what is in flight, tells the task, gives the producer back. */
  async close(): Promise<void> {
    const { courier, setting, task } = this.of;
    await this.#pace.stop();
    await courier.close();
    if (this.#task?.onRevoke === undefined) return;
    const timer = new AbortController();
    const tooLate = setting.clock.sleep(LET_GO_MS_MAX, timer.signal).catch(() => undefined); // In time.
    try {
      await Promise.race([letGo(this.#task), tooLate]);
    } catch (error) {
      setting.logger.warn({ task, error: placeOf(error) }, 'the task failed while it was let go');
    } finally {
      timer.abort(new Error('let go in time'));
    }
  }

  #over(): void {
    if (this.#mode === 'over') return;
    this.#mode = 'over';
    for (const { gate } of this.of.lanes) {
      gate.close('no-task');
      gate.open('task');
    }
    this.holds.end();
    this.#abort.abort(new Error('the task has ended'));
    void this.#pace.stop();
  }

  async #tick(): Promise<void> {
    const { setting, lanes, task } = this.of;
    const ticksPerGauge = Math.max(1, Math.round(GAUGE_MS / setting.tickMs));
    try {
      for (let ticks = 1; ; ticks++) {
        // All tasks at the same times: what they cut by the clock goes in one transaction.
        await setting.clock.sleep(setting.tickMs - (setting.clock.now() % setting.tickMs), this.signal);
        if (ticks % ticksPerGauge === 0) gaugeLanes(setting, lanes, task, this.#state?.size);
        if (this.#mode === 'running') this.holds.onTime(setting.clock.now());
        if (this.#mode === 'running' && this.#shipping.gapsAreDue(setting.clock.now())) this.#pace.soon();
        if (this.#mode === 'running') await this.#task?.onTime?.(setting.clock.now());
      }
    } catch (error) {
      if (!this.signal.aborted) this.fail(error);
    }
  }

  #deskWith(touch: Desk['touch']): Desk {
    const { setting, outlet, failuresBefore } = this.of;
    return {
      outlet,
      signal: this.signal,
      touch,
      put: record => this.#shipping.put(record),
      rejects: setting.rejects,
      hold: (hand, index, reason) => this.holds.add(hand, index, reason),
      broken: error => this.fail(error),
      letter: (run, index, reason, cause) =>
        deadLetter({
          run,
          index,
          reason,
          cause,
          topic: setting.deadLetters(run.topic),
          group: setting.group,
          stage: setting.name,
          deliveries: failuresBefore + 1,
        }),
    };
  }

  #context(starts: Map<string, number>): TaskContext<Out> {
    const { setting, task, generation, positions, fatal } = this.of;
    const state = this.#state;
    const gateOf = ({ topic }: TopicPartition) => this.#lane(topic).gate;
    return {
      id: task,
      generation,
      positions,
      out: emitterOf<Out>(this.desk),
      get state() {
        if (state === undefined) throw new TypeError('there is no state without a changelog');
        return state;
      },
      signal: this.signal,
      seek: to => {
        if (setting.delivery !== 'external' || this.#mode !== 'creating')
          throw new ProgrammingError('only a task with offsets of its own may seek, while it is created');
        starts.set(this.#lane(to.topic).at.topic, to.offset);
      },
      pause: at => {
        if (!this.signal.aborted) gateOf(at).close('task');
      },
      resume: at => {
        if (!this.signal.aborted) gateOf(at).open('task');
      },
      commitSoon: () => {
        if (!this.signal.aborted) this.#pace.soon();
      },
      fail: fatal,
    };
  }

  #lane(topic: string): Lane<In> {
    const lane = this.of.lanes.find(({ at }) => at.topic === topic);
    if (lane === undefined) throw new TypeError(`${topic} is not an input of this task`);
    return lane;
  }
}
