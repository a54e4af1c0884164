/** Counts of a comparison, and the examples that a reader looks at first; bounded, however many units there are. */
import { numericKpis } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { Answer, Origin } from './answer.ts';
import { Examples } from './greatest.ts';
import { type Cause, type Judgement, type Outcome, OUTCOMES } from './judge.ts';
import { type SideName, SIDES } from './sides.ts';
import type { Unit } from './table.ts';

/** A unit worth looking at. */
export interface Example {
  readonly key: string;
  readonly partition: number;
  readonly unit: Unit;
  readonly judgement: Judgement;
}

/** Groups that one side's answers are told apart by; there are as many as models, versions and revisions. */
const ORIGINS_MAX = 1_000;

export interface SideTally {
  answers: number;
  repeated: number;
  late: number;
  fallbacks: number;
  readonly decisions: Map<string, number>;
  /** Sums over all answers, in the order of the pipeline's business figures; NaN is left out. */
  readonly kpis: number[];
  /** Answers by model, feature set and control revision. */
  readonly origins: Map<string, { readonly origin: Origin; answers: number }>;
}

const add = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1);

/** By what it is sorted: the difference, or of what one side has not, the first output. */
const weightOf = ({ unit, judgement }: Example): number => {
  const answer = unit.answers.run ?? unit.answers.against;
  return (judgement.difference ?? answer?.outputs[0]) || 0; // No number weighs nothing.
};

const byWeight = (a: Example, b: Example): number => {
  const [x, y] = [weightOf(a), weightOf(b)];
  // Two infinite differences are equal, and their difference is no number.
  return x === y ? (a.key < b.key ? -1 : 1) : y > x ? 1 : -1;
};

export class Tally {
  readonly outcomes: Record<Outcome, number> = {
    matched: 0,
    differing: 0,
    missing: 0,
    extra: 0,
    unanswered: 0,
  };
  /** By outcome: how many units a cause was the first of. */
  readonly causes = new Map<Outcome, Map<Cause, number>>(OUTCOMES.map(outcome => [outcome, new Map()]));
  /** Differing units whose scores differ above the tolerance. */
  beyondTolerance = 0;
  largestDifference = 0;
  unusable = 0;
  /** `against` -> `run`: units whose decision differs. */
  readonly moves = new Map<string, number>();
  readonly sides: Readonly<Record<SideName, SideTally>>;
  readonly #examples: Examples<Example>;

  /** @param top examples that are kept of each outcome */
  constructor(pipeline: Pipeline, top: number) {
    this.#examples = new Examples(top, byWeight);
    const side = (): SideTally => ({
      answers: 0, repeated: 0, late: 0, fallbacks: 0, decisions: new Map(), kpis: numericKpis(pipeline).map(() => 0), origins: new Map(),
    }); // prettier-ignore
    this.sides = { run: side(), against: side() };
  }

  add(example: Example): void {
    const { unit, judgement } = example;
    const { outcome, difference, isBeyondTolerance, causes } = judgement;
    this.outcomes[outcome]++;
    for (const name of SIDES) {
      this.sides[name].repeated += unit.repeats?.[name] ?? 0;
      if (unit.answers[name] !== undefined) this.#addAnswer(this.sides[name], unit.answers[name]);
    }
    this.largestDifference = Math.max(this.largestDifference, difference ?? 0);
    if (isBeyondTolerance) this.beyondTolerance++;
    const { run, against } = unit.answers;
    if (run !== undefined && against !== undefined && run.origin.decision !== against.origin.decision)
      add(this.moves, JSON.stringify([against.origin.decision, run.origin.decision]));
    const [cause] = causes;
    if (cause === undefined) return;
    const counts = this.causes.get(outcome)!;
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
    this.#examples.add(outcome, cause, example);
  }

  /** The greatest of an outcome, and at least one of each of its causes. */
  examples(outcome: Outcome): readonly Example[] {
    return this.#examples.of(outcome);
  }

  #addAnswer(side: SideTally, { origin, kpis }: Answer): void {
    side.answers++;
    if (origin.late) side.late++;
    if (origin.fallback !== null) side.fallbacks++;
    add(side.decisions, origin.decision);
    for (const [i, value] of kpis.entries()) if (!Number.isNaN(value)) side.kpis[i]! += value;
    const { model, modelVersion, modelDigest, featureSetHash, controlRevision } = origin;
    const key = JSON.stringify([model, modelVersion, modelDigest, featureSetHash, controlRevision]);
    const known = side.origins.get(key);
    if (known !== undefined) known.answers++;
    else if (side.origins.size < ORIGINS_MAX) side.origins.set(key, { origin, answers: 1 });
  }
}
