/**
 * Keeps the schedule of one pipeline. It follows (reads what others do, and shows it) or leads (does what is next), as it
 * is told; of several schedulers one leads. All that it knows stands on `millrace.runs.v1`, so whoever leads next goes on
 * where it was: before a night begins that is written down, and so is what came of it.
 */
import { type Run, SCHEDULE } from '@millrace/contracts';
import { hashFeatureSet } from '@millrace/define';
import type { Clock, Logger, Metrics } from '@millrace/telemetry';
import { NIGHT } from '../night/record.ts';
import { LATE_MS, show } from './figures.ts';
import { nextStep, type Standing, type Step } from './policy.ts';
import { type ScheduledPipeline, slotRun, Slots, STATE } from './slots.ts';

export interface Journal {
  from(offset: number): Promise<{ readonly records: readonly Run[]; readonly next: number }>;
  write(run: Run): Promise<void>;
}

export interface KeeperOptions {
  readonly pipeline: ScheduledPipeline;
  readonly journal: Journal;
  /** Whether we still lead, as Kafka has it. */
  readonly leads: () => Promise<boolean>;
  /** The first of these runs that a process works on; undefined where none does. */
  readonly atWork: (runs: readonly string[]) => Promise<string | undefined>;
  /** Does a run to its end, or goes on with it. */
  readonly night: (run: string, signal: AbortSignal) => Promise<void>;
  /** Calls until the world answers. */
  readonly ride: <T>(call: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Who stands in the records. */
  readonly by: string;
  /** Longest that nobody looks: what others write, and a clock that was set, is seen by then. */
  readonly lookMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A run that was begun before then, by hand, is not gone on with any more. */
const OTHERS_MS_MAX = 7 * 86_400_000;

type Act = Exclude<Step, { readonly act: 'wait' }>;

export class NightKeeper {
  readonly #options: KeeperOptions;
  readonly #slots: Slots;
  #next = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#slots = new Slots(options.pipeline);
  }

  /** Reads and shows until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await this.#rest(this.#options.lookMs, signal);
    }
  }

  /** Does what is next until the signal is aborted. A night that is at work then is left to be gone on with. */
  async lead(signal: AbortSignal): Promise<void> {
    const { pipeline, leads, ride, clock } = this.#options;
    while (!signal.aborted) {
      const mayAct = await ride(leads, signal);
      await this.#look(signal);
      if (!mayAct) {
        await this.#rest(this.#options.lookMs, signal);
        continue;
      }
      if (this.#slots.keptSince(pipeline.night) === undefined) await this.#begin(signal);
      const step = nextStep(this.#standing());
      if (step.act === 'wait')
        await this.#rest(Math.min(step.untilMs - clock.now(), this.#options.lookMs), signal);
      else if (step.act === 'run') await this.#run(step, signal);
      else await this.#record(step, step.act === 'miss' ? STATE.missed : STATE.givenUp, signal);
    }
  }

  #standing(): Standing {
    const { pipeline, clock } = this.#options;
    const nowMs = clock.now();
    const sinceMs = this.#slots.keptSince(pipeline.night) ?? nowMs;
    return { schedule: pipeline.night, slots: this.#slots.list(), sinceMs, nowMs };
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { journal, ride, metrics, pipeline } = this.#options;
    const { records, next } = await ride(() => journal.from(this.#next), signal);
    this.#next = next;
    for (const record of records) this.#slots.apply(record);
    show(metrics, pipeline.name, this.#standing());
  }

  /** The schedule counts from now on. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { pipeline, logger } = this.#options;
    const { cron, timeZone } = pipeline.night;
    logger.info({ cron, timeZone }, 'the schedule is kept from now on');
    const report = JSON.stringify({ cron, timeZone });
    await this.#write({ run: SCHEDULE, kind: SCHEDULE, state: STATE.scheduled, report }, signal);
  }

  /** A night, after whatever else of the pipeline is at work. */
  async #run(step: Act, signal: AbortSignal): Promise<void> {
    const { pipeline, logger, clock, atWork, ride } = this.#options;
    const { dueMs, why } = step;
    const run = slotRun(pipeline, dueMs);
    const isOpen = this.#slots.list().some(slot => slot.dueMs === dueMs);
    const others = this.#slots.others(clock.now() - OTHERS_MS_MAX);
    const other = isOpen ? undefined : await ride(() => atWork(others), signal);
    if (other !== undefined) {
      logger.warn({ run, other }, 'the night is due, and waits: another of its pipeline is at work');
      return this.#rest(this.#options.lookMs, signal);
    }
    const delayMs = clock.now() - dueMs;
    if (!isOpen && delayMs > LATE_MS) logger.warn({ run, delayMs }, 'the night begins late');
    logger.info({ run, why }, 'the night begins');
    await this.#write({ run, kind: NIGHT, state: STATE.started, report: JSON.stringify({ why }) }, signal);
    await this.#attempt(step, run, signal);
  }

  async #attempt({ dueMs }: Act, run: string, signal: AbortSignal): Promise<void> {
    const { night, logger } = this.#options;
    const over = new AbortController();
    const watching = this.#watch(AbortSignal.any([signal, over.signal]));
    const failure = await night(run, signal).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    over.abort(new Error('the attempt has ended'));
    await watching; // One reader at a time.
    if (failure === undefined) return logger.info({ run }, 'the night is done');
    if (signal.aborted) return;
    const { error } = failure;
    logger.error({ run, err: error }, 'the night broke off');
    const why = error instanceof Error ? error.message : String(error);
    await this.#record({ act: 'run', dueMs, why }, STATE.brokeOff, signal);
  }

  /** Shows how long a night has been at work. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    await this.follow(signal).catch((error: unknown) => {
      // The night goes on; whoever looks next hears of it.
      if (!signal.aborted) logger.warn({ err: error }, 'the schedule cannot be read');
    });
  }

  async #record({ dueMs, why }: Act, state: string, signal: AbortSignal): Promise<void> {
    const { pipeline, logger } = this.#options;
    const run = slotRun(pipeline, dueMs);
    if (state !== STATE.brokeOff) logger.error({ run, why }, `the night is ${state}`);
    await this.#write({ run, kind: NIGHT, state, report: JSON.stringify({ why }) }, signal);
  }

  async #write(of: Pick<Run, 'run' | 'kind' | 'state' | 'report'>, signal: AbortSignal): Promise<void> {
    const { pipeline, journal, ride, by, clock } = this.#options;
    const { version: featureSet } = pipeline.features;
    const record: Run = {
      ...of, pipeline: pipeline.name, at: clock.now(), by, featureSet, featureSetHash: hashFeatureSet(pipeline), sliceMs: 0, disorderMs: 0, epochsOf: 0, epochsUntil: 0, slice: [],
    }; // prettier-ignore
    await ride(() => journal.write(record), signal);
    await this.#look(signal);
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(Math.max(ms, 0), signal).catch(() => undefined); // Aborted: the loops end.
  }
}
