/** A comparison as it is handed on: the same figures as JSON, as a table and as a page. */
import type { Stretch } from '@millrace/contracts';
import { hashFeatureSet, ofSet } from '@millrace/define';
import { ABSENCES, type Absence, type Cause, CAUSES } from './causes.ts';
import { type Comparison, type Example, type Kind, type Outcome, OUTCOMES } from './compare.ts';
import type { Verified } from './verify.ts';

export interface FeatureReport extends Readonly<Record<Kind, number>> {
  readonly name: string;
  /** Empty for inputs as they are. */
  readonly view: string;
  /** As a part of max(1, |recomputed|). */
  readonly largestDifference: number;
}

export interface ShownExample {
  readonly entity: string;
  readonly eventId: string;
  readonly revision: number;
  readonly eventTime: string;
  /** Null where it was not answered. */
  readonly predictionId: string | null;
  readonly cause: Cause | Absence;
  readonly words: string;
  /** Null is missing. */
  readonly features: readonly { readonly name: string; readonly served: number | null; readonly recomputed: number | null }[];
} // prettier-ignore

export interface Report {
  readonly format: 1;
  readonly pipeline: string;
  readonly featureSet: number;
  readonly featureSetHash: string;
  readonly at: string;
  /** First event time, and the first behind the last; null: from the oldest, to the newest. */
  readonly from: string | null;
  readonly until: string | null;
  readonly sample: number;
  readonly tolerance: number;
  /** Nothing is differing, missing or extra. */
  readonly agrees: boolean;
  readonly entities: number;
  readonly vectors: Readonly<Record<Outcome, number>>;
  /** Of the vectors that both sides have. */
  readonly late: number;
  readonly stale: number;
  readonly unusable: number;
  readonly features: readonly FeatureReport[];
  readonly causes: readonly { readonly outcome: Outcome; readonly cause: Cause | Absence; readonly words: string; readonly vectors: number }[];
  readonly examples: Readonly<Record<Exclude<Outcome, 'matched'>, readonly ShownExample[]>>;
  /** What was read. */
  readonly stretches: readonly Stretch[];
} // prettier-ignore

const wordsOf = (cause: Cause | Absence): string => ({ ...CAUSES, ...ABSENCES })[cause];
const shown = (value: number): number | null => (Number.isNaN(value) ? null : value);
const iso = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);

const shownExample = (
  entityField: string,
  { served, recomputed, cause, differences }: Example,
): ShownExample => {
  const event = recomputed?.event;
  return {
    entity: served?.entity ?? String(event?.fields[entityField]),
    eventId: served?.eventId ?? event!.eventId,
    revision: served?.revision ?? event!.revision,
    eventTime: new Date(served?.eventTime ?? event!.time).toISOString(),
    predictionId: served?.predictionId ?? null,
    cause,
    words: wordsOf(cause),
    features: differences.map(of => ({
      name: of.name,
      served: shown(of.served),
      recomputed: shown(of.recomputed),
    })),
  };
};

const causesOf = ({ causes }: Comparison): Report['causes'] =>
  [...causes]
    .map(([kind, vectors]) => {
      const [outcome, cause] = kind.split(' ') as [Outcome, Cause | Absence];
      return { outcome, cause, words: wordsOf(cause), vectors };
    })
    .toSorted((a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || b.vectors - a.vectors);

export const reportOf = ({ asked, comparison, stretches, unusable }: Verified, tolerance: number, nowMs: number): Report => {
  const { pipeline, set, fromMs, untilMs, sample } = asked;
  const { outcomes, features, entities, late, stale } = comparison;
  const examples = (outcome: Outcome) => comparison.examples(outcome).map(one => shownExample(pipeline.entity, one));
  return {
    format: 1, pipeline: pipeline.name, featureSet: set, featureSetHash: hashFeatureSet(ofSet(pipeline, set)), at: iso(nowMs)!,
    from: iso(fromMs), until: iso(untilMs), sample, tolerance,
    agrees: outcomes.differing + outcomes.missing + outcomes.extra === 0,
    entities: entities.size, vectors: outcomes, late, stale, unusable,
    features: features.map(({ name, view, counts, largestDifference }) => ({ name, view, ...counts, largestDifference })),
    causes: causesOf(comparison),
    examples: { differing: examples('differing'), missing: examples('missing'), extra: examples('extra'), excused: examples('excused') },
    stretches,
  };
}; // prettier-ignore
