/** A report as one page that needs nothing beside itself: for whoever signs it, on screen and on paper. */
import { type Outcome, OUTCOMES } from './judge.ts';
import { nameOf, type Report } from './report.ts';
import { comparedSection } from './htmlCompared.ts';
import { examplesSection } from './htmlExamples.ts';
import { type Cell, escape, page, section, table } from './htmlParts.ts';
import { count, difference, many, meaningOf, share, soundness, units, verdict } from './words.ts';

const counts = (report: Report): string => {
  const rows = OUTCOMES.filter(outcome => outcome !== 'unanswered' || report.outcomes[outcome] > 0).map(
    (outcome): Cell[] => [
      outcome,
      report.outcomes[outcome],
      { number: share(report.outcomes[outcome], report.compared) },
      meaningOf(report, outcome),
    ],
  );
  const largest = report.outcomes.matched + report.outcomes.differing > 0
    ? `<p>Largest difference of a score: <strong>${difference(report.largestDifference)}</strong>; tolerance ${report.tolerance}.</p>`
    : '';
  const unusable = report.unusable > 0 ? `<p>${count(report.unusable)} predictions on the topic could not be decoded, and are in no count.</p>` : '';
  return section('Counts', table(['outcome', many(report), 'share', 'meaning'], rows) + largest + unusable);
}; // prettier-ignore

const causes = (report: Report): string => {
  if (report.causes.length === 0) return '';
  const rows = report.causes.map(({ words, units: n, outcome }): Cell[] => [words, n, outcome]);
  const caption = 'Each is counted once, under what its difference comes from first of all.';
  return section('Causes', table(['cause', many(report), 'found among'], rows, caption));
};

const decisions = (report: Report): string => {
  const { run, against, moves } = report;
  const names = [...new Set([...Object.keys(against.decisions), ...Object.keys(run.decisions)])].sort();
  const change = (a: number, b: number): Cell => ({ number: `${a > b ? '+' : ''}${count(a - b)}` });
  const rows = names.map((name): Cell[] => {
    const [a, b] = [run.decisions[name] ?? 0, against.decisions[name] ?? 0];
    return [name, b, a, change(a, b)];
  });
  const heads = ['', nameOf(against), nameOf(run), 'change'];
  const figures = Object.keys(run.kpis).map((name): Cell[] => {
    const [a, b] = [run.kpis[name]!, against.kpis[name]!];
    return [name, b, a, change(a, b)];
  });
  const moved = table(
    ['', nameOf(against), nameOf(run)],
    moves.map(({ against: from, run: to, units: n }) => [units(report, n), from, to]),
    'Decisions that are not the same on both sides',
  );
  return (
    section('Decisions', table(heads, rows) + (moves.length > 0 ? moved : '')) +
    (figures.length > 0 ? section('Business figures', table(heads, figures, 'Sums over all answers of each side')) : '')
  );
}; // prettier-ignore

const readings = (report: Report): readonly (readonly [string, string])[] => {
  const [run, against] = [nameOf(report.run), nameOf(report.against)];
  return [
    ['What a line is', report.unit === 'entity'
      ? 'One entity (a client, a loan) of the slice: the stretch of the features topic that the night was over. Each side stands there with its answer to the newest vector of the entity in the slice.'
      : 'One event in one revision. Each side stands there with its last answer to it.'],
    ['When two answers are the same', `They answered the same event from the same feature values, by the same model, feature set and fallback, with the same decision, and each score a of ${run} is within ${report.tolerance} × max(1, |b|) of the score b of ${against}. Everything else is a difference, even where the scores happen to be equal.`],
    ['Causes', 'Of several causes the first is the one that explains the others: a vector that was too old before the model, the model before the score. “The same vector and model, and another score” should never be: ask who operates the models.'],
    ['Where the figures come from', 'They are counted on the predictions topic, by committed records only, and on millrace.runs.v1; not in the memory of what wrote them. The offsets above say exactly what was read.'],
    ['Following one up', `“millrace trace PREDICTION” leads from an answer back to its input, vector and model. This page names ${many(report)}: treat it like the data that it is about.`],
  ];
}; // prettier-ignore

const reading = (report: Report): string => {
  const lines = readings(report).map(([term, text]) => `<dt>${escape(term)}</dt><dd>${escape(text)}</dd>`);
  return section('How to read this', `<dl>${lines.join('\n')}</dl>`);
};

const SHOWN: readonly Exclude<Outcome, 'matched'>[] = ['differing', 'missing', 'extra', 'unanswered'];

export const htmlReport = (report: Report): string => {
  const title = `${report.pipeline}: ${nameOf(report.run)} against ${nameOf(report.against)}`;
  const body = [
    counts(report),
    causes(report),
    ...SHOWN.map(outcome => examplesSection(report, outcome)),
    decisions(report),
    comparedSection(report),
    reading(report),
    '<p class="sign"><span>Checked by</span><span>Date</span><span>Signature</span></p>',
  ];
  const said = [verdict(report), ...soundness(report)].join(' ');
  return page({
    kind: 'Reconciliation',
    title,
    at: report.at,
    agrees: report.agrees,
    said,
    body: body.join('\n'),
  });
};
