import { expect, test } from '@jest/globals';
import { systemRandom } from '@millrace/telemetry';
import { uuid7 } from '../../src/event/uuid7.ts';

test('time, version and variant stand where RFC 9562 has them (its example is of this time)', () => {
  const id = uuid7(0x017f22e279b0, systemRandom);
  expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids sort by their time and differ at the same time', () => {
  expect(uuid7(1, () => 0.99) < uuid7(2, () => 0)).toBe(true);
  expect(new Set(Array.from({ length: 1_000 }, () => uuid7(1, systemRandom))).size).toBe(1_000);
});
