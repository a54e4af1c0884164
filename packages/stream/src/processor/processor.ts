import { BrokerError, type Membership, type PartitionOffset } from '../broker/port.ts';
import { Absence } from './absence.ts';
import { Backoff } from './backoff.ts';
import { SharedProducer } from './delivery.ts';
import { Gate } from './gate.ts';
import { Lane } from './lane.ts';
import { watchPaused } from './measures.ts';
import { memberOf } from './member.ts';
import type { OutputOptions, Processor, ProcessorOptions } from './options.ts';
import { type Outlet, outletOf } from './outlets.ts';
import { TaskRunner } from './runner.ts';
import { type Group, type Setting, settingOf, surveyTopics } from './setting.ts';
import { Stores } from './stores.ts';
import { SharedTransactions } from './together.ts';
import { asError, placeOf } from './trouble.ts';
import { type Progress, Watchdog } from './watchdog.ts';

/** Runs tasks over the partitions that the group gives this process. */
export function processor<In, Out extends object>(options: ProcessorOptions<In, Out>): Processor {
  return new GroupProcessor(options);
}

/**
 * States: created → joining (topics are surveyed, the group is joined) → working (runners come and go with each
 * generation) → stopping (drain, leave). A failure is told through `failed`; to stop then is the process's decision.
 */
class GroupProcessor<In, Out extends object> implements Processor {
  readonly name: string;
  readonly failed: Promise<never>;
  readonly #options: ProcessorOptions<In, Out>;
  readonly #setting: Setting<In, Out>;
  readonly #failure = Promise.withResolvers<never>();
  readonly #joining = Promise.withResolvers<Membership>();
  readonly #member: Group = memberOf(this.#joining.promise);
  readonly #shared: SharedProducer;
  readonly #transactions = new SharedTransactions(this.#member);
  readonly #stores: Stores;
  readonly #absence: Absence;
  readonly #watching = new AbortController();
  #runners = new Map<number, TaskRunner<In, Out>>();
  #progress = new Map<number, Progress>();
  #outlet: Outlet | undefined;
  #membership: Membership | undefined;
  #state: 'created' | 'joining' | 'working' | 'stopping' = 'created';
  #generation = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: ProcessorOptions<In, Out>) {
    this.#options = options;
    this.#setting = settingOf(options);
    this.name = this.#setting.name;
    this.failed = this.#failure.promise;
    this.failed.catch(() => undefined); // It may fail before anybody listens.
    this.#joining.promise.catch(() => undefined); // Those who wait for it hear of it themselves.
    this.#shared = new SharedProducer(() => options.broker.producer());
    this.#stores = new Stores(options.openStore);
    this.#absence = new Absence(this.#setting);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#state = 'joining';
    const { partitions, topicIds } = await this.#retried(signal, () => surveyTopics(this.#setting));
    this.#outlet = outletOf(Object.entries<OutputOptions<unknown>>(this.#setting.outputs), partitions);
    this.#membership = await this.#retried(signal, () => this.#join());
    this.#joining.resolve(this.#membership);
    // A stop that came while we joined found nobody to take leave of.
    if (this.#stopped !== undefined) await this.#membership.leave();
    else {
      this.#state = 'working';
      this.#watch(topicIds, partitions);
    }
  }

