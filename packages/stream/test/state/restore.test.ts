import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '@millrace/telemetry';
import { OverlayState } from '../../src/state/overlay.ts';
import { restore } from '../../src/state/restore.ts';
import { memoryStore, type StateStore } from '../../src/state/store.ts';
import { bytes, makeRig, type Rig, text } from '../processor/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig(2);
});
afterEach(() => rig.close());

const restoreTo = async (store: StateStore, nowMs?: number): Promise<number> => {
  const { records } = await restore({
    broker: rig.broker,
    store,
    changelog: 'state',
    partition: 1,
    clock: nowMs === undefined ? systemClock : { ...systemClock, now: () => nowMs },
    signal: new AbortController().signal,
  });
  return records;
};
const topicId = async (): Promise<string> => (await rig.broker.admin.describeTopics(['state']))[0]!.id;
const unasked = (): Promise<never> => Promise.reject(new Error('nobody should ask'));
const rows = (entries: Iterable<readonly [string, Uint8Array]>): object =>
  Object.fromEntries([...entries].map(([key, value]) => [key, text(value)]));

test('reads its partition to the end, and later only what is new, tombstones too', async () => {
  await rig.send('state', 0, ['of another task']);
  await rig.send('state', 1, ['a', 'b'], i => `k${i}`);
  const store = memoryStore();
  expect(await restoreTo(store)).toBe(2);
  const producer = await rig.broker.producer();
  await producer.send([{ topic: 'state', partition: 1, key: bytes('k0'), value: null }]);
  await rig.send('state', 1, ['c'], () => 'k2');
  expect(await restoreTo(store)).toBe(2);
  expect(rows(store.entries())).toEqual({ k1: 'b', k2: 'c' });
});

test('what was compacted away and aborted is not missed', async () => {
  const tx = await rig.broker.transactionalProducer('tx');
  await tx.send([{ topic: 'state', partition: 1, key: bytes('k0'), value: bytes('aborted') }]);
  await tx.abort();
  await rig.send('state', 1, ['a', 'b', 'c'], () => 'k');
  rig.broker.compact('state');
  const store = memoryStore();
  expect(await restoreTo(store)).toBe(1);
  expect(rows(store.entries())).toEqual({ k: 'c' });
});

test('what lies in a transaction that is about to end is waited for', async () => {
  const tx = await rig.broker.transactionalProducer('tx');
  await tx.send([{ topic: 'state', partition: 1, key: bytes('k'), value: bytes('of another task, too') }]);
  const store = memoryStore();
  let over = false;
  const restored = restoreTo(store).finally(() => {
    over = true;
  });
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(over).toBe(false);
  await tx.commit();
  expect(await restored).toBe(1);
  expect(rows(store.entries())).toEqual({ k: 'of another task, too' });
});

test('a store that knows more than the changelog belongs to another one, and is emptied', async () => {
  const store = memoryStore();
  await store.apply([['k', bytes('foreign')]], {
    topicId: await topicId(),
    next: 99,
    atMs: systemClock.now(),
  });
  await rig.send('state', 1, ['a'], () => 'x');
  await restoreTo(store);
  expect(rows(store.entries())).toEqual({ x: 'a' });
});

test('a store of a topic that was made anew is emptied', async () => {
  await rig.send('state', 1, ['a'], () => 'x');
  const store = memoryStore();
  await store.apply([['k', bytes('foreign')]], { topicId: 'another', next: 1, atMs: systemClock.now() });
  await restoreTo(store);
  expect(rows(store.entries())).toEqual({ x: 'a' });
});

test('a store that was away for longer than half of what tombstones are kept is emptied', async () => {
  await rig.broker.admin.alterTopic('state', { 'delete.retention.ms': '1000' });
  await rig.send('state', 1, ['a'], () => 'x');
  const store = memoryStore();
  await restoreTo(store, 5_000);
  await store.apply([['deleted meanwhile', bytes('1')]]);
  await restoreTo(store, 5_500);
  expect(rows(store.entries())).toEqual({ x: 'a', 'deleted meanwhile': '1' });
  await restoreTo(store, 6_001);
  expect(rows(store.entries())).toEqual({ x: 'a' });
});

test('the overlay shows its changes at once, and the store gets them when they are committed', async () => {
  const store = memoryStore();
  await store.apply([
    ['a', bytes('1')],
    ['b', bytes('2')],
    ['__applied/in', bytes('7')],
  ]);
  let changedBytes = 0;
  const state = new OverlayState(
    store,
    { topic: 'log', partition: 3 },
    ['in'],
    size => (changedBytes += size),
  );
  expect(state.size).toBe(2);
  state.put('a', bytes('10'));
  state.delete('b');
  state.put('c', bytes('3'));
  const cut = state.cut();
  state.put('b', bytes('20'));
  state.delete('c');
  state.delete('unknown');
  expect([rows(state.entries()), state.size]).toEqual([{ a: '10', b: '20' }, 2]);
  expect(cut.map(({ topic, partition, key, value }) => [topic, partition, text(key), text(value)])).toEqual([
    ['log', 3, 'a', '10'],
    ['log', 3, 'b', '∅'],
    ['log', 3, 'c', '3'],
  ]);
  expect([text(store.get('a')), changedBytes]).toEqual(['1', 3 + 1 + 2 + 3 + 1]);
  await state.settle([], unasked);
  expect(rows(store.entries())).toEqual({ a: '10', c: '3', '__applied/in': '7' });
  expect([rows(state.entries()), state.size]).toEqual([{ a: '10', b: '20' }, 2]);
  expect(() => state.put('__applied/in', bytes('8'))).toThrow('bookkeeping');
});
