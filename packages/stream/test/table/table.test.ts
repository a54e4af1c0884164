import { BrokerError } from '../../src/broker/port.ts';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { globalTable, type GlobalTable } from '../../src/table/table.ts';
import { bytes, eventually, makeRig, type Rig, textCodec } from '../processor/rig.ts';

let rig: Rig;
let table: GlobalTable<string> | undefined;
beforeEach(async () => {
  rig = await makeRig(2);
});
afterEach(async () => {
  await table?.stop(1_000);
  await rig.close();
});
const never = new AbortController().signal;

test('is filled when it has started, follows the topic, and drops what is deleted', async () => {
  await rig.send('in', 0, ['a', 'b', 'a2'], i => ['x', 'y', 'x'][i]!);
  await rig.send('in', 1, ['c'], () => 'z');
  table = globalTable({ broker: rig.broker, topic: 'in', codec: textCodec });
  expect(table.notReady()).toContain('created');
  await table.start(never);
  expect(table.notReady()).toBeUndefined();
  expect(Object.fromEntries(table.entries())).toEqual({ x: 'a2', y: 'b', z: 'c' });
  const heard: unknown[] = [];
  const stopListening = table.onChange((key, value) => heard.push([key, value]));
  const producer = await rig.broker.producer();
  await producer.send([{ topic: 'in', partition: 0, key: bytes('y'), value: null }]);
  await rig.send('in', 1, ['c2'], () => 'z');
  await eventually('both changes', () => heard.length === 2);
  expect(heard).toEqual(
    expect.arrayContaining([
      ['y', undefined],
      ['z', 'c2'],
    ]),
  );
  expect([table.get('y'), table.size]).toEqual([undefined, 2]);
  stopListening();
});

test('is filled as fast as it goes, and follows at a pace', async () => {
  await rig.send('in', 0, ['a'], () => 'x');
  const paces: (number | undefined)[] = [];
  const read: typeof rig.broker.read = options => {
    paces.push(options.fetchLingerMs);
    return rig.broker.read(options);
  };
  table = globalTable({ broker: { ...rig.broker, read }, topic: 'in', codec: textCodec });
  await table.start(never);
  await eventually('it follows', () => paces.length === 2);
  expect(paces).toEqual([undefined, 10]);
});

test('a row that cannot be read leaves the one before it in force', async () => {
  await rig.send('in', 0, ['good', '!bad'], () => 'x');
  table = globalTable({ broker: rig.broker, topic: 'in', codec: textCodec });
  await table.start(never);
  expect(table.get('x')).toBe('good');
});

test('catches up with what is there, and what its own reader brings later changes nothing back', async () => {
  await rig.send('in', 0, ['a'], () => 'x');
  const held = Promise.withResolvers<void>();
  let following = 0;
  const broker = {
    ...rig.broker,
    // The reader that follows hears nothing for a while.
    read: async function* (options: Parameters<typeof rig.broker.read>[0]) {
      if (options.until === undefined) following++;
      for await (const run of rig.broker.read(options)) {
        if (options.until === undefined) await held.promise;
        yield run;
      }
    },
  };
  table = globalTable({ broker, topic: 'in', codec: textCodec });
  await table.start(never);
  const heard: unknown[] = [];
  table.onChange((key, value) => heard.push([key, value]));
  await eventually('it follows', () => following === 1);
  await rig.send('in', 0, ['b', 'c'], () => 'x');
  await rig.send('in', 1, ['d'], () => 'y');
  await table.catchUp(never);
  expect(Object.fromEntries(table.entries())).toEqual({ x: 'c', y: 'd' });
  const first = [...heard];
  held.resolve();
  await rig.send('in', 1, ['e'], () => 'y');
  await eventually('it goes on', () => table!.get('y') === 'e');
  // Neither b nor c came a second time.
  expect(heard).toEqual([...first, ['y', 'e']]);
  expect(first).toHaveLength(3);
});

test('reads on after errors, and fails when the world stays bad', async () => {
  await rig.send('in', 0, ['a'], () => 'x');
  let failures = 0;
  const broker = {
    ...rig.broker,
    admin: {
      ...rig.broker.admin,
      endOffsets: (topic: string) =>
        ++failures <= 2
          ? Promise.reject(new BrokerError('gone', { retriable: true }))
          : rig.broker.admin.endOffsets(topic),
    },
  };
  table = globalTable({ broker, topic: 'in', codec: textCodec, retry: { delayMsFirst: 1 } });
  await table.start(never);
  expect([table.get('x'), failures]).toEqual(['a', 3]);
  failures = -Infinity;
  const hopeless = globalTable({
    broker: { ...broker, admin: { ...broker.admin, endOffsets: () => Promise.reject(new Error('gone')) } },
    topic: 'in',
    codec: textCodec,
    retry: { attemptsMax: 2, delayMsFirst: 1 },
  });
  await expect(hopeless.start(never)).rejects.toThrow('gone');
});
