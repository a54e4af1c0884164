import { type FeaturesValue, inputHash } from '@millrace/contracts';
import { ageField } from '@millrace/define';
import { type EpochPhase, NEVER_HEARD, release } from '@millrace/features';
import type { Emitter, KeyedState } from '@millrace/stream';
import type { Clock, Metrics } from '@millrace/telemetry';
import { newestOf, putNewest } from './book.ts';
import type { Plan } from './plan.ts';
import type { Row } from './row.ts';
import type { Outputs } from './values.ts';

export interface VectorWriter {
  /**
   * Writes the vectors of one epoch, live in source order, of a replay in the order of the fold; older than its entity's
   * newest, a vector goes aside.
   */
  write(rows: readonly Row[], phase: EpochPhase): void;
}

export function vectorWriter(
  plan: Plan,
  { state, out }: { readonly state: KeyedState; readonly out: Emitter<Outputs> },
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): VectorWriter {
  const pipeline = plan.pipeline.name;
  const views = plan.set.stages.flatMap(stage => stage.views);
  const ageFields = views.map(ageField);
  return {
    write(rows, phase) {
      const releasable = rows.map(row => ({
        row,
        entity: String(row.event.fields[plan.pipeline.entity]),
        eventTimeMs: row.event.time,
        sequence: row.event.sequence,
        partition: row.event.partition,
        offset: row.event.offset,
      }));
      const { released, newest } = release(releasable, entity => newestOf(state, entity), phase);
      const nowMs = clock.now();
      for (const { row: of, aside } of released) {
        out.emit(
          aside ? 'aside' : 'features',
          Buffer.from(of.entity),
          vectorOf(plan, of.row, of.entity, ageFields),
        );
        if (of.row.late) metrics.count('millrace_records_late_total', { pipeline });
        const waitedSeconds = (nowMs - of.row.appendTimeMs) / 1000;
        metrics.observe('millrace_end_to_end_seconds', { pipeline, step: 'features' }, waitedSeconds);
      }
      for (const [entity, seen] of newest) putNewest(state, entity, seen);
      measureAges(rows, phase);
    },
  };

  /** Of live ones: what a backfill folds was looked at when it came. */
  function measureAges(rows: readonly Row[], phase: EpochPhase): void {
    if (phase !== 'live') return;
    for (const [i, view] of views.entries()) {
      const known = rows.filter(({ ages }) => ages.length === 2 * views.length);
      const seconds = (at: number) =>
        known.map(({ ages }) => ages[2 * i + at]!).filter(age => age !== NEVER_HEARD);
      metrics.observeAll('millrace_view_age_seconds', { pipeline, view }, seconds(0));
      metrics.observeAll('millrace_entity_age_seconds', { pipeline, view }, seconds(1));
    }
  }
}

function vectorOf(
  { set, eventFields }: Plan,
  row: Row,
  entity: string,
  ageFields: readonly string[],
): FeaturesValue {
  const { event } = row;
  let at = 0;
  const partials = set.stages.map(stage =>
    Float64Array.from(row.features.slice(at, (at += stage.features.length))),
  );
  const values = set.finish(event.fields, partials);
  const reference = set.referenceOf(partials);
  const fields: Record<string, unknown> = {};
  for (const name of eventFields) fields[name] = event.fields[name];
  set.reference.forEach((name, i) => (fields[name] = Number.isNaN(reference[i]) ? null : reference[i]));
  return {
    eventId: event.eventId,
    revision: event.revision,
    sequence: event.sequence,
    entity,
    eventTime: event.time,
    appendTime: row.appendTimeMs,
    featureSet: set.version,
    featureSetHash: set.hash,
    late: row.late,
    sourceTopic: row.sourceTopic,
    sourcePartition: event.partition,
    sourceOffset: event.offset,
    inputHash: inputHash(row.value),
    runId: 'live',
    traceparent: row.traceparent,
    event: fields,
    features: Object.fromEntries(set.names.map((name, i) => [name, values[i]!])),
    ...agesIn(row, ageFields),
  };
}

/** Unknown where an older release had a part in the row. */
function agesIn({ ages }: Row, fields: readonly string[]): Pick<FeaturesValue, 'viewAges' | 'entityAges'> {
  if (fields.length === 0) return {};
  const isKnown = ages.length === 2 * fields.length;
  return {
    viewAges: Object.fromEntries(fields.map((name, i) => [name, isKnown ? ages[2 * i]! : 0])),
    entityAges: Object.fromEntries(fields.map((name, i) => [name, isKnown ? ages[2 * i + 1]! : NEVER_HEARD])),
  };
}
