import { expect, test } from '@jest/globals';
import { difference, Ledger } from '../../src/demo/account.ts';

test('the equation closes over answers, letters and duplicates, counted by id', () => {
  const ledger = new Ledger();
  for (const id of ['a', 'b', 'c', 'b']) ledger.sawInput(id, 0);
  ledger.sawInput(undefined, 0);
  expect(difference(ledger.account())).toBe(4);
  ledger.sawAnswer('p-a', 'scored');
  ledger.sawAnswer('p-b', 'fallback');
  expect(ledger.sawAnswer('p-b', 'fallback')).toBe(false);
  ledger.sawAnswer('p-c', 'scored');
  ledger.sawLetter('t', 0, 4);
  ledger.sawLetter('t', 0, 4);
  const account = ledger.account();
  expect(account).toEqual({
    in: 5,
    scored: 2,
    fallback: 1,
    deferred: 0,
    deadLetters: 1,
    skipped: 1,
    doubled: 1,
  });
  expect(difference(account)).toBe(0);
});

test('a correction of an event is another input, not a duplicate', () => {
  const ledger = new Ledger();
  ledger.sawInput('a', 0);
  ledger.sawInput('a', 1);
  expect(ledger.account().skipped).toBe(0);
});
