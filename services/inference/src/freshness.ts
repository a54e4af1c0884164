/**
 * Whether what a vector rests on is too old to be believed, and what then becomes of it. The ages stand in the vector: they
 * were fixed in event time when it was made, so whoever answers it, in the stream, at night or again, comes to the same.
 */
import type { RecordCodec } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import { agedViews, ageField, durationMs, type Pipeline, type StalePolicy } from '@millrace/define';
import type { LaneOptions } from './laneOptions.ts';
import type { Run } from './taken.ts';
import type { Vectors } from './vectors.ts';

/** The view that decides, which is one of the strictest policy, and what was too old of it, in words. */
export interface Stale {
  readonly view: string;
  readonly policy: StalePolicy;
  readonly cause: string;
}

/** How pipelines answer stale vectors. */
export interface FreshnessRule {
  judge(vectors: Vectors, row: number): Stale | undefined;
  /** What the policy `fallback` answers, in the order of the model's outputs. */
  readonly constant: readonly number[];
}

type Rows = RecordCodec<FeaturesValue>['rows'];

const STRICTNESS: Readonly<Record<StalePolicy, number>> = { score: 0, fallback: 1, refuse: 2 };
const SECOND_MS = 1000;

interface Bound {
  readonly view: string;
  readonly policy: StalePolicy;
  readonly age: ReturnType<Rows['field']>;
  readonly secondsMax: number;
  readonly what: string;
}

const boundsOf = ({ features }: Pipeline, rows: Rows): readonly Bound[] =>
  agedViews(features)
    .flatMap(({ name, freshness }) => {
      if (freshness === undefined) return [];
      const { policy, staleAfter, entityStaleAfter } = freshness;
      const kinds = [
        { record: 'viewAges', bound: staleAfter, what: 'is behind the event by' },
        { record: 'entityAges', bound: entityStaleAfter, what: 'has not heard of the entity for' },
      ];
      return kinds.flatMap(({ record, bound, what }): readonly Bound[] => {
        if (bound === undefined) return [];
        const age = rows.field(`${record}.${ageField(name)}`);
        return [{ view: name, policy, age, secondsMax: durationMs(bound) / SECOND_MS, what }];
      });
    })
    .toSorted((a, b) => STRICTNESS[b.policy] - STRICTNESS[a.policy]);

/** @returns undefined where the pipeline does not say how old a view may be */
export const freshnessRule = (
  pipeline: Pipeline,
  features: RecordCodec<FeaturesValue>,
): FreshnessRule | undefined => {
  const bounds = boundsOf(pipeline, features.rows);
  if (bounds.length === 0) return undefined;
  const last = pipeline.model.fallback.find(one => typeof one !== 'string');
  return {
    constant: pipeline.model.outputs.map(name => last?.constant[name] ?? Number.NaN),
    judge(vectors, row) {
      for (const { view, policy, age, secondsMax, what } of bounds) {
        const seconds = vectors.read(age, row) as number;
        if (seconds > secondsMax)
          return {
            view,
            policy,
            cause: `view ${view} ${what} ${seconds} s, and ${secondsMax} s are allowed`,
          };
      }
      return undefined;
    },
  };
};

/** Whether the row that was added last is stale; closes it where such rows are refused. */
export const staleness = (
  { pipeline, metrics, reader }: LaneOptions,
  { batch, out, input }: Run,
  i: number,
  vectors: Vectors,
): Stale | undefined => {
  const stale = reader.freshness?.judge(vectors, vectors.length - 1);
  if (stale === undefined) return undefined;
  const { view, policy, cause } = stale;
  // What is replayed has been counted when it came.
  if (reader.runOf(input, batch, i) === undefined)
    metrics.count('millrace_records_stale_total', { pipeline: pipeline.name, view, policy });
  if (policy === 'refuse') {
    vectors.pop();
    out.reject(i, 'stale-features', cause);
  }
  return stale;
};
