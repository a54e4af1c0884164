import type { DatasetResult } from './run.ts';

/** What keeps a dataset from passing, a sentence each. */
export const datasetDifferences = ({ digests, judged, reds }: DatasetResult): readonly string[] => [
  ...Object.entries(digests)
    .filter(([, digest]) => digest !== digests.first)
    .map(([name]) => `the dataset has other bytes: ${name}`),
  ...judged.wrong.map(sentence => `the dataset by pandas: ${sentence}`),
  ...Object.entries(reds ?? {})
    .filter(([, count]) => count === 0)
    .map(([name]) => `pandas sees nothing of ${name}`),
];

export const datasetLines = ({ digests, judged, reds }: DatasetResult): readonly string[] => [
  `Dataset: ${judged.rows} rows, ${judged.labelled} labelled; sha256 ${digests.first}.`,
  ...Object.entries(digests)
    .filter(([name]) => name !== 'first')
    .map(([name, digest]) => `  ${name}: ${digest === digests.first ? 'the same bytes' : digest}`),
  `By pandas: ${judged.mismatches} of ${judged.values} values in ${Object.keys(judged.columns).length} columns differ; ` +
    `${judged.missing} rows missing, ${judged.extra} too many, ${judged.doubled} doubled.`,
  `  ${judged.onAnEdge} rows have an event on an edge of a window, ${judged.sameTime} share customer and time with another, ` +
    `the order of ${judged.undecided} is not published.`,
  ...Object.entries(judged.columns)
    .filter(([, { mismatches }]) => mismatches > 0)
    .map(
      ([name, { mismatches, examples }]) =>
        `  ${name}: ${mismatches}, such as ${JSON.stringify(examples[0])}`,
    ),
  ...Object.entries(reds ?? {}).map(([name, count]) => `  with ${name}: ${count} differ`),
];
