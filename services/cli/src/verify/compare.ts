/** Both sides of each vector of the sample, feature by feature. Nothing is read here. */
import { agedViews, featureNames, type Pipeline } from '@millrace/define';
import { Examples } from '../reconcile/greatest.ts';
import { type Absence, type Cause, EXCUSED } from './causes.ts';
import type { Recomputed, RecomputedVectors } from './recompute.ts';
import type { Served, ServedVectors } from './served.ts';

export const OUTCOMES = ['matched', 'differing', 'missing', 'extra', 'excused'] as const;
/** `missing`: only recomputed; `extra`: only served; `excused`: only on one side, and features are not the reason. */
export type Outcome = (typeof OUTCOMES)[number];

export const KINDS = ['mismatch', 'missing', 'extra'] as const;
/** `mismatch`: other numbers; `missing`: only recomputed there is a number; `extra`: only served. */
export type Kind = (typeof KINDS)[number];

export interface FeatureTally {
  readonly name: string;
  readonly view: string;
  readonly counts: Record<Kind, number>;
  /** As a part of max(1, |recomputed|), of numbers on both sides. */
  largestDifference: number;
}

export interface Difference {
  readonly name: string;
  readonly served: number;
  readonly recomputed: number;
}

/** A vector worth looking at. */
export interface Example {
  readonly key: string;
  readonly outcome: Outcome;
  readonly cause: Cause | Absence;
  readonly served: Served | undefined;
  readonly recomputed: Recomputed | undefined;
  readonly differences: readonly Difference[];
  /** By what it is sorted; infinite where one side has no number. */
  readonly weight: number;
}

export interface Sides {
  readonly served: ServedVectors;
  readonly recomputed: RecomputedVectors;
  /** Why there is no answer, by key of what was recomputed alone. */
  readonly unanswered: ReadonlyMap<string, Absence>;
  /** Source offsets before which a topic keeps nothing, by topic and partition. */
  readonly isGone: (served: Served) => boolean;
  /** Event time from which on the topics have all that a stage needs, by stage; minus infinity: all. */
  readonly wholeFromMs: readonly number[];
}

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.max(1, Math.abs(b));

const byWeight = (a: Example, b: Example): number =>
  a.weight === b.weight ? (a.key < b.key ? -1 : 1) : b.weight > a.weight ? 1 : -1;

/** Counts, and the examples that a reader looks at first; bounded, however many vectors there are. */
export class Comparison {
  readonly outcomes: Record<Outcome, number> = { matched: 0, differing: 0, missing: 0, extra: 0, excused: 0 };
  readonly features: readonly FeatureTally[];
  /** Vectors by outcome and cause. */
  readonly causes = new Map<string, number>();
  readonly entities = new Set<string>();
  late = 0;
  stale = 0;
  readonly #stageOf: readonly (number | undefined)[];
  readonly #entity: string;
  readonly #tolerance: number;
  readonly #examples: Examples<Example>;

  /** @param keys of the set's stages, in order. @param top examples of each outcome and cause */
  constructor({ features, entity }: Pipeline, keys: readonly string[], tolerance: number, top: number) {
    this.#entity = entity;
    this.#tolerance = tolerance;
    this.#examples = new Examples(top, byWeight);
    const viewOf = (name: string) => features.views.find(view => name in view.features);
    const aged = new Set(agedViews(features).map(({ name }) => name));
    this.features = featureNames(features).map(name => ({
      name,
      view: viewOf(name)?.name ?? '',
      counts: { mismatch: 0, missing: 0, extra: 0 },
      largestDifference: 0,
    }));
    this.#stageOf = this.features.map(({ name, view }) => {
      const definition = viewOf(name);
      const isKept = aged.has(view) && 'aggregate' in definition!.features[name]!;
      return isKept ? keys.indexOf(definition!.key!) : undefined;
    });
  }

  add({ served, recomputed, unanswered, isGone, wholeFromMs }: Sides): void {
    for (const [key, one] of recomputed.vectors) {
      const of = served.vectors.get(key);
      if (of !== undefined) this.#compare(key, of, one, wholeFromMs);
      else this.#alone(key, 'missing', unanswered.get(key) ?? 'no-answer', undefined, one);
    }
    for (const [key, one] of served.vectors) {
      if (recomputed.vectors.has(key)) continue;
      const cause = recomputed.superseded.has(key) ? 'superseded' : isGone(one) ? 'gone' : 'no-event';
      this.#alone(key, 'extra', cause, one, undefined);
    }
  }

  #alone(key: string, outcome: Outcome, cause: Absence, served: Served | undefined, recomputed: Recomputed | undefined): void {
    this.entities.add(served?.entity ?? String(recomputed?.event.fields[this.#entity]));
    const counted = EXCUSED.has(cause) ? 'excused' : outcome;
    this.#count({ key, outcome: counted, cause, served, recomputed, differences: [], weight: 0 });
  } // prettier-ignore

  #compare(key: string, served: Served, recomputed: Recomputed, wholeFromMs: readonly number[]): void {
    this.entities.add(served.entity);
    if (served.late) this.late++;
    if (served.stale) this.stale++;
    const differences: Difference[] = [];
    const stages = new Set<number | undefined>();
    let weight = 0;
    for (const [i, feature] of this.features.entries()) {
      const [a, b] = [served.features[i]!, recomputed.features[i]!];
      const kind = this.#judge(feature, a, b);
      if (kind === undefined) continue;
      feature.counts[kind]++;
      differences.push({ name: feature.name, served: a, recomputed: b });
      stages.add(this.#stageOf[i]);
      weight = Math.max(weight, kind === 'mismatch' ? relative(a, b) : Number.POSITIVE_INFINITY);
    }
    const outcome = differences.length === 0 ? 'matched' : 'differing';
    const cause = this.#causeOf(stages, recomputed, wholeFromMs);
    this.#count({ key, outcome, cause, served, recomputed, differences, weight });
  }

  #judge(feature: FeatureTally, a: number, b: number): Kind | undefined {
    if (Number.isNaN(a) && Number.isNaN(b)) return undefined;
    if (Number.isNaN(a)) return 'missing';
    if (Number.isNaN(b)) return 'extra';
    const difference = Object.is(a, b) ? 0 : relative(a, b);
    feature.largestDifference = Math.max(feature.largestDifference, difference);
    return difference <= this.#tolerance ? undefined : 'mismatch';
  }

  /** What rests on other features may differ for the reason of any stage. */
  #causeOf(stages: ReadonlySet<number | undefined>, { event, unknown }: Recomputed, wholeFromMs: readonly number[]): Cause {
    const kept = [...stages].filter(stage => stage !== undefined);
    const at = kept.length > 0 ? kept : unknown.map((_, s) => s);
    for (const s of at) if (event.time < wholeFromMs[s]!) return 'history';
    for (const s of at) if (unknown[s] !== undefined) return unknown[s];
    return 'other';
  } // prettier-ignore

  #count(example: Example): void {
    const { outcome, cause } = example;
    this.outcomes[outcome]++;
    if (outcome === 'matched') return;
    const kind = `${outcome} ${cause}`;
    this.causes.set(kind, (this.causes.get(kind) ?? 0) + 1);
    this.#examples.add(outcome, cause, example);
  }

  /** The greatest of an outcome, and at least one of each of its causes. */
  examples(outcome: Outcome): readonly Example[] {
    return this.#examples.of(outcome);
  }
}
