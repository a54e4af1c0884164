import { expect, test } from '@jest/globals';
import { murmur2, murmur2Partition } from '../../src/broker/murmur2.ts';
import { bytes } from './harness.ts';

// Vectors of Apache Kafka's own UtilsTest.testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %s is %d', (key, hash) => {
  expect(murmur2(bytes(key))).toBe(hash);
});

test('a partition is one of those that there are, also for a negative hash', () => {
  expect(murmur2Partition(bytes('21'), 7)).toBe((-973932308 & 0x7fffffff) % 7);
  expect(murmur2Partition(bytes('abc'), 1)).toBe(0);
});
