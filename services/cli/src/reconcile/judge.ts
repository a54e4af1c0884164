/** What becomes of one unit: the same on both sides or not, and why not. Nothing is read here. */
import { LIVE } from '@millrace/contracts';
import type { Answer, Origin } from './answer.ts';
import { type Comparison, type Side, type SideName, SIDES, stretchOf } from './sides.ts';
import { GONE, type Unit } from './table.ts';

export const OUTCOMES = ['matched', 'differing', 'missing', 'extra', 'unanswered'] as const;
/**
 * `missing`: only `against` has an answer; `extra`: only `run` has; `unanswered`: in the slice of both, and answered by
 * neither.
 */
export type Outcome = (typeof OUTCOMES)[number];

/** Why two sides are not the same, in words for a reader who has not written them. */
export const CAUSES = {
  'stale-vector': 'answered from an older vector than the newest of its slice',
  'other-slice': 'the entity has changed between the two slices',
  model: 'another model answered',
  fallback: 'a fallback answered on one side',
  'feature-set': 'another feature set',
  'late-event': 'the event came late, so its vector was another one',
  freshness: 'a view behind the vector was older than its freshness bound',
  vector: 'the same event, and other feature values',
  thresholds: 'thresholds were changed in between',
  score: 'the same vector and model, and another score',
  decision: 'the same score and control revision, and another decision',
  'dead-letter': 'its vector was rejected: a dead letter',
  'not-in-slice': 'it was not in the slice',
  gone: 'its last record in the slice says that it is gone',
  'not-yet': 'the stream has not come so far',
  'put-off': 'a rule put it off, and no night has answered it yet',
  'other-set': 'answered by another version of the feature set',
  'no-answer': 'no answer and no dead letter are kept',
} as const;
export type Cause = keyof typeof CAUSES;

export interface Judgement {
  readonly outcome: Outcome;
  /** Largest difference of an output; infinite where one side has no number; undefined where a side has no answer. */
  readonly difference: number | undefined;
  readonly isBeyondTolerance: boolean;
  /** The first is what it comes from first of all; none where it is matched. */
  readonly causes: readonly Cause[];
  /** Reason of the dead letter that an absent answer comes from. */
  readonly letter: string | undefined;
}

/** What is known of units that one side has not answered. */
export interface Absences {
  /** Reason of the dead letter, by entity. */
  readonly letters: Readonly<Record<SideName, ReadonlyMap<string, string>>>;
  /** Entities that a rule has put off at some time. */
  readonly putOff: ReadonlySet<string>;
  /** Offset that the stream's inference has come to in this partition; undefined where it says nothing. */
  readonly liveOffset: number | undefined;
}

export interface Judged {
  readonly comparison: Comparison;
  readonly partition: number;
  readonly tolerance: number;
  readonly absences: Absences;
}

const differenceOf = (a: number, b: number): number =>
  Object.is(a, b) ? 0 : Number.isNaN(a) || Number.isNaN(b) ? Number.POSITIVE_INFINITY : Math.abs(a - b);

const isWithin = (a: number, b: number, tolerance: number): boolean =>
  differenceOf(a, b) <= tolerance * Math.max(1, Number.isNaN(b) ? 1 : Math.abs(b));

const isOtherModel = (a: Origin, b: Origin): boolean =>
  a.model !== b.model || a.modelVersion !== b.modelVersion || a.modelDigest !== b.modelDigest;

/** The newest vector of its slice is another one than it was answered from. */
export const isStale = ({ expected, answers }: Unit, name: SideName): boolean =>
  expected[name] !== undefined && expected[name] !== GONE && answers[name]!.vectorOffset < expected[name];

/** The two sides answered different events of an entity. @returns why */
const otherEvent = ({ comparison, partition }: Judged, unit: Unit): Cause => {
  const { run, against } = unit.answers;
  if (run!.origin.featureSet !== against!.origin.featureSet) return 'other-slice';
  const older: SideName = run!.vectorOffset < against!.vectorOffset ? 'run' : 'against';
  const newer = older === 'run' ? against! : run!;
  // What came behind the end of a slice could not be known to it.
  const end = stretchOf(comparison[older], partition)?.until ?? 0;
  return newer.vectorOffset >= end ? 'other-slice' : 'stale-vector';
};

const otherVector = (a: Origin, b: Origin): Cause =>
  a.late || b.late ? 'late-event' : a.stale !== b.stale ? 'freshness' : 'vector';

const compare = (of: Judged, unit: Unit, a: Answer, b: Answer): Judgement => {
  const isSameEvent = a.eventId === b.eventId && a.revision === b.revision;
  const isSameSet = a.origin.featureSetHash === b.origin.featureSetHash;
  const difference = Math.max(...a.outputs.map((value, i) => differenceOf(value, b.outputs[i]!)));
  const isBeyondTolerance = !a.outputs.every((value, i) => isWithin(value, b.outputs[i]!, of.tolerance));
  const isOtherDecision = a.origin.decision !== b.origin.decision;
  const causes: Cause[] = [];
  if (SIDES.some(name => isStale(unit, name))) causes.push('stale-vector');
  else if (!isSameEvent) causes.push(otherEvent(of, unit));
  if (isOtherModel(a.origin, b.origin)) causes.push('model');
  if (a.origin.fallback !== b.origin.fallback) causes.push('fallback');
  if (!isSameSet) causes.push('feature-set');
  else if (isSameEvent && a.vector !== b.vector) causes.push(otherVector(a.origin, b.origin));
  const isOtherControl = a.origin.controlRevision !== b.origin.controlRevision;
  if (isOtherDecision && isOtherControl) causes.push('thresholds');
  if (causes.length === 0 || causes[0] === 'thresholds') {
    if (isBeyondTolerance) causes.unshift('score');
    else if (isOtherDecision && causes.length === 0) causes.push('decision');
  }
  const outcome = causes.length === 0 ? 'matched' : 'differing';
  return { outcome, difference, isBeyondTolerance, causes, letter: undefined };
};

/** Why a side has no answer to a unit of the other. */
const absence = (of: Judged, entity: string, unit: Unit, name: SideName): Cause => {
  const side: Side = of.comparison[name];
  const expected = unit.expected[name];
  if (of.absences.letters[name].has(entity)) return 'dead-letter';
  if (side.isWhole && expected === undefined) return 'not-in-slice';
  if (expected === GONE) return 'gone';
  if (side.id !== LIVE) return 'no-answer';
  if (unit.otherSet) return 'other-set';
  const { liveOffset, putOff } = of.absences;
  if (liveOffset !== undefined && expected !== undefined && expected >= liveOffset) return 'not-yet';
  return putOff.has(entity) ? 'put-off' : 'no-answer';
};

/** @returns undefined for what concerns neither side: an entity that was gone, or one that the stream alone has */
export const judge = (of: Judged, entity: string, unit: Unit): Judgement | undefined => {
  const { run, against } = unit.answers;
  if (run !== undefined && against !== undefined) return compare(of, unit, run, against);
  const absent = (outcome: Outcome, name: SideName): Judgement => ({
    outcome,
    difference: undefined,
    isBeyondTolerance: false,
    causes: [absence(of, entity, unit, name)],
    letter: of.absences.letters[name].get(entity),
  });
  if (run !== undefined) return absent('extra', 'against');
  if (against !== undefined) return absent('missing', 'run');
  const isInBoth = SIDES.every(name => (unit.expected[name] ?? GONE) !== GONE);
  return isInBoth ? absent('unanswered', 'run') : undefined;
};
