import { type FeaturesValue, inputHash } from '@millrace/contracts';
import { type EpochPhase, release } from '@millrace/features';
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
        out.emit(aside ? 'aside' : 'features', Buffer.from(of.entity), vectorOf(plan, of.row, of.entity));
        if (of.row.late) metrics.count('millrace_records_late_total', { pipeline });
        const waitedSeconds = (nowMs - of.row.appendTimeMs) / 1000;
        metrics.observe('millrace_end_to_end_seconds', { pipeline, step: 'features' }, waitedSeconds);
      }
      for (const [entity, seen] of newest) putNewest(state, entity, seen);
    },
  };
}

function vectorOf({ set, eventFields }: Plan, row: Row, entity: string): FeaturesValue {
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
  };
}
