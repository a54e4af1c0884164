import { type EpochPhase, inReleaseOrder, NEVER_HEARD, Releasing } from '@millrace/features';
import type { Emitter, KeyedState } from '@millrace/stream';
import type { Clock, Metrics } from '@millrace/telemetry';
import { newestOf, putNewest } from './book.ts';
import type { Plan } from './plan.ts';
import type { Row } from './row.ts';
import type { Outputs } from './values.ts';
import type { VectorBytes } from './vectorBytes.ts';

export interface VectorWriter {
  /**
   * Writes the vector of a live row, behind those of all rows before it in source order; older than its entity's newest,
   * it goes aside. What is kept of it until `settle` are a few numbers.
   */
  put(row: Row): void;
  /** Keeps what the vectors since the last call have moved, and measures them. */
  settle(phase: EpochPhase): void;
  /** Writes the vectors of one epoch in the order of their release, and settles them. */
  write(rows: readonly Row[], phase: EpochPhase): void;
}

export interface VectorWriterOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly vectors: Readonly<Record<'features' | 'aside', VectorBytes>>;
}

export function vectorWriter(
  plan: Plan,
  { state, out }: { readonly state: KeyedState; readonly out: Emitter<Outputs> },
  { clock, metrics, vectors }: VectorWriterOptions,
): VectorWriter {
  const { entity: entityField, name: pipeline } = plan.pipeline;
  const views = plan.set.stages.flatMap(stage => stage.views);
  const releasing = new Releasing(entity => newestOf(state, entity));
  const told = new Told(pipeline, views, metrics);
  const entityOf = (row: Row): string => String(row.event.fields[entityField]);
  const put = (row: Row, entity: string): void => {
    const { time, sequence } = row.event;
    const to = releasing.isAside(entity, time, sequence) ? 'aside' : 'features';
    out.put(to, vectors[to].of(row, entity));
    told.note(row);
  };
  const settle = (phase: EpochPhase): void => {
    vectors.features.settle();
    vectors.aside.settle();
    for (const [entity, newest] of releasing.takeNewest()) putNewest(state, entity, newest);
    told.tell(clock.now(), phase);
  };
  return {
    put: row => put(row, entityOf(row)),
    settle,
    write(rows, phase) {
      const releasable = rows.map(row => releasableOf(row, entityOf(row)));
      for (const { row, entity } of inReleaseOrder(releasable, phase)) put(row, entity);
      settle(phase);
    },
  };
}

/** What is measured of vectors, gathered until all of a stretch are written. */
class Told {
  readonly #pipeline: string;
  readonly #views: readonly string[];
  readonly #metrics: Metrics;
  #appendTimesMs: number[] = [];
  /** Of each view two lists, in the order of a row's ages. */
  #ages: number[][];
  #late = 0;

  constructor(pipeline: string, views: readonly string[], metrics: Metrics) {
    this.#pipeline = pipeline;
    this.#views = views;
    this.#metrics = metrics;
    this.#ages = this.#noAges();
  }

  note({ appendTimeMs, late, ages }: Row): void {
    this.#appendTimesMs.push(appendTimeMs);
    if (late) this.#late++;
    // An older release had a part in it where there are fewer.
    if (ages.length !== this.#ages.length) return;
    for (let i = 0; i < ages.length; i++) if (ages[i] !== NEVER_HEARD) this.#ages[i]!.push(ages[i]!);
  }

  tell(nowMs: number, phase: EpochPhase): void {
    const pipeline = this.#pipeline;
    const waited = this.#appendTimesMs.map(appendTimeMs => (nowMs - appendTimeMs) / 1000);
    this.#metrics.observeAll('millrace_end_to_end_seconds', { pipeline, step: 'features' }, waited);
    if (this.#late > 0) this.#metrics.count('millrace_records_late_total', { pipeline }, this.#late);
    // Of live ones: what a backfill folds was looked at when it came.
    if (phase === 'live')
      for (const [i, view] of this.#views.entries()) {
        this.#metrics.observeAll('millrace_view_age_seconds', { pipeline, view }, this.#ages[2 * i]!);
        this.#metrics.observeAll('millrace_entity_age_seconds', { pipeline, view }, this.#ages[2 * i + 1]!);
      }
    this.#appendTimesMs = [];
    this.#ages = this.#noAges();
    this.#late = 0;
  }

  #noAges(): number[][] {
    return this.#views.flatMap((): number[][] => [[], []]);
  }
}

const releasableOf = (row: Row, entity: string) => ({
  row,
  entity,
  eventTimeMs: row.event.time,
  sequence: row.event.sequence,
  partition: row.event.partition,
  offset: row.event.offset,
});
