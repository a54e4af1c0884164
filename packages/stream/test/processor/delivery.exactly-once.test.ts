import { afterEach, describe, expect, test } from '@jest/globals';
import { BrokerError, FencedError } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import { faulty, type Strike } from './faulty.ts';
import { bytes, eventually, makeRig, type Outputs, readAll, type Rig, text } from './rig.ts';

const COUNT = 40;
const WAVE = 10;
const values = Array.from({ length: COUNT }, (_, i) => `v${i}`);
const keyOf = (i: number): string => `k${i % 3}`;

/** Numbers the records of each key in its state: a lost, doubled or reordered record shows in the output. */
const numbering = {
  changelog: 'state',
  commit: { intervalMs: 1, recordsMax: 20 },
  createTask: ({ state }) => ({
    handle: perRecord<string, Outputs>(async (record, out) => {
      const key = text(record.key);
      if (record.offset % 4 === 0) await new Promise(resolve => setImmediate(resolve));
      const count = Number(text(state.get(key) ?? bytes('0'))) + 1;
      state.put(key, bytes(String(count)));
      out.emit('out', record.key!, `${key}:${count}:${record.value}`);
    }),
  }),
} satisfies Partial<ProcessorOptions<string, Outputs>>;

const expected = ((): string[] => {
  const counts = new Map<string, number>();
  return values.map((value, i) => {
    const count = (counts.get(keyOf(i)) ?? 0) + 1;
    counts.set(keyOf(i), count);
    return `${keyOf(i)}:${count}:${value}`;
  });
})();

let rig: Rig | undefined;
afterEach(() => rig?.close());

async function runUnder(strike: Strike): Promise<string[]> {
  rig = await makeRig(1, broker => faulty(broker, strike));
  await rig.run(numbering);
  for (let sent = 0; sent < COUNT; sent += WAVE) {
    await rig.send('in', 0, values.slice(sent, sent + WAVE), i => keyOf(i + sent));
    await eventually('the wave is committed', async () => (await rig!.committed(0)) === sent + WAVE);
  }
  const out = (await readAll(rig.broker, 'out')).map(({ value }) => value);
  await rig.close();
  rig = undefined;
  return out;
}

const lost = (): Error => new BrokerError('the connection was lost', { retriable: true });

describe('exactly once', () => {
  test('without faults', async () => {
    expect(await runUnder(() => undefined)).toEqual(expected);
  });

  const acquiring = ['fence', 'committed', 'endOffsets', 'heartbeat'];
  const committing = ['send', 'sendOffsets', 'commit'];
  const cases = [
    ...acquiring.flatMap(call => [
      { call, turns: [1] },
      { call, turns: [1, 2, 3] },
    ]),
    ...committing.flatMap(call => [
      { call, turns: [1, 2] },
      { call, turns: [3] },
      { call, turns: [2, 4] },
    ]),
  ];
  for (const when of ['before', 'after'] as const)
    test.each(cases)(`when $call fails ${when} it took effect, at turns $turns`, async ({ call, turns }) => {
      let calls = 0;
      const strike: Strike = name =>
        name === call && turns.includes(++calls) ? { when, error: lost } : undefined;
      expect(await runUnder(strike)).toEqual(expected);
      expect(calls).toBeGreaterThan(Math.max(...turns) - 1);
    });

  test('when every fifth call fails, one way or the other', async () => {
    let calls = 0;
    let struck = 0;
    const out = await runUnder(() => {
      if (++calls % 5 !== 0 || struck >= 30) return undefined;
      return { when: ++struck % 2 === 0 ? 'before' : 'after', error: lost };
    });
    expect(struck).toBeGreaterThan(5);
    expect(out).toEqual(expected);
  });

  test('when somebody else takes our transactional id while the group still counts on us', async () => {
    let stolen = false;
    const out = await runUnder(call => {
      if (call !== 'send' || stolen) return undefined;
      stolen = true;
      return { when: 'before', error: () => new FencedError('a newer producer') };
    });
    expect(stolen).toBe(true);
    expect(out).toEqual(expected);
  });
});

test('the test can fail: without one transaction for outputs and offsets, a lost answer doubles outputs', async () => {
  let struck = false;
  rig = await makeRig(1, broker =>
    faulty(broker, call => {
      if (call !== 'send' || struck) return undefined;
      struck = true;
      return { when: 'after', error: lost };
    }),
  );
  await rig.send('in', 0, values, keyOf);
  await rig.run<string>({
    delivery: 'at_least_once',
    createTask: () => ({
      handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
    }),
  });
  await eventually('everything is committed', async () => (await rig!.committed(0)) === COUNT);
  const out = (await readAll(rig.broker, 'out')).map(({ value }) => value);
  expect(out.length).toBeGreaterThan(COUNT);
  expect(new Set(out)).toEqual(new Set(values));
});

test('an heir begins when no transaction holds offsets of its task any more, also one whose id it does not fence', async () => {
  const at = (rig = await makeRig());
  const formerOwner = await at.broker.transactionalProducer('of another task');
  await at.send('in', 0, ['a', 'b', 'c']);
  await formerOwner.send([{ topic: 'out', partition: 0, key: bytes('k'), value: bytes('a') }]);
  await formerOwner.sendOffsets('g', [{ topic: 'in', partition: 0, offset: 1 }]);
  let created = false;
  await at.run<string>({
    createTask: () => {
      created = true;
      return {
        handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
      };
    },
  });
  await new Promise(resolve => setTimeout(resolve, 30));
  expect(created).toBe(false);
  await formerOwner.commit();
  await eventually('all is committed', async () => (await at.committed(0)) === 3);
  expect((await readAll(at.broker, 'out')).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
});
