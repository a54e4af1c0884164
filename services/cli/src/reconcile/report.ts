/** A comparison as it is handed on: the same figures as JSON, as a table and as a page. */
import { LIVE, numericKpis, predictionId, type Stretch } from '@millrace/contracts';
import type { NightReport } from '@millrace/inference';
import type { World } from '../world/prepare.ts';
import type { Answer, Origin } from './answer.ts';
import { type ChangedFeature, changedFeatures } from './changed.ts';
import { entityOf } from './gather.ts';
import { type Cause, CAUSES, isStale, type Outcome, OUTCOMES } from './judge.ts';
import type { Reconciled } from './reconcile.ts';
import { type Comparison, type SideName, SIDES } from './sides.ts';
import type { Example } from './tally.ts';

export type ShownAnswer = Origin & {
  readonly predictionId: string;
  readonly eventId: string;
  readonly revision: number;
  readonly eventTime: string;
  readonly outputs: Readonly<Record<string, number>>;
  readonly kpis: Readonly<Record<string, number>>;
  readonly vectorOffset: number;
  /** Where the prediction stands on its topic, in the partition of the example. */
  readonly offset: number;
};

export interface ShownExample {
  readonly entity: string;
  readonly partition: number;
  /** Largest difference of an output; null where a side has no number or no answer. */
  readonly difference: number | null;
  readonly causes: readonly { readonly cause: Cause; readonly words: string; readonly detail: string }[];
  readonly run: ShownAnswer | null;
  readonly against: ShownAnswer | null;
  readonly features: readonly ChangedFeature[];
}

export interface SideReport {
  readonly id: string;
  readonly kind: string;
  readonly state: string | null;
  readonly captured: string | null;
  readonly asOf: string | null;
  readonly by: string | null;
  /** Entities of a night's slice, those of them that its manifest counts as scored, and the digest of it. */
  readonly entities: number | null;
  readonly scored: number | null;
  readonly digest: string | null;
  readonly answers: number;
  readonly repeated: number;
  readonly late: number;
  readonly fallbacks: number;
  readonly decisions: Readonly<Record<string, number>>;
  /** Sums over all answers. */
  readonly kpis: Readonly<Record<string, number>>;
  readonly origins: readonly (Pick<Origin, 'model' | 'modelVersion' | 'modelDigest' | 'featureSet' | 'featureSetHash' | 'controlRevision'> & { readonly answers: number })[];
  readonly slice: readonly Stretch[];
} // prettier-ignore

export interface Report {
  readonly format: 1;
  readonly pipeline: string;
  readonly at: string;
  /** Nothing is missing, extra or differing, no run answered twice, and what their manifests count is there. */
  readonly agrees: boolean;
  readonly unit: Comparison['unit'];
  readonly tolerance: number;
  readonly compared: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly beyondTolerance: number;
  /** Null where it is infinite: one side had no number. */
  readonly largestDifference: number | null;
  readonly unusable: number;
  readonly causes: readonly { readonly outcome: Outcome; readonly cause: Cause; readonly words: string; readonly units: number }[];
  readonly moves: readonly { readonly against: string; readonly run: string; readonly units: number }[];
  readonly run: SideReport;
  readonly against: SideReport;
  readonly examples: Readonly<Record<Exclude<Outcome, 'matched'>, readonly ShownExample[]>>;
  /** What was read of the predictions topic. */
  readonly predictions: readonly Stretch[];
} // prettier-ignore

