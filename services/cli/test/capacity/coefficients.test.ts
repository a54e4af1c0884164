import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fraud } from '@millrace/pipelines';
import {
  COEFFICIENT_NAMES,
  type CoefficientName,
  COEFFICIENTS,
  coefficientsFor,
  measuredBy,
  parseCoefficients,
} from '../../src/capacity/coefficients.ts';
import { shapeOf } from '../../src/capacity/wish.ts';
import { UsageError } from '../../src/io.ts';

const BYTES_PER_FEATURE = 4;
const ROOT = join(import.meta.dirname, '../../../..');
const FOLDER = join(import.meta.dirname, '../../src/capacity');
const source = { command: 'a command', date: '2026-11-29', machine: 'mine' };
const fileOf = (coefficients: object): string => JSON.stringify({ coefficients });
const OWN = parseCoefficients(
  fileOf({ 'feature.usPerRecordAndKey': { value: 12, unit: 'µs', source } }),
  'own.json',
);

describe('the figures that ship', () => {
  test('are all there, in their units, each with its source', () => {
    const shipped = JSON.parse(readFileSync(join(FOLDER, 'coefficients.json'), 'utf8')) as {
      coefficients: Record<string, unknown>;
    };
    expect(Object.keys(shipped.coefficients)).toEqual([...COEFFICIENT_NAMES]);
    expect(coefficientsFor()).toMatchObject(
      Object.fromEntries(COEFFICIENT_NAMES.map(name => [name, { source: { command: expect.any(String) } }])),
    );
  });

  test('are known to the schema for editors', () => {
    const schema = JSON.parse(readFileSync(join(FOLDER, 'coefficients.schema.json'), 'utf8')) as {
      properties: { coefficients: { propertyNames: { enum: string[] } } };
    };
    expect(schema.properties.coefficients.propertyNames.enum).toEqual([...COEFFICIENT_NAMES]);
  });

  test('each has a line in docs/CAPACITY.md', () => {
    const page = readFileSync(join(ROOT, 'docs/CAPACITY.md'), 'utf8');
    expect(COEFFICIENT_NAMES.filter(name => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test.each([
    ['inference.exactlyOnceRateMax', 'docs/BENCHMARKS.md', '|       93,246 |'],
    ['inference.atLeastOnceRateMax', 'docs/BENCHMARKS.md', '108,482'],
    ['state.restoreMbPerSecond', 'docs/BENCHMARKS.md', '   74 |  16.3 '],
    ['state.diskPerByte', 'docs/decisions/state-on-disk.md', '2.7 times'],
    ['feature.oneKeyWaitMs', 'docs/BENCHMARKS.md', '|     115 |'],
    ['broker.exactlyOnceUsPerHop', 'docs/BENCHMARKS.md', '|          5.6 |'],
    ['takeover.pauseMs', 'docs/FAULTS.md', '1.3, 6.7'],
  ] as const)('%s is what %s says', (name, page, words) => {
    expect(readFileSync(join(ROOT, page), 'utf8')).toContain(words);
    const digits = String(coefficientsFor()[name].value).replaceAll(/(\d)(?=(\d{3})+$)/g, '$1,');
    // 6.7 seconds less a session of six.
    expect(words).toContain(name === 'takeover.pauseMs' ? '6.7' : digits);
  });
});

describe('bytes of records', () => {
  const counts = JSON.parse(readFileSync(join(ROOT, 'test/hotpath/baseline.json'), 'utf8')) as Readonly<Record<string, number>>; // prettier-ignore
  /** Records of a topic for one payment, and bytes of one of them; @throws where they are not counted */
  const counted = (topic: string): readonly [records: number, bytes: number] => {
    const [records, bytes] = [counts[`${topic} records`], counts[`${topic} bytes`]];
    if (records === undefined || bytes === undefined) throw new Error(`${topic} is not counted`);
    return [records, bytes];
  };
  const { keys, features } = shapeOf(fraud);
  const [labelsPerPayment] = counted('fraud.labels.v1');
  const ofOne = (topic: string): number => counted(topic)[1];
  /** For one payment or label: the records between stages are these and the markers of epochs. */
  const ofEach = (topic: string): number => {
    const [records, bytes] = counted(topic);
    return (records * bytes) / (1 + labelsPerPayment);
  };

  test.each<[CoefficientName, number]>([
    ['bytes.event', ofOne('fraud.transactions.v1')],
    ['bytes.label', ofOne('fraud.labels.v1')],
    ['bytes.repartition', ofEach('fraud.feature.v1.terminal-id.repartition')],
    ['bytes.release', ofEach('fraud.feature.v1.release.repartition')],
    ['bytes.changelog', ofEach('fraud.feature.v1.state.changelog') / keys],
    ['bytes.vector', ofOne('fraud.features.v1') - features * BYTES_PER_FEATURE],
    ['bytes.prediction', ofOne('fraud.predictions.v1') - features * BYTES_PER_FEATURE],
  ])('%s is what test/hotpath counts, within 5 %%', (name, bytes) => {
    const known = coefficientsFor()[name].value!;
    expect(Math.abs(known / bytes - 1)).toBeLessThan(0.05);
    // The page says the same.
    const page = readFileSync(join(ROOT, 'docs/CAPACITY.md'), 'utf8');
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\| +${known} bytes \\|`, 'm'));
  });
});

describe("a user's file", () => {
  test('takes the place of what it names, and is of the machine in question: no scale changes it', () => {
    const measured = measuredBy(coefficientsFor(OWN, 2));
    expect(measured('feature.usPerRecordAndKey')).toBe(12);
    expect(measured('feature.usPerAggregation')).toBe(
      measuredBy(coefficientsFor())('feature.usPerAggregation') / 2,
    );
  });

  test('a faster machine takes less time, does more, and has records as large', () => {
    const [slow, fast] = [measuredBy(coefficientsFor()), measuredBy(coefficientsFor({}, 4))];
    for (const name of COEFFICIENT_NAMES) {
      const ratio = fast(name) / slow(name);
      if (Number.isNaN(ratio)) continue;
      expect(ratio).toBeCloseTo({ time: 0.25, rate: 4, none: 1 }[COEFFICIENTS[name].scaling], 9);
    }
  });

  test('says every mistake at once, with the remedy', () => {
    const wrong = fileOf({
      'feature.cost': { value: 1, unit: 'µs', source },
      'sink.usPerRecord': { value: -1, unit: 'ms', source: { command: '' } },
      'bytes.event': 3,
    });
    const read = (): unknown => parseCoefficients(wrong, '--coefficients: own.json');
    expect(read).toThrow(UsageError);
    for (const part of [
      'own.json cannot be used',
      'feature.cost is no coefficient: there are inference.awakeCores',
      'sink.usPerRecord.value is -1: write a number not below zero, or null',
      'sink.usPerRecord.unit is "ms": it is in "µs"',
      'sink.usPerRecord.source.command is string: say it in words',
      'sink.usPerRecord.source.date is undefined',
      'bytes.event is number: write {"value": …, "unit": "bytes"',
    ])
      expect(read).toThrow(part);
  });

  test.each([
    ['{', 'cannot be read as JSON'],
    ['[]', 'has no "coefficients"'],
    ['{"coefficients": null}', 'has no "coefficients"'],
    [fileOf({ toString: { value: 1 } }), 'toString is no coefficient'],
  ])('%j is refused', (text, message) => {
    expect(() => parseCoefficients(text, 'own.json')).toThrow(message);
  });
});
