/** Payments on their way through the shipped pipeline: as they come in, and as vectors that go out. */
import { type Codec, localCodec, type RecordCodec } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import { type CompiledStage, type EntityState, type FoldEvent, Heard } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { type Plan, planOf } from '../../../services/feature/src/plan.ts';
import type { Row } from '../../../services/feature/src/row.ts';
import { eventsOf, SIMULATION } from '../load/payments.ts';

/** Payments that are gone through in turn: more than one run of a topic has, fewer than would fill the memory. */
const POOL_PAYMENTS_MAX = 10_000;

export interface Passed {
  readonly plan: Plan;
  readonly events: Codec<Readonly<Record<string, unknown>>>;
  readonly vectors: RecordCodec<FeaturesValue>;
  /** Folded by all stages, with the event's value as on its topic. */
  readonly rows: readonly Row[];
}

const codecOf = <T>({ values }: Plan, topic: string, id: number): RecordCodec<T> =>
  localCodec<T>(values.get(topic)!.schema, id);

/** Nobody waits for these rows. */
const HELD: Row['held'] = {
  batch: {
    settled: Promise.resolve(),
    done: () => undefined,
    skip: () => undefined,
    reject: () => undefined,
  },
  i: 0,
};

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

export const passedPayments = (records: number): Passed => {
  const plan = planOf(fraud);
  const { features, scored } = plan.topics;
  const events = codecOf<Readonly<Record<string, unknown>>>(plan, scored, 1);
  const steps = plan.set.stages.map(stepOf);
  const rows: Row[] = [];
  for (const event of eventsOf(fraud, SIMULATION)) {
    if (rows.length === Math.min(records, POOL_PAYMENTS_MAX)) break;
    const found = steps.map(step => step(event)).filter(step => step !== undefined);
    if (found.length < steps.length) continue;
    const fields = { revision: 0, withdrawn: false, lineage: null, ...event.fields };
    rows.push({
      event: { ...event, fields },
      value: events.encode(fields),
      sourceTopic: scored,
      appendTimeMs: event.time,
      traceparent: null,
      late: false,
      features: found.flatMap(({ values }) => values),
      ages: found.flatMap(({ ages }) => ages),
      held: HELD,
    });
  }
  return { plan, events, vectors: codecOf(plan, features, 2), rows };
};
