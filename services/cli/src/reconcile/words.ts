/** What a report says in sentences. */
import type { Outcome } from './judge.ts';
import { lostOf, nameOf, type Report } from './report.ts';

export const count = (value: number): string => value.toLocaleString('en');
/** In percent, with as many digits in each line; a little is never told as nothing. */
export const share = (part: number, whole: number): string => {
  if (whole === 0) return '-';
  const percent = (100 * part) / whole;
  return part > 0 && percent < 0.01 ? '< 0.01 %' : `${percent.toFixed(2)} %`;
};
/** A difference of scores: three digits are enough to judge by. */
export const difference = (value: number | null): string =>
  value === null ? 'no number' : value === 0 ? '0' : value.toPrecision(3);

const UNITS = { entity: ['entity', 'entities'], event: ['event', 'events'] } as const;
type Counted = Pick<Report, 'unit'>;
export const one = ({ unit }: Counted): string => UNITS[unit][0];
export const many = ({ unit }: Counted): string => UNITS[unit][1];
export const units = (report: Counted, value: number): string =>
  `${count(value)} ${value === 1 ? one(report) : many(report)}`;

/** What is wrong with a side by itself: answers that came twice, or that its manifest counts and nobody finds. */
export const soundness = (report: Report): readonly string[] =>
  [report.run, report.against].flatMap(side => [
    ...(side.repeated === 0 ? [] : [`${nameOf(side)} answered ${count(side.repeated)} times a second time.`]),
    ...(lostOf(side) === 0
      ? []
      : [`Of ${count(side.scored ?? 0)} answers that the manifest of ${nameOf(side)} counts, ${count(lostOf(side))} are not on the topic any more.`]),
  ]); // prettier-ignore

/** One sentence that says whether the two agree. */
export const verdict = (report: Report): string => {
  const { outcomes, compared, run, against, tolerance } = report;
  const names = `${nameOf(run)} and ${nameOf(against)}`;
  if (compared === 0) return `There was nothing to compare: neither ${nameOf(run)} nor ${nameOf(against)} has an answer.`;
  if (report.agrees)
    return `${names} agree: ${units(report, outcomes.matched)} have the same vector, model and decision, and scores within ${tolerance}.`;
  const parts = (['differing', 'missing', 'extra'] as const)
    .filter(outcome => outcomes[outcome] > 0)
    .map(outcome => `${count(outcomes[outcome])} ${outcome}`);
  const found = outcomes.differing + outcomes.missing + outcomes.extra;
  if (found === 0) return `${names} have the same answers, and still the comparison is not sound.`;
  return `${names} do not agree on ${units(report, found)} of ${count(compared)} (${share(found, compared)}): ${parts.join(', ')}.`;
}; // prettier-ignore

/** What each outcome means in a report over these two sides. */
export const meaningOf = (report: Report, outcome: Outcome): string => {
  const [run, against] = [nameOf(report.run), nameOf(report.against)];
  const meanings: Readonly<Record<Outcome, string>> = {
    matched: `same vector, model, feature set and decision, and scores within ${report.tolerance}`,
    differing: `answered by both, but not the same; scores of ${count(report.beyondTolerance)} differ by more than the tolerance`,
    missing: `answered by ${against}, not by ${run}`,
    extra: `answered by ${run}, not by ${against}`,
    unanswered: 'in the slice, and answered by neither: no difference between the two, but no score either',
  };
  return meanings[outcome];
};
