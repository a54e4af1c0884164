/**
 * Tests that need something which may be absent say so in their name, so that the closing summary can tell how many
 * were skipped and why.
 */
import { describe, test } from '@jest/globals';
import { markSkipped } from './skipReason.ts';

type TestBody = () => Promise<void> | void;

/** `test`, or, with a reason, a test that is skipped and says why. */
export function testUnless(
  reason: string | undefined,
): (name: string, body: TestBody, timeoutMs?: number) => void {
  return (name, body, timeoutMs) =>
    reason === undefined ? test(name, body, timeoutMs) : test.skip(markSkipped(name, reason), body);
}

/** `describe`, or, with a reason, one whose tests are skipped and say why. */
export function describeUnless(reason: string | undefined): (name: string, body: () => void) => void {
  return (name, body) =>
    reason === undefined ? describe(name, body) : describe.skip(markSkipped(name, reason), body);
}