const finite = (value: number | undefined): number | null => (Number.isFinite(value) ? value! : null);
const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
const named = (names: readonly string[], values: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries(names.map((name, i) => [name, values[i]!]));

const sideReport = ({ comparison, tally }: Reconciled, name: SideName): SideReport => {
  const { id, kind, captured, ended, slice } = comparison[name];
  const counted = tally.sides[name];
  const about = JSON.parse(ended?.report ?? '{}') as Partial<NightReport>;
  return {
    id, kind, state: ended?.state ?? null, captured: iso(captured?.at), asOf: about.asOf ?? null, by: captured?.by ?? null,
    entities: about.entities ?? null, scored: about.scored ?? null, digest: about.digest ?? null,
    answers: counted.answers, repeated: counted.repeated, late: counted.late, fallbacks: counted.fallbacks,
    decisions: Object.fromEntries([...counted.decisions].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    kpis: named(numericKpis(comparison.pipeline), counted.kpis),
    origins: [...counted.origins.values()]
      .toSorted((a, b) => b.answers - a.answers)
      .map(({ origin: { model, modelVersion, modelDigest, featureSet, featureSetHash, controlRevision }, answers }) =>
        ({ model, modelVersion, modelDigest, featureSet, featureSetHash, controlRevision, answers })),
    slice,
  };
}; // prettier-ignore

const shownAnswer = ({ pipeline }: Comparison, runId: string, answer: Answer): ShownAnswer => ({
  ...answer.origin,
  predictionId: predictionId(pipeline.name, answer.eventId, answer.revision, runId, 'answer', answer.seq),
  eventId: answer.eventId,
  revision: answer.revision,
  eventTime: new Date(answer.eventTime).toISOString(),
  outputs: named(pipeline.model.outputs, answer.outputs),
  kpis: named(numericKpis(pipeline), answer.kpis),
  vectorOffset: answer.vectorOffset,
  offset: answer.offset,
});

const DIGEST_DIGITS = 12;
export const modelOf = ({ model, modelVersion, modelDigest }: Pick<Origin, 'model' | 'modelVersion' | 'modelDigest'>): string =>
  model === '' ? 'a constant' : `${model} ${modelVersion} (${modelDigest.slice(0, DIGEST_DIGITS)}…)`; // prettier-ignore
export const nameOf = ({ id }: Pick<SideReport, 'id'>): string => (id === LIVE ? 'the stream' : id);

/** Answers that the manifest of a run counts, and that are not on the topic. */
export const lostOf = ({ scored, answers, repeated }: SideReport): number =>
  Math.max(0, (scored ?? 0) - answers - repeated);

/** What a reader needs beside the words of a cause, to look it up. */
const detailOf = (comparison: Comparison, { unit, judgement }: Example, cause: Cause): string => {
  if (cause === 'dead-letter') return `reason ${judgement.letter}`;
  const { run, against } = unit.answers;
  if (run === undefined || against === undefined) return '';
  const both = (of: (answer: Answer) => string): string => `${of(run)} instead of ${of(against)}`;
  if (cause === 'stale-vector') {
    const stale = SIDES.filter(name => isStale(unit, name));
    return stale.length === 0
      ? `vector at offset ${both(({ vectorOffset }) => String(vectorOffset))}`
      : stale.map(name => `${nameOf(comparison[name])}: vector at offset ${unit.answers[name]!.vectorOffset}, the newest is at ${unit.expected[name]}`).join('; ');
  }
  if (cause === 'other-slice') return `event ${both(({ eventId, revision }) => `${eventId} (revision ${revision})`)}`;
  if (cause === 'model') return both(({ origin }) => modelOf(origin));
  if (cause === 'fallback') return both(({ origin }) => origin.fallback ?? 'the model');
  if (cause === 'feature-set') return both(({ origin }) => `v${origin.featureSet} (${origin.featureSetHash.slice(0, DIGEST_DIGITS)}…)`);
  if (cause === 'thresholds') return `control revision ${both(({ origin }) => String(origin.controlRevision))}`;
  return '';
}; // prettier-ignore

const OTHER_VALUES: ReadonlySet<Cause> = new Set<Cause>(['stale-vector', 'other-slice', 'late-event', 'freshness', 'vector']); // prettier-ignore

const shownExample = async (world: World, { comparison }: Reconciled, example: Example): Promise<ShownExample> => {
  const { key, partition, unit, judgement } = example;
  const { run, against } = unit.answers;
  const hasBoth = run !== undefined && against !== undefined;
  const hasOtherValues = hasBoth && judgement.causes.some(cause => OTHER_VALUES.has(cause));
  return {
    entity: entityOf(comparison, key),
    partition,
    difference: finite(judgement.difference),
    causes: judgement.causes.map(cause => ({ cause, words: CAUSES[cause], detail: detailOf(comparison, example, cause) })),
    run: run === undefined ? null : shownAnswer(comparison, comparison.run.id, run),
    against: against === undefined ? null : shownAnswer(comparison, comparison.against.id, against),
    features: hasOtherValues ? await changedFeatures(world, comparison.pipeline, partition, { run, against }) : [],
  };
}; // prettier-ignore

/** Looks up what changed in the vectors of the examples, and puts everything together. */
export const reportOf = async (world: World, reconciled: Reconciled, tolerance: number): Promise<Report> => {
  const { comparison, stretches, tally } = reconciled;
  const { differing, missing, extra } = tally.outcomes;
  const shown = async (outcome: Outcome): Promise<readonly ShownExample[]> => {
    const found: ShownExample[] = [];
    for (const example of tally.examples(outcome)) found.push(await shownExample(world, reconciled, example));
    return found;
  };
  const sides = { run: sideReport(reconciled, 'run'), against: sideReport(reconciled, 'against') };
  const isSound = SIDES.every(name => sides[name].id === LIVE || (sides[name].repeated === 0 && lostOf(sides[name]) === 0));
  const causes = OUTCOMES.flatMap(outcome =>
    [...tally.causes.get(outcome)!]
      .toSorted(([, a], [, b]) => b - a)
      .map(([cause, units]) => ({ outcome, cause, words: CAUSES[cause], units })),
  );
  return {
    format: 1, pipeline: comparison.pipeline.name, at: iso(world.clock.now())!, unit: comparison.unit, tolerance,
    agrees: differing + missing + extra === 0 && isSound,
    compared: OUTCOMES.reduce((sum, outcome) => sum + tally.outcomes[outcome], 0), outcomes: tally.outcomes,
    beyondTolerance: tally.beyondTolerance, largestDifference: finite(tally.largestDifference), unusable: tally.unusable,
    causes,
    moves: [...tally.moves].toSorted(([, a], [, b]) => b - a).map(([key, units]) => {
      const [against, run] = JSON.parse(key) as [string, string];
      return { against, run, units };
    }),
    ...sides,
    examples: { differing: await shown('differing'), missing: await shown('missing'), extra: await shown('extra'), unanswered: await shown('unanswered') },
    predictions: stretches.predictions.map(({ topic, partition, offset: from, until }) => ({ topic, partition, from, until })),
  };
}; // prettier-ignore
