import { expect, test } from '@jest/globals';
import { assertPatched, kafkajs, PATCH } from '../../src/kafka/internals.ts';

test('the adapter starts on the patched kafkajs, and refuses any other', () => {
  expect(() => assertPatched(kafkajs)).not.toThrow();
  expect(() => assertPatched({})).toThrow(/not patched/u);
  expect(() => assertPatched({ MILLRACE_PATCH: `${PATCH} P10` })).toThrow(/not patched/u);
});
