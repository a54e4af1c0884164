/**
 * Slots: the times at which a schedule asks for a night, as `millrace.runs.v1` tells of them. A slot is open once somebody
 * has begun it; it ends as done, missed (not begun in time) or given up (begun, and failed too often). Done counts over
 * the others: a missed night that somebody asks for by its id is done.
 */
import { type Run, SCHEDULE } from '@millrace/contracts';
import type { NightSchedule, Pipeline } from '@millrace/define';
import { NIGHT } from '../night/record.ts';

/** What a scheduler writes beside what a night itself writes: `captured`, `done`, `failed`. */
export const STATE = {
  /** The schedule that is kept from now on; its report has the times. */
  scheduled: 'scheduled',
  started: 'started',
  /** An attempt failed; its report says why. */
  brokeOff: 'broke-off',
  givenUp: 'given-up',
  missed: 'missed',
} as const;

export type ScheduledPipeline = Pipeline & { readonly night: NightSchedule };
export type Times = Pick<NightSchedule, 'cron' | 'timeZone'>;

export interface Slot {
  readonly dueMs: number;
  /** Times a scheduler began it, kills and restarts with them. */
  readonly starts: number;
  /** Attempts that failed. */
  readonly breaks: number;
  /** When its last attempt failed, where none has begun since. */
  readonly brokeOffMs: number | undefined;
  /** When it was first begun, by whomever. */
  readonly startedMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly outcome: 'open' | 'done' | 'missed' | 'failed';
}

/** Of a pipeline; older ones are forgotten. */
export const SLOTS_MAX = 1_000;
/** Runs that are asked for by hand, and looked at. */
const OTHERS_MAX = 100;

const basic = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.000/g, '');

/** Whoever begins the night of a slot, a scheduler or a person, begins this run. */
export const slotRun = (pipeline: Pick<Pipeline, 'name'>, dueMs: number): string =>
  `${pipeline.name}-at-${basic(dueMs)}`;

const RUN = /^(.*)-at-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Time of the slot that a run is of; undefined where it is of none. */
const dueOf = (pipeline: Pick<Pipeline, 'name'>, run: string): number | undefined => {
  const [, name, ...parts] = RUN.exec(run) ?? [];
  if (name !== pipeline.name) return undefined;
  const [year, month, day, hour, minute, second] = parts;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
};

const fresh = (dueMs: number): Slot => ({
  dueMs, starts: 0, breaks: 0, brokeOffMs: undefined, startedMs: undefined, endedMs: undefined, outcome: 'open',
}); // prettier-ignore

/** What a further record makes of a slot. */
const after = (slot: Slot, { state, at }: Run): Slot => {
  const begun = { startedMs: slot.startedMs ?? at };
  if (slot.outcome === 'done') return slot;
  if (state === STATE.started) return { ...slot, ...begun, starts: slot.starts + 1, brokeOffMs: undefined };
  if (state === 'captured') return { ...slot, ...begun };
  if (state === STATE.brokeOff) return { ...slot, breaks: slot.breaks + 1, brokeOffMs: at };
  if (state === 'done') return { ...slot, ...begun, endedMs: at, outcome: 'done' };
  if (state === STATE.givenUp) return { ...slot, endedMs: at, outcome: 'failed' };
  if (state === STATE.missed) return { ...slot, endedMs: at, outcome: 'missed' };
  return slot;
};

/** The slots of one pipeline, as far as the topic was read. */
export class Slots {
  readonly #pipeline: Pick<Pipeline, 'name'>;
  readonly #slots = new Map<number, Slot>();
  readonly #others = new Map<string, number>();
  #kept: (Times & { readonly sinceMs: number }) | undefined;

  constructor(pipeline: Pick<Pipeline, 'name'>) {
    this.#pipeline = pipeline;
  }

  apply(record: Run): void {
    if (record.pipeline !== this.#pipeline.name) return;
    if (record.kind === SCHEDULE) {
      const { cron, timeZone } = JSON.parse(record.report ?? '{}') as Times;
      this.#kept = { cron, timeZone, sinceMs: record.at };
    }
    if (record.kind !== NIGHT) return;
    const dueMs = dueOf(this.#pipeline, record.run);
    if (dueMs === undefined) return this.#other(record);
    this.#slots.set(dueMs, after(this.#slots.get(dueMs) ?? fresh(dueMs), record));
    if (this.#slots.size > SLOTS_MAX) this.#slots.delete(Math.min(...this.#slots.keys()));
  }

  #other({ run, state, at }: Run): void {
    if (state !== 'captured') return void this.#others.delete(run);
    this.#others.set(run, at);
    const [oldest] = this.#others.keys();
    if (this.#others.size > OTHERS_MAX) this.#others.delete(oldest!);
  }

  /** In order of their times. */
  list(): readonly Slot[] {
    return [...this.#slots.values()].toSorted((a, b) => a.dueMs - b.dueMs);
  }

  /** Runs of the pipeline by hand that have begun since then, and have not ended. */
  others(sinceMs: number): readonly string[] {
    return [...this.#others].flatMap(([run, at]) => (at >= sinceMs ? [run] : []));
  }

  /** Since when these times are kept; undefined where they are not, or others are. */
  keptSince({ cron, timeZone }: Times): number | undefined {
    const kept = this.#kept;
    return kept?.cron === cron && kept.timeZone === timeZone ? kept.sinceMs : undefined;
  }
}
