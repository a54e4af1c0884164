import { afterEach, expect, test } from '@jest/globals';
import { bytes, eventually, makeRig, readAll, type Rig } from './rig.ts';

const SHARED = { bytes: bytes('key and value'), keyAt: 0, valueAt: 3, end: 13 };

let rig: Rig;
afterEach(() => rig.close());

test('an answer in shared bytes closes its record, behind what was emitted for it', async () => {
  rig = await makeRig();
  await rig.send('in', 0, ['a', 'b']);
  await rig.run<string>({
    createTask: ({ out: plain }) => ({
      handle: async (_, out) => {
        out.answer(1, 'out', { ...SHARED, keyAt: 4, valueAt: 7 });
        out.emitFor(0, 'out', bytes('and'), 'before');
        out.answer(0, 'out', SHARED);
        plain.put('out', { ...SHARED, valueAt: 8 });
      },
    }),
  });
  await eventually('both are answered', async () => (await rig.committed(0)) === 2);
  const seen = (await readAll(rig.broker, 'out')).map(({ key, value }) => `${key}=${value}`);
  expect(seen.toSorted()).toEqual(['and= value', 'and=before', 'key and =value', 'key= and value']);
});

test('a record that is answered in shared bytes is not answered again', async () => {
  rig = await makeRig();
  await rig.send('in', 0, ['a', 'b']);
  const started = await rig.run<string>({
    createTask: () => ({
      handle: async (_, out) => {
        out.answer(0, 'out', SHARED);
        out.answer(0, 'out', SHARED);
      },
    }),
  });
  await expect(started.failed).rejects.toThrow(/in-0 offset 0: an answer after its closing answer/u);
  expect(await rig.committed(0)).toBeUndefined();
});
