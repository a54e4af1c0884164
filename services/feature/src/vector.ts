import { type EpochPhase, NEVER_HEARD, release } from '@millrace/features';
import type { Emitter, KeyedState } from '@millrace/stream';
import type { Clock, Metrics } from '@millrace/telemetry';
import { newestOf, putNewest } from './book.ts';
import type { Plan } from './plan.ts';
import type { Row } from './row.ts';
import type { Outputs } from './values.ts';
import type { VectorBytes } from './vectorBytes.ts';

export interface VectorWriter {
  /**
   * Writes the vectors of one epoch, live in source order, of a replay in the order of the fold; older than its entity's
   * newest, a vector goes aside.
   */
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
  return {
    write(rows, phase) {
      const { released, newest } = release(
        rows.map(row => releasable(row, String(row.event.fields[entityField]))),
        entity => newestOf(state, entity),
        phase,
      );
      let late = 0;
      for (const {
        row: { row, entity },
        aside: isAside,
      } of released) {
        const to = isAside ? 'aside' : 'features';
        out.put(to, vectors[to].of(row, entity));
        if (row.late) late++;
      }
      for (const [entity, seen] of newest) putNewest(state, entity, seen);
      measure(rows, phase, late);
    },
  };

  function measure(rows: readonly Row[], phase: EpochPhase, late: number): void {
    const nowMs = clock.now();
    const waited = rows.map(({ appendTimeMs }) => (nowMs - appendTimeMs) / 1000);
    metrics.observeAll('millrace_end_to_end_seconds', { pipeline, step: 'features' }, waited);
    if (late > 0) metrics.count('millrace_records_late_total', { pipeline }, late);
    // Of live ones: what a backfill folds was looked at when it came.
    if (phase === 'live') measureAges(rows);
  }

  function measureAges(rows: readonly Row[]): void {
    const known = rows.filter(({ ages }) => ages.length === 2 * views.length);
    for (const [i, view] of views.entries()) {
      const seconds = (at: number): readonly number[] =>
        known.map(({ ages }) => ages[2 * i + at]!).filter(age => age !== NEVER_HEARD);
      metrics.observeAll('millrace_view_age_seconds', { pipeline, view }, seconds(0));
      metrics.observeAll('millrace_entity_age_seconds', { pipeline, view }, seconds(1));
    }
  }
}

const releasable = (row: Row, entity: string) => ({
  row,
  entity,
  eventTimeMs: row.event.time,
  sequence: row.event.sequence,
  partition: row.event.partition,
  offset: row.event.offset,
});
