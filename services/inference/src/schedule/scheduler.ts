/**
 * Runs the nights of pipelines at their times. Of all schedulers of a pipeline one leads: the member of a group that has
 * the one partition of `millrace.runs.v1`. Kafka gives it to another when the member is gone. A former leader that does not
 * know it yet does no harm: processes that are given one run share it.
 */
import type { Registry } from '@millrace/avro';
import { deferredGroup, MILLRACE_TOPICS, nightGroup, SCHEDULE } from '@millrace/contracts';
import { type Component, Outage, START_WAIT_MS_MAX } from '@millrace/runtime';
import { type Broker, FencedError, type Membership } from '@millrace/stream';
import type { Clock, Logger, Metrics } from '@millrace/telemetry';
import { RunLog } from '../night/record.ts';
import { type KeeperOptions, NightKeeper } from './keeper.ts';
import type { ScheduledPipeline } from './slots.ts';

export interface SchedulerOptions {
  readonly pipelines: readonly ScheduledPipeline[];
  readonly broker: Broker;
  readonly registry: Registry;
  /** Does a run to its end, or goes on with it. */
  readonly night: (pipeline: ScheduledPipeline, run: string, signal: AbortSignal) => Promise<void>;
  /** Who stands in the records. */
  readonly by: string;
  readonly lookMs?: number;
  readonly sessionTimeoutMs?: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const LOOK_MS = 15_000;

type Role = 'follow' | 'lead';

/** One pipeline: a member of its group, and the keeper of its schedule in the role that Kafka gives us. */
class Seat {
  readonly #group: string;
  readonly #keeper: NightKeeper;
  readonly #options: SchedulerOptions;
  readonly #logger: Logger;
  readonly #fail: (error: unknown) => void;
  #membership: Membership | undefined;
  #role: Role | undefined;
  #isLeaving = false;
  #term = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(
    options: SchedulerOptions,
    pipeline: ScheduledPipeline,
    log: RunLog,
    outage: Outage,
    fail: (error: unknown) => void,
  ) {
    const { broker, night, by, clock, metrics, lookMs = LOOK_MS } = options;
    const logger = options.logger.child({ pipeline: pipeline.name });
    this.#options = options;
    this.#group = nightGroup(pipeline, SCHEDULE);
    this.#logger = logger;
    this.#fail = fail;
    const keeping: KeeperOptions = {
      pipeline, journal: log, by, lookMs, clock, metrics, logger,
      leads: () => this.#leads(),
      atWork: async runs => {
        for (const group of [deferredGroup(pipeline), ...runs.map(run => nightGroup(pipeline, run))])
          if ((await broker.admin.groupMembers(group)) > 0) return group;
        return undefined;
      },
      night: (run, signal) => night(pipeline, run, signal),
      ride: (call, signal) => outage.ride(call, { signal }),
    }; // prettier-ignore
    this.#keeper = new NightKeeper(keeping);
  }

  async join(): Promise<void> {
    const { broker, sessionTimeoutMs } = this.#options;
    const options = {
      group: this.#group,
      topics: [MILLRACE_TOPICS.runs],
      ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
    };
    this.#membership = await broker.join(options, {
      assigned: async ({ positions }) => {
        // The partition is a token: what is on it is read without a group.
        this.#membership?.pause(positions);
        this.#take(positions.length > 0 ? 'lead' : 'follow');
      },
      run: () => undefined,
      failed: this.#fail,
    });
  }

  notReady(): string | undefined {
    return this.#role === undefined ? `${this.#group} waits for its first assignment` : undefined;
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#term.abort(new Error('the scheduler stops'));
    await this.#work;
    await this.#membership?.leave();
  }

  /** The role begins when what we did in the one before has ended. */
  #take(role: Role): void {
    if (this.#isLeaving || role === this.#role) return;
    this.#role = role;
    this.#logger.info({ role }, 'the schedule has a role for us');
    this.#term.abort(new Error(`we ${role} from now on`));
    const { signal } = (this.#term = new AbortController());
    this.#work = this.#work
      .then(() => this.#keeper[role](signal))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#fail(error);
      });
  }

  async #leads(): Promise<boolean> {
    try {
      await this.#membership?.heartbeat();
      return true;
    } catch (error) {
      if (error instanceof FencedError) return false; // The next assignment says who leads.
      throw error;
    }
  }
}

class NightScheduler implements Component {
  readonly name = 'scheduler';
  readonly failed: Promise<never>;
  readonly #options: SchedulerOptions;
  readonly #fail: (error: unknown) => void;
  readonly #outage: Outage;
  #seats: readonly Seat[] | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SchedulerOptions) {
    const { clock, logger, metrics } = options;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined); // It may fail before anybody listens.
    this.#options = options;
    this.failed = promise;
    this.#fail = reject;
    this.#outage = new Outage({ dependency: 'kafka', clock, logger, metrics });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { broker, registry, pipelines } = this.#options;
    const patience = { signal, waitMsTotalMax: START_WAIT_MS_MAX };
    const log = await this.#outage.ride(() => RunLog.open(broker, registry), patience);
    this.#seats = pipelines.map(pipeline => new Seat(this.#options, pipeline, log, this.#outage, this.#fail));
    for (const seat of this.#seats) await this.#outage.ride(() => seat.join(), patience);
  }

  stop(): Promise<void> {
    return (this.#stopping ??= Promise.all((this.#seats ?? []).map(seat => seat.leave())).then(
      () => undefined,
    ));
  }

  notReady(): string | undefined {
    const seats = this.#seats;
    if (seats === undefined) return this.#outage.notReady() ?? 'it has not started';
    return this.#outage.notReady() ?? seats.map(seat => seat.notReady()).find(why => why !== undefined);
  }
}

/** @returns a part of a process: it keeps the schedules of its pipelines from its start to its stop */
export const nightScheduler = (options: SchedulerOptions): Component => new NightScheduler(options);
