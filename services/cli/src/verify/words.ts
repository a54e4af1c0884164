/** What a report says in sentences. */
import { count, share } from '../reconcile/words.ts';
import type { Outcome } from './compare.ts';
import type { Report } from './report.ts';

export const MEANINGS: Readonly<Record<Outcome, string>> = {
  matched: 'every feature is within the tolerance on both sides',
  differing: 'some feature is not',
  missing: 'recomputed, and never served',
  extra: 'served, and not recomputed from what is kept',
  excused: 'on one side only, for a reason that has nothing to do with features',
};

export const verdict = (report: Report): string => {
  const { vectors, entities, pipeline, featureSet, tolerance } = report;
  const compared = vectors.matched + vectors.differing;
  const of = `features of ${pipeline}, set ${featureSet}`;
  const found = vectors.differing + vectors.missing + vectors.extra;
  if (compared + found === 0) return `There was nothing to compare: no vector of the sample was served, and none is due.`;
  if (report.agrees)
    return `Served and recomputed ${of} agree: ${count(compared)} vectors of ${count(entities)} entities are the same within ${tolerance}.`;
  const parts = (['differing', 'missing', 'extra'] as const)
    .filter(outcome => vectors[outcome] > 0)
    .map(outcome => `${count(vectors[outcome])} ${outcome}`);
  const all = vectors.matched + found;
  return `Served and recomputed ${of} do not agree on ${count(found)} of ${count(all)} vectors (${share(found, all)}): ${parts.join(', ')}.`;
}; // prettier-ignore

/** How a value of an example is written. */
export const shownValue = (value: number | null): string =>
  value === null ? 'missing' : String(Number(value.toPrecision(7)));
