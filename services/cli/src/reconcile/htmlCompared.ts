import type { Stretch } from '@millrace/contracts';
import { type Cell, code, escape, section, table } from './htmlParts.ts';
import { nameOf, type Report, type SideReport } from './report.ts';
import { count, units } from './words.ts';

const or = (value: string | number | null): string =>
  value === null ? '-' : typeof value === 'number' ? count(value) : value;

/** Digests and hashes in full: the page stands for itself when everything else is gone. */
const originsOf = (side: SideReport): Cell => ({
  html: side.origins
    .map(({ model, modelVersion, modelDigest, featureSet, featureSetHash, controlRevision, answers }) => {
      const name = model === '' ? 'a constant' : `model ${escape(model)} ${escape(modelVersion)} ${code(modelDigest)}`;
      return `${count(answers)} by ${name}, feature set v${featureSet} ${code(featureSetHash)}, control revision ${controlRevision}`;
    })
    .join('<br>'),
}); // prettier-ignore

const LINES: readonly (readonly [string, (side: SideReport) => Cell])[] = [
  ['what it is', ({ kind, state }) => (state === null ? 'answers of the stream' : `${kind}, ${state}`)],
  ['slice fixed at', ({ captured }) => or(captured)],
  ['as of', ({ asOf, captured }) => (captured === null ? '-' : (asOf ?? 'when it began'))],
  ['started by', ({ by }) => or(by)],
  ['entities in its slice', ({ entities }) => or(entities)],
  ['scored, by its manifest', ({ scored }) => or(scored)],
  ['answers compared', ({ answers }) => count(answers)],
  ['of late events', ({ late }) => count(late)],
  ['by a fallback', ({ fallbacks }) => count(fallbacks)],
  ['answered by', originsOf],
  ['digest of its manifest', ({ digest }) => (digest === null ? '-' : { html: code(digest) })],
];

const stretches = (rows: readonly Stretch[]): Cell[][] =>
  rows.map(({ topic, partition, from, until }) => [{ html: code(topic) }, partition, from, until]);

const HEADS = ['topic', 'partition', 'from offset', 'up to, not included'];

/** What was compared, exactly enough to do it again. */
export const comparedSection = (report: Report): string => {
  const { run, against, predictions } = report;
  const sides = table(
    ['', nameOf(run), nameOf(against)],
    LINES.map(([name, of]): Cell[] => [name, of(run), of(against)]),
  );
  const own = [run, against].filter(side => side.captured !== null);
  const slices = own.map(side => table(HEADS, stretches(side.slice), `Slice of ${nameOf(side)}`)).join('');
  const read = table(HEADS, stretches(predictions), 'Read of the predictions topic, committed records only');
  return section('What was compared', `<p>${units(report, report.compared)} of pipeline ${code(report.pipeline)}.</p>${sides}${slices}${read}`); // prettier-ignore
};
