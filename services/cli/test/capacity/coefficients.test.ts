import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  COEFFICIENT_NAMES,
  COEFFICIENTS,
  coefficientsFor,
  measuredBy,
  parseCoefficients,
} from '../../src/capacity/coefficients.ts';
import { UsageError } from '../../src/io.ts';

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
    ['feature.oneKeyWaitMs', 'docs/BENCHMARKS.md', '|     118 |'],
    ['broker.exactlyOnceUsPerHop', 'docs/BENCHMARKS.md', '|          5.6 |'],
    ['takeover.pauseMs', 'docs/FAULTS.md', '1.3, 6.7'],
  ] as const)('%s is what %s says', (name, page, words) => {
    expect(readFileSync(join(ROOT, page), 'utf8')).toContain(words);
    const digits = String(coefficientsFor()[name].value).replaceAll(/(\d)(?=(\d{3})+$)/g, '$1,');
    // 6.7 seconds less a session of six.
    expect(words).toContain(name === 'takeover.pauseMs' ? '6.7' : digits);
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
