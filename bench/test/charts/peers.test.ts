import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { figure } from '../../src/charts/bars.ts';
import { type Charted, peersCharts } from '../../src/charts/peers.ts';

const NOBODY = {
  'kafka-streams': null,
  'kafka-streams-batched': null,
  flink: null,
  'flink-batched': null,
  'java-batch': null,
  'java-tuned': null,
  python: null,
  kafkajs: null,
  'java-scores': 5,
  ceiling: 1,
};
const result: Charted = {
  workload: 'fraud-xgb',
  delivery: 'at-least-once',
  records: 200_000,
  cpuPerMillion: { ...NOBODY, millrace: 10, 'kafka-streams': 40, flink: 20 },
  rate: { ...NOBODY, millrace: 100_000, 'kafka-streams': 25_000.4, flink: 50_000 },
};

/** Of each bar: the name beside it, its width, the figure behind it. */
const barsIn = (svg: string): string[] =>
  [
    ...svg.matchAll(
      /text-anchor="end">([^<]*)<.*\n<rect [^>]* width="(\d+)" height="18".*\n<text [^>]*>([^<]*)</g,
    ),
  ].map(([, name, width, value]) => `${name} ${width} ${value}`);

test('bars stand from the best to the worst, as wide as their figures, without those who have none', () => {
  const { cpu, rate } = peersCharts(result);
  expect(barsIn(cpu!)).toEqual(['millrace 115 10', 'flink 230 20', 'kafka-streams 460 40']);
  expect(barsIn(rate!)).toEqual(['millrace 460 100,000', 'flink 230 50,000', 'kafka-streams 115 25,000']);
  expect(cpu).toContain('fraud-xgb, 200,000 records, at-least-once; less is better');
});

test('figures have three digits', () => {
  expect([0.12345, 4.567, 45.67, 456.7, 45_678.9].map(figure)).toEqual([
    '0.123',
    '4.57',
    '45.7',
    '457',
    '45,679',
  ]);
});

const RESULTS = join(import.meta.dirname, '../../../docs/results');

test('the charts in docs/results are those of the figures beside them', () => {
  expect(existsSync(RESULTS)).toBe(true);
  const files = readdirSync(RESULTS);
  const results = files.filter(file => file.endsWith('.json')).map(file => file.slice(0, -'.json'.length));
  const wanted = new Map(
    results.flatMap(name =>
      Object.entries(
        peersCharts(JSON.parse(readFileSync(join(RESULTS, `${name}.json`), 'utf8')) as Charted),
      ).map(([kind, svg]) => [`${name}-${kind}.svg`, svg] as const),
    ),
  );
  expect(files.filter(file => file.endsWith('.svg')).sort()).toEqual([...wanted.keys()].sort());
  for (const [file, svg] of wanted) expect(readFileSync(join(RESULTS, file), 'utf8')).toBe(svg);
});
