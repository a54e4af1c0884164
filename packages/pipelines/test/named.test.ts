import { expect, test } from '@jest/globals';
import { fraud, pipelinesNamed } from '../src/index.ts';

const two = { ...fraud, beside: [{ ...fraud.features, version: 2 }] };

test('pipelines are found by their names, and one version of a feature set by its number', () => {
  expect(pipelinesNamed(undefined, [two])).toEqual([two]);
  expect(pipelinesNamed(['fraud'], [two])).toEqual([two]);
  const [second] = pipelinesNamed(['fraud@2'], [two]);
  expect([second!.features.version, second!.beside]).toEqual([2, []]);
});

test('what there is not is refused with what there is', () => {
  expect(() => pipelinesNamed(['credit'], [two])).toThrow("there is no pipeline 'credit'; there are: fraud");
  expect(() => pipelinesNamed(['fraud@3'], [two])).toThrow(
    'no version 3 of its feature set; there are: 1, 2',
  );
});
