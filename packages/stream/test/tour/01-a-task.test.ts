import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { perRecord } from '../../src/processor/perRecord.ts';
import { bytes, eventually, makeRig, readAll, type Rig, text } from '../processor/rig.ts';

// A tour of `stream`, chapter 1. Each test is a lesson; together they are all that a task's author has to know.

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(() => rig.close());

test('A task answers every record once. Offsets, transactions and rebalances are not its business.', async () => {
  await rig.send('in', 0, ['a', 'b', 'skip me']);
  await rig.run<string>({
    createTask: () => ({
      handle: perRecord<string, { out: string }>((record, out) => {
        if (record.value === 'skip me') out.skip('by-rule');
        else out.emit('out', record.key!, record.value.toUpperCase());
      }),
    }),
  });
  await eventually('all three are answered', async () => (await rig.committed(0)) === 3);
  expect((await readAll(rig.broker, 'out')).map(({ value }) => value)).toEqual(['A', 'B']);
});

test('Bad data is a value: it becomes a dead letter, with its bytes, its coordinates and the reason.', async () => {
  await rig.send('in', 0, ['good', '!bad']);
  await rig.run<string>({
    createTask: () => ({ handle: perRecord<string, { out: string }>(() => undefined) }),
  });
  await eventually('both are answered', async () => (await rig.committed(0)) === 2);
  const [letter] = await readAll(rig.broker, 'in.dlq');
  expect(letter).toMatchObject({ partition: 0, key: 'k1', value: '!bad' });
  expect(letter!.headers.get('__dlq.errors.reason')).toBe('bad-value');
  expect(letter!.headers.get('__dlq.errors.offset')).toBe('1');
});

test('A bad world is an exception: the task is made anew over what is committed, and nothing is doubled.', async () => {
  await rig.send('in', 0, ['a', 'b', 'c']);
  let lives = 0;
  await rig.run<string>({
    createTask: () => {
      const life = ++lives;
      return {
        handle: perRecord<string, { out: string }>((record, out) => {
          if (record.value === 'c' && life < 3) throw new Error('the weather service does not answer');
          out.emit('out', record.key!, record.value);
        }),
      };
    },
  });
  await eventually('all three are answered', async () => (await rig.committed(0)) === 3);
  expect(lives).toBe(3);
  expect((await readAll(rig.broker, 'out')).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
});

test('State is keyed bytes. It is committed with the answers, and is there again for whoever comes next.', async () => {
  const counting = {
    changelog: 'state',
    createTask: ({
      state,
    }: {
      state: { get(key: string): Uint8Array | undefined; put(key: string, value: Uint8Array): void };
    }) => ({
      handle: perRecord<string, { out: string }>((record, out) => {
        const count = Number(text(state.get('count') ?? bytes('0'))) + 1;
        state.put('count', bytes(String(count)));
        out.emit('out', record.key!, `${record.value}${count}`);
      }),
    }),
  };
  await rig.send('in', 0, ['a', 'b']);
  const first = await rig.run<string>(counting);
  await eventually('two are answered', async () => (await rig.committed(0)) === 2);
  await first.stop(1_000);
  await rig.send('in', 0, ['c']);
  await rig.run<string>(counting);
  await eventually('the third is answered', async () => (await rig.committed(0)) === 3);
  expect((await readAll(rig.broker, 'out')).map(({ value }) => value)).toEqual(['a1', 'b2', 'c3']);
});
