import { expect, test } from '@jest/globals';
import { EpochGatherer } from '../../src/epochs/gatherer.ts';

test('the lanes for which all that is held waits are known', () => {
  const gatherer = new EpochGatherer<string, string>(3, 5);
  expect(gatherer.laggards).toEqual([]);
  gatherer.row(6, 'row');
  expect(gatherer.laggards).toEqual([0, 1, 2]);
  gatherer.marker(0, 6, 'of 0');
  expect(gatherer.laggards).toEqual([1, 2]);
  gatherer.marker(2, 7, 'of 2');
  expect(gatherer.laggards).toEqual([1]);
  gatherer.marker(1, 6, 'of 1');
  expect(gatherer.take()?.applied).toBe(6);
  // The marker of lane 2 is held for an epoch that the others have not reached.
  expect(gatherer.laggards).toEqual([0, 1]);
});
