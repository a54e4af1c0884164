/** A report as one page that needs nothing beside itself. */
import { type Cell, code, page, section, table } from '../reconcile/htmlParts.ts';
import { count, difference, share } from '../reconcile/words.ts';
import { KINDS, OUTCOMES } from './compare.ts';
import type { Report, ShownExample } from './report.ts';
import { MEANINGS, shownValue, verdict } from './words.ts';

const FEATURES_SHOWN = 5;

const counts = ({ vectors, unusable, late, stale }: Report): string => {
  const all = OUTCOMES.reduce((sum, outcome) => sum + vectors[outcome], 0);
  const rows = OUTCOMES.map((outcome): Cell[] => [outcome, vectors[outcome], { number: share(vectors[outcome], all) }, MEANINGS[outcome]]);
  const marked = `<p>Of those on both sides ${count(late)} are marked late and ${count(stale)} stale.</p>`;
  const left = unusable > 0 ? `<p>${count(unusable)} records could not be used, and are in no count.</p>` : '';
  return section('Vectors', table(['outcome', 'vectors', 'share', 'meaning'], rows) + marked + left);
}; // prettier-ignore

const features = ({ features: of }: Report): string => {
  const rows = of.map((one): Cell[] => [
    { html: code(one.name) }, one.view === '' ? 'input' : one.view, ...KINDS.map(kind => one[kind]), { number: difference(one.largestDifference) },
  ]);
  const caption = 'mismatch: other numbers; missing: only recomputed there is a number; extra: only served. The largest difference is a part of max(1, |recomputed|).';
  return section('Features', table(['feature', 'view', ...KINDS, 'largest difference'], rows, caption));
}; // prettier-ignore

const causes = (report: Report): string =>
  report.causes.length === 0
    ? ''
    : section('Causes', table(['cause', 'vectors', 'found among'], report.causes.map(({ words, vectors, outcome }): Cell[] => [words, vectors, outcome]))); // prettier-ignore

const valuesOf = ({ features: of }: ShownExample): string => {
  const told = of.slice(0, FEATURES_SHOWN).map(({ name, served, recomputed }) => `${name} ${shownValue(served)} instead of ${shownValue(recomputed)}`);
  return [...told, ...(of.length > FEATURES_SHOWN ? [`${of.length - FEATURES_SHOWN} more`] : [])].join(', ');
}; // prettier-ignore

const examples = (report: Report): string =>
  (['differing', 'missing', 'extra', 'excused'] as const)
    .filter(outcome => report.examples[outcome].length > 0)
    .map(outcome => {
      const rows = report.examples[outcome].map((one): Cell[] => [
        { html: code(one.entity) },
        { html: code(one.eventId) },
        one.eventTime,
        valuesOf(one),
        one.words,
        { html: one.predictionId === null ? '' : code(one.predictionId) },
      ]);
      const heads = [
        'entity',
        'event',
        'event time',
        'served instead of recomputed',
        'likely cause',
        'prediction',
      ];
      return section(`Examples: ${outcome}`, table(heads, rows));
    })
    .join('\n');

const read = ({ stretches, featureSetHash, sample, from, until }: Report): string => {
  const rows = stretches.map(({ topic, partition, from: first, until: end }): Cell[] => [{ html: code(topic) }, partition, first, end]);
  const about = `<p>Feature set ${code(featureSetHash)}; ${(100 * sample).toPrecision(3)} % of the entities, chosen by a hash of their names; event times from ${from ?? 'the oldest'} up to ${until ?? 'the newest'}.</p>`;
  return section('What was compared', about + table(['topic', 'partition', 'from offset', 'up to, not included'], rows));
}; // prettier-ignore

export const htmlReport = (report: Report): string => {
  const title = `${report.pipeline}, feature set ${report.featureSet}: served against recomputed`;
  const body = [counts(report), features(report), causes(report), examples(report), read(report)].join('\n');
  return page({
    kind: 'Verification',
    title,
    at: report.at,
    agrees: report.agrees,
    said: verdict(report),
    body,
  });
};
