/** Payments on their way through the shipped pipeline: as they come in, and as vectors that go out. */
import { type Codec, localCodec, type RecordCodec } from '@millrace/avro';
import { type FeaturesValue, inputHash, LIVE } from '@millrace/contracts';
import { ageField } from '@millrace/define';
import { type CompiledStage, type EntityState, type FoldEvent, Heard } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { type Plan, planOf } from '../../../services/feature/src/plan.ts';
import { NOBODY, type Row } from '../../../services/feature/src/row.ts';
import { eventsOf, SIMULATION } from '../load/payments.ts';

/** Payments that are gone through in turn: more than one run of a topic has, fewer than would fill the memory. */
const POOL_PAYMENTS_MAX = 10_000;

export interface Passed {
  readonly plan: Plan;
  readonly events: Codec<Readonly<Record<string, unknown>>>;
  readonly vectors: RecordCodec<FeaturesValue>;
  /** Folded by all stages, with the event's value as on its topic. */
  readonly rows: readonly Row[];
  /** Their vectors, as objects. */
  readonly values: readonly FeaturesValue[];
}

const codecOf = <T>({ values }: Plan, topic: string, id: number): RecordCodec<T> =>
  localCodec<T>(values.get(topic)!.schema, id);

export const entityOf = ({ event }: Row): string => String(event.fields[fraud.entity]);

interface Step {
  readonly values: readonly number[];
  readonly ages: readonly number[];
}

/** What a stage that keeps no changelog gives of one event after the other; undefined where it has no values. */
const stepOf = (stage: CompiledStage): ((event: FoldEvent) => Step | undefined) => {
  const states = new Map<string, EntityState>();
  const heard = new Heard(stage.heard);
  return event => {
    const entity = String(event.fields[stage.key]);
    const state = states.get(entity) ?? stage.open();
    states.set(entity, state);
    heard.note(event);
    const ages = stage.agesOf(state, event, heard);
    const { values } = stage.fold(state, event);
    state.forgetChanges();
    return values === undefined ? undefined : { values, ages };
  };
};

const vectorOf = ({ plan, row, parts }: { readonly plan: Plan; readonly row: Row; readonly parts: readonly (readonly number[])[] }): FeaturesValue => {
  const { set, eventFields } = plan;
  const { event, value, sourceTopic, appendTimeMs, traceparent, late, ages } = row;
  const { eventId, revision, sequence, time, partition, offset, fields } = event;
  const views = set.stages.flatMap(stage => stage.views).map(ageField);
  const finished = set.finish(fields, parts);
  return {
    eventId, revision, sequence, entity: entityOf(row), eventTime: time, appendTime: appendTimeMs,
    featureSet: set.version, featureSetHash: set.hash, late,
    sourceTopic, sourcePartition: partition, sourceOffset: offset, inputHash: inputHash(value.bytes), runId: LIVE, traceparent,
    event: Object.fromEntries(eventFields.map(name => [name, fields[name]])),
    features: Object.fromEntries(set.names.map((name, i) => [name, finished[i]!])),
    viewAges: Object.fromEntries(views.map((view, i) => [view, ages[2 * i]!])),
    entityAges: Object.fromEntries(views.map((view, i) => [view, ages[2 * i + 1]!])),
  };
}; // prettier-ignore

export const passedPayments = (records: number): Passed => {
  const plan = planOf(fraud);
  const { features, scored } = plan.topics;
  const events = codecOf<Readonly<Record<string, unknown>>>(plan, scored, 1);
  const steps = plan.set.stages.map(stepOf);
  const rows: Row[] = [];
  const values: FeaturesValue[] = [];
  for (const event of eventsOf(fraud, SIMULATION)) {
    if (rows.length === Math.min(records, POOL_PAYMENTS_MAX)) break;
    const found = steps.map(step => step(event)).filter(step => step !== undefined);
    if (found.length < steps.length) continue;
    const fields = { revision: 0, withdrawn: false, lineage: null, ...event.fields };
    const bytes = events.encode(fields);
    const row = {
      event: { ...event, fields },
      value: { bytes, from: 0, to: bytes.length },
      sourceTopic: scored,
      appendTimeMs: event.time,
      traceparent: null,
      isSentAgain: false,
      late: false,
      features: found.flatMap(({ values }) => values),
      ages: found.flatMap(({ ages }) => ages),
      held: NOBODY,
    };
    rows.push(row);
    values.push(vectorOf({ plan, row, parts: found.map(step => step.values) }));
  }
  return { plan, events, vectors: codecOf(plan, features, 2), rows, values };
};
