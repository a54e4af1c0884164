import { expect, test } from '@jest/globals';
import { Ledger } from '../rig/ledger.ts';
import { placeAll } from './places.ts';

const TOPIC = 'events';
const ledgerOf = (...given: readonly (readonly [id: string, at?: number])[]): Ledger => {
  const ledger = new Ledger();
  for (const [id, offset] of given) {
    const { n } = ledger.add({ kind: 'event', id, key: 'k', topic: TOPIC });
    ledger.acknowledge(n, offset === undefined ? undefined : { partition: 0, offset });
  }
  return ledger;
};
const log = (...ids: readonly string[]) =>
  new Map([[TOPIC, ids.map((id, offset) => ({ partition: 0, offset, id }))]]);
const places = (ledger: Ledger) => ledger.entries.map(({ at }) => at?.offset);

test('an input lies where the log has it, whatever its producer was told', () => {
  const told = ledgerOf(['a', 0], ['b', 1]);
  expect([placeAll(told, log('a', 'b')), places(told)]).toEqual([0, [0, 1]]);
  // Sent twice: the producer was told of the second.
  const twice = ledgerOf(['a', 0], ['b', 2]);
  expect([placeAll(twice, log('a', 'b', 'b')), places(twice)]).toEqual([1, [0, 1]]);
  const untold = ledgerOf(['a']);
  expect([placeAll(untold, log('x', 'a')), places(untold)]).toEqual([0, [1]]);
});

test('what was acknowledged and does not lie in the log has no place', () => {
  const lost = ledgerOf(['a', 0]);
  expect([placeAll(lost, log('x')), places(lost)]).toEqual([1, [undefined]]);
});