  #watch(topicIds: ReadonlyMap<string, string>, partitions: ReadonlyMap<string, number>): void {
    const watchdog = new Watchdog({
      setting: this.#setting,
      topicIds,
      partitions,
      tasks: () => this.#runners,
      fatal: error => this.#fail(error),
    });
    void watchdog.run(this.#watching.signal);
    const lanes = () => [...this.#runners].map(([task, runner]) => [task, runner.lanes] as const);
    void watchPaused(this.#setting, lanes, this.#watching.signal);
  }

  stop(deadlineMs: number): Promise<void> {
    return (this.#stopped ??= this.#stop(deadlineMs));
  }

  notReady(): string | undefined {
    if (this.#state !== 'working') return `${this.name} is ${this.#state}`;
    if (this.#generation === 0) return `${this.name} waits for its first assignment`;
    const waiting = [...this.#runners].find(([, runner]) => runner.state !== 'running');
    if (waiting !== undefined)
      return `${this.name}: ${this.#absence.notReady() ?? `task ${waiting[0]} is ${waiting[1].state}`}`;
    const held = [...this.#runners.values()].map(runner => runner.held).find(at => at !== undefined);
    return (
      held && `${this.name}: ${held.topic}-${held.partition} holds at offset ${held.offset}: ${held.reason}`
    );
  }

  #join(): Promise<Membership> {
    const { group, topics } = this.#setting;
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const { fetchWaitMsMax, fetchBytesMin, fetchLingerMs, fetchBytesPerPartitionMax } = this.#options;
    return this.#setting.broker.join(
      {
        group,
        topics,
        ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
        ...(rebalanceTimeoutMs === undefined ? {} : { rebalanceTimeoutMs }),
        ...(fetchWaitMsMax === undefined ? {} : { fetchWaitMsMax }),
        ...(fetchBytesMin === undefined ? {} : { fetchBytesMin }),
        ...(fetchLingerMs === undefined ? {} : { fetchLingerMs }),
        ...(fetchBytesPerPartitionMax === undefined ? {} : { fetchBytesPerPartitionMax }),
      },
      {
        assigned: assignment => Promise.try(() => this.#assigned(assignment)),
        run: run => this.#runners.get(run.partition)?.run(run),
        caughtUp: at => this.#runners.get(at.partition)?.caughtUp(at),
        failed: error => this.#fail(error),
      },
    );
  }

  /** One synchronous stretch: from here on nothing of the generation before is committed. */
  #assigned(assignment: { generation: number; positions: readonly PartitionOffset[] }): void {
    const { metrics, group, logger } = this.#setting;
    const { generation, positions } = assignment;
    const before = this.#runners;
    for (const runner of before.values()) runner.revoke();
    this.#runners = new Map();
    if (this.#state === 'stopping') return;
    this.#generation = generation;
    metrics.count('millrace_rebalances_total', { group });
    const tasks = [...new Set(positions.map(({ partition }) => partition))].sort((a, b) => a - b);
    logger.info({ generation, tasks }, 'assigned');
    for (const [task, runner] of before) if (!tasks.includes(task)) runner.forget();
    const over = (task: number): Promise<void> => before.get(task)?.over ?? Promise.resolve();
    void this.#stores.keep(tasks, over);
    const atMs = this.#setting.clock.now();
    this.#progress = new Map(tasks.map(task => [task, this.#progress.get(task) ?? { atMs }]));
    for (const task of tasks) {
      const runner = this.#runner(
        generation,
        task,
        positions.filter(({ partition }) => partition === task),
      );
      this.#runners.set(task, runner);
      runner.start(over(task));
    }
  }

  #runner(generation: number, task: number, positions: readonly PartitionOffset[]): TaskRunner<In, Out> {
    const setting = this.#setting;
    const member = this.#member;
    const inputOf = (topic: string) => setting.inputs.find(input => input.topic === topic)!;
    return new TaskRunner({
      setting,
      task,
      generation,
      positions,
      member,
      shared: this.#shared,
      transactions: this.#transactions,
      outlet: this.#outlet!,
      lanes: positions.map(
        at => new Lane(inputOf(at.topic), at, new Gate(at, member, setting.clock, setting.metrics)),
      ),
      store: () => (setting.changelog === undefined ? Promise.resolve(undefined) : this.#stores.of(task)),
      progress: this.#progress.get(task)!,
      absence: this.#absence,
      fatal: error => this.#fail(error),
    });
  }

  async #stop(deadlineMs: number): Promise<void> {
    const wasJoining = this.#state === 'joining';
    this.#watching.abort(new Error('the processor stops'));
    this.#state = 'stopping';
    const { clock, drainMsMax } = this.#setting;
    const deadline = new AbortController();
    const tooLate = clock.sleep(deadlineMs, deadline.signal).catch(() => undefined); // In time.
    try {
      const runners = [...this.#runners.values()];
      const drained = Promise.all(runners.map(runner => runner.drain(Math.min(drainMsMax, deadlineMs))));
      await Promise.race([drained, tooLate]);
      for (const runner of this.#runners.values()) runner.revoke();
      if (!wasJoining) this.#joining.reject(new Error(`${this.name} has stopped`));
      await Promise.race([this.#leave(), tooLate]);
      const closed = this.#stores.keep([], task => this.#runners.get(task)?.over ?? Promise.resolve());
      await Promise.race([Promise.all([closed, this.#shared.close()]), tooLate]);
    } finally {
      for (const runner of this.#runners.values()) runner.forget();
      deadline.abort(new Error('stopped in time'));
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.#membership?.leave();
    } catch (error) {
      // The group will find out when our session ends.
      this.#setting.logger.warn({ error: placeOf(error) }, 'could not take leave of the group');
    }
  }

  async #retried<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const { retry, random, clock, logger, metrics } = this.#setting;
    const backoff = new Backoff(retry, random);
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const delayMs = retriable(error) ? backoff.failed(clock.now()) : undefined;
        if (delayMs === undefined) throw error;
        logger.warn({ error: placeOf(error) }, asError(error).message);
        metrics.count('millrace_retries_total', { what: 'start' });
        await clock.sleep(delayMs, signal);
      }
    }
  }

  #fail(error: Error): void {
    this.#setting.logger.error({ error: placeOf(error) }, error.message);
    this.#failure.reject(error);
  }
}

const retriable = (error: unknown): boolean => error instanceof BrokerError && error.retriable;
