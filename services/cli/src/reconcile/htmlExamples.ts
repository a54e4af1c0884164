import { type Cell, code, escape, section, table } from './htmlParts.ts';
import type { Outcome } from './judge.ts';
import { modelOf, nameOf, type Report, type ShownAnswer, type ShownExample } from './report.ts';
import { count, difference } from './words.ts';

const TITLES: Readonly<Record<Exclude<Outcome, 'matched'>, string>> = {
  differing: 'Largest differences',
  missing: 'Missing, those of the highest score first',
  extra: 'Extra, those of the highest score first',
  unanswered: 'Answered by neither',
};

const SCORE_DIGITS = 6;
const FEATURES_SHOWN = 5;
const FEATURE_DIGITS = 7;

const outputsOf = (answer: ShownAnswer): string =>
  Object.values(answer.outputs)
    .map(value => (Number.isNaN(value) ? 'no number' : value.toFixed(SCORE_DIGITS)))
    .join(', ');

const answerCell = (answer: ShownAnswer | null): Cell =>
  answer === null
    ? 'no answer'
    : { html: `<div class="answer"><strong>${escape(outputsOf(answer))}</strong> ${escape(answer.decision)}<br><span class="soft">event ${code(answer.eventId)}${answer.revision > 0 ? `, revision ${answer.revision}` : ''}<br>${escape(modelOf(answer))}<br>prediction<br>${code(answer.predictionId)}</span></div>` }; // prettier-ignore

const number = (value: number | null): string =>
  value === null ? 'missing' : String(Number(value.toPrecision(FEATURE_DIGITS)));

const featuresOf = ({ features }: ShownExample): string => {
  const shown = features
    .slice(0, FEATURES_SHOWN)
    .map(({ name, run, against }) => `${name} ${number(run)} instead of ${number(against)}`);
  const more = features.length - shown.length;
  return [...shown, ...(more > 0 ? [`${count(more)} more`] : [])].join(', ');
};

const causeCell = (example: ShownExample): Cell => {
  const lines = example.causes.map(({ words, detail }, i) => `<span${i === 0 ? ' class="cause"' : ''}>${escape(words)}</span>${detail === '' ? '' : `<br><span class="soft">${escape(detail)}</span>`}`);
  const features = example.features.length > 0 ? [`<span class="soft">${escape(featuresOf(example))}</span>`] : [];
  return { html: [...lines, ...features].join('<br>') };
}; // prettier-ignore

/** Empty where there is none of it. */
export const examplesSection = (report: Report, outcome: Exclude<Outcome, 'matched'>): string => {
  const examples = report.examples[outcome];
  if (examples.length === 0) return '';
  const total = report.outcomes[outcome];
  const caption = examples.length < total ? `${count(examples.length)} of ${count(total)}, at least one of each cause` : undefined; // prettier-ignore
  const title = section(TITLES[outcome], '');
  if (outcome === 'unanswered')
    return (
      title +
      table(
        ['entity', 'cause'],
        examples.map(one => [one.entity, causeCell(one)]),
        caption,
      )
    );
  if (outcome === 'differing')
    return (
      title +
      table(
        ['entity', 'difference', nameOf(report.run), nameOf(report.against), 'cause'],
        examples.map((one): Cell[] => [
          { html: code(one.entity) }, { number: difference(one.difference) }, answerCell(one.run), answerCell(one.against), causeCell(one),
        ]),
        caption,
      ) // prettier-ignore
    );
  return (
    title +
    table(
      ['entity', `answer of ${nameOf(outcome === 'missing' ? report.against : report.run)}`, 'cause'],
      examples.map((one): Cell[] => [{ html: code(one.entity) }, answerCell(one.run ?? one.against), causeCell(one)]),
      caption,
    ) // prettier-ignore
  );
};
