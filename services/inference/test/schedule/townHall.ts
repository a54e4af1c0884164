/** A clock that is turned, a journal that outlives schedulers, and nights that take as long as they are told to. */
import type { Run } from '@millrace/contracts';
import { definePipeline, type PipelineInput } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { type Metrics, noLogger, noMetrics, turnedClock } from '@millrace/telemetry';
import { type KeeperOptions, NightKeeper } from '../../src/schedule/keeper.ts';
import type { ScheduledPipeline } from '../../src/schedule/slots.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

export const scheduled = (night: PipelineInput['night']): ScheduledPipeline =>
  definePipeline({ ...fraud, night: night! }) as ScheduledPipeline;

/** Resolves to when it is over; throws where it fails. */
type Night = (run: string, nth: number) => number;

export interface Begun {
  readonly run: string;
  readonly at: string;
}

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);

export class TownHall {
  readonly clock;
  readonly records: Run[] = [];
  readonly begun: Begun[] = [];
  /** Values of gauges by name, with the outcome where they have one. */
  readonly figures = new Map<string, number>();
  /** How many nights are at work, and were at most at a time. */
  atWork = 0;
  atWorkMost = 0;
  pipeline: ScheduledPipeline;
  /** How long a night takes, milliseconds. @throws where it fails, after that many */
  takes: Night = () => 10 * MINUTE_MS;
  /** A run by hand that a process works on. */
  byHand: string | undefined;

  constructor(night: PipelineInput['night'], from: string) {
    this.pipeline = scheduled(night);
    this.clock = turnedClock(Date.parse(from));
  }

  /** A scheduler that leads from now on. @returns what ends it, as a kill does: nothing more is written */
  lead(changes: Partial<KeeperOptions> = {}): () => Promise<void> {
    const stop = new AbortController();
    const { clock } = this;
    const set: Metrics['set'] = (name, labels, value) =>
      void this.figures.set([name.replace('millrace_night_', ''), (labels as { outcome?: string }).outcome].filter(Boolean).join(' '), value);
    const keeper = new NightKeeper({
      pipeline: this.pipeline,
      journal: {
        from: async offset => ({ records: this.records.slice(offset), next: this.records.length }),
        write: async run => void this.records.push(run),
      },
      leads: async () => true,
      atWork: async () => this.byHand,
      night: (run, signal) => this.#night(run, signal),
      ride: call => call(),
      by: 'test',
      lookMs: 5 * MINUTE_MS,
      clock,
      metrics: { ...noMetrics, set },
      logger: noLogger,
      ...changes,
    });
    const led = keeper.lead(stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    return async () => {
      stop.abort(new Error('killed'));
      await led;
    };
  }

  async #night(run: string, signal: AbortSignal): Promise<void> {
    const { clock } = this;
    const nth = this.begun.filter(one => one.run === run).length;
    this.begun.push({ run, at: iso(clock.now()) });
    this.atWorkMost = Math.max(this.atWorkMost, ++this.atWork);
    try {
      await clock.sleep(this.takes(run, nth), signal);
      this.write(run, 'done');
    } finally {
      this.atWork--;
    }
  }

  /** What a night itself writes, or somebody by hand. */
  write(run: string, state: string): void {
    this.records.push({
      run, kind: 'night', pipeline: this.pipeline.name, state, at: this.clock.now(), by: 'somebody', featureSet: 1, featureSetHash: '', sliceMs: 0,
      disorderMs: 0, epochsOf: 0, epochsUntil: 0, slice: [], report: null,
    });
  }

  async until(at: string): Promise<void> {
    await this.clock.turn(Date.parse(at) - this.clock.now());
  }

  /** What stands on the journal: each slot's time with the states written of it. */
  get slots(): readonly string[] {
    const found = new Map<string, string[]>();
    for (const { run, state, kind } of this.records)
      if (kind === 'night') found.set(run, [...(found.get(run) ?? []), state]);
    return [...found].map(([run, states]) => `${run.replace(/^.*-at-/, '')} ${states.join(' ')}`);
  }

  count(outcome: string): number | undefined {
    return this.figures.get(`slots ${outcome}`);
  }

  get outcomes(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(['done', 'late', 'overlong', 'missed', 'failed'].map(name => [name, this.count(name)]));
  }
} // prettier-ignore
