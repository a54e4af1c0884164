import { afterEach, describe, expect, test } from '@jest/globals';
import type { Broker } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import type { Task } from '../../src/task.ts';
import { bytes, eventually, makeRig, type Outputs, readAll, type Rig, textCodec } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const copying = perRecordCopy();
function perRecordCopy(): Pick<ProcessorOptions<string, Outputs>, 'createTask'> {
  return {
    createTask: () => ({
      handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
    }),
  };
}
const outValues = async (): Promise<string[]> => (await readAll(rig.broker, 'out')).map(({ value }) => value);

describe('rebalances', () => {
  test('members that come and go lose and double nothing, and keep the order of each partition', async () => {
    const partitions = 4;
    rig = await makeRig(partitions);
    const sent = (p: number) => Array.from({ length: 200 }, (_, i) => `${p}:${i}`);
    const first = await rig.run(copying);
    for (let p = 0; p < partitions; p++) await rig.send('in', p, sent(p).slice(0, 100), () => `p${p}`);
    const second = await rig.run(copying);
    for (let p = 0; p < partitions; p++) await rig.send('in', p, sent(p).slice(100), () => `p${p}`);
    await rig.run(copying);
    await first.stop(1_000);
    await second.stop(1_000);
    await eventually('everything is committed', async () => {
      const committed = await Promise.all([0, 1, 2, 3].map(p => rig.committed(p)));
      return committed.every(offset => offset === 200);
    });
    const out = await readAll(rig.broker, 'out');
    for (let p = 0; p < partitions; p++)
      expect(out.filter(({ key }) => key === `p${p}`).map(({ value }) => value)).toEqual(sent(p));
  });

  test('a batch that takes longer than a session costs no membership', async () => {
    rig = await makeRig();
    const sessionTimeoutMs = 50;
    let created = 0;
    const slow = await rig.run<string>({
      sessionTimeoutMs,
      createTask: () => {
        created++;
        return {
          handle: perRecord<string, Outputs>(async (record, out) => {
            await new Promise(resolve => setTimeout(resolve, 4 * sessionTimeoutMs));
            out.emit('out', record.key!, record.value);
          }),
        };
      },
    });
    await eventually('it has the partition', () => slow.notReady() === undefined);
    const other = await rig.run(copying); // It would take over.
    await eventually('both are settled', () => [slow, other].every(one => one.notReady() === undefined));
    await rig.send('in', 0, ['a']);
    const before = created;
    await eventually('it is answered', async () => (await rig.committed(0)) === 1);
    expect([created, await outValues()]).toEqual([before, ['a']]);
  });

  test('a zombie writes nothing: its transaction is refused, its successor does the work once', async () => {
    rig = await makeRig();
    let release = (): void => undefined;
    const held = new Promise<void>(resolve => (release = resolve));
    const zombieBroker = rig.broker.connect();
    await rig.run<string>({
      broker: zombieBroker,
      sessionTimeoutMs: 50,
      createTask: () => ({
        handle: perRecord<string, Outputs>(async (record, out) => {
          await held;
          out.emit('out', record.key!, `zombie ${record.value}`);
        }),
      }),
    });
    await rig.send('in', 0, ['a', 'b']);
    await new Promise(resolve => setTimeout(resolve, 20));
    zombieBroker.silence();
    await rig.run(copying);
    await eventually('the successor has committed', async () => (await rig.committed(0)) === 2);
    release();
    await rig.send('in', 0, ['c']);
    await eventually('it goes on', async () => (await rig.committed(0))! >= 3);
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(await outValues()).toEqual(['a', 'b', 'c']);
    await zombieBroker.close();
  });
});

describe('a zombie that wakes while it restores', () => {
  test('takes the state of its heir for no mismatch: its process goes on', async () => {
    rig = await makeRig();
    const { promise: held, resolve: wake } = Promise.withResolvers<void>();
    const { promise: asleep, resolve: sleeps } = Promise.withResolvers<void>();
    const client = rig.broker.connect();
    const broker: Broker = {
      ...client,
      admin: {
        ...client.admin,
        committed: async (...of) => {
          const found = await client.admin.committed(...of);
          sleeps();
          await held;
          return found;
        },
      },
    };
    const zombie = await rig.run({ ...copying, broker, changelog: 'state', sessionTimeoutMs: 50 });
    const failures: unknown[] = [];
    zombie.failed.catch((error: unknown) => failures.push(error));
    await asleep;
    client.silence();
    await rig.run({ ...copying, changelog: 'state' });
    await rig.send('in', 0, ['a', 'b']);
    await eventually('the heir has committed', async () => (await rig.committed(0)) === 2);
    wake();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(failures).toEqual([]);
    expect(await outValues()).toEqual(['a', 'b']);
    await client.close();
  });
});

describe('a handler of its own mistakes', () => {
  const picky =
    (
      mistake: (value: string) => boolean,
      handled: string[][],
    ): ProcessorOptions<string, Outputs>['createTask'] =>
    () => ({
      handle: async (batch, out) => {
        const values = Array.from({ length: batch.length }, (_, i) => batch.value(i) as string);
        handled.push(values);
        await Promise.resolve();
        if (values.some(mistake)) throw new TypeError('cannot read properties of undefined');
        values.forEach((value, i) => {
          out.emitFor(i, 'out', bytes('k'), value);
          out.done(i);
        });
      },
    });

  test('the batch is halved until the bad record is alone: it is a dead letter, the rest is answered', async () => {
    rig = await makeRig();
    const values = Array.from({ length: 37 }, (_, i) => `v${i}`);
    await rig.send('in', 0, values);
    const handled: string[][] = [];
    await rig.run<string>({ createTask: picky(value => value === 'v17' || value === 'v30', handled) });
    await eventually('all are answered', async () => (await rig.committed(0)) === 37);
    expect(await outValues()).toEqual(values.filter(value => value !== 'v17' && value !== 'v30'));
    const letters = await readAll(rig.broker, 'in.dlq');
    expect(letters.map(({ value }) => value)).toEqual(['v17', 'v30']);
    expect(letters[0]!.headers.get('__dlq.errors.reason')).toBe('handler-failed');
    expect(Number(letters[0]!.headers.get('__dlq.errors.delivery.count'))).toBeGreaterThan(1);
    // Two bad records, each found in log2(37) halvings of at most four pieces, and six more behind a bad one.
    expect(handled.length).toBeLessThan(2 * 7 * 10);
  });

  test('hundreds of bad records in a row are dead letters, one failure each, and the others are answered', async () => {
    rig = await makeRig();
    const values = Array.from({ length: 600 }, (_, i) => `v${i}`);
    const bad = new Set(values.slice(50, 550));
    await rig.send('in', 0, values);
    let failures = 0;
    const task = picky(value => bad.has(value), []);
    const started = await rig.run<string>({
      createTask: context => {
        failures++;
        return task(context);
      },
    });
    let ended: unknown;
    started.failed.catch((error: unknown) => (ended = error));
    await eventually('all are committed', async () => (await rig.committed(0)) === 600, 60_000);
    expect(ended).toBeUndefined();
    expect(await outValues()).toEqual(values.filter(value => !bad.has(value)));
    expect((await readAll(rig.broker, 'in.dlq')).map(({ value }) => value)).toEqual([...bad]);
    expect(failures).toBeLessThan(500 + 100);
  }, 90_000);

  test('that fails on every record is bad code: the process ends, and nothing more is rejected', async () => {
    rig = await makeRig();
    await rig.send(
      'in',
      0,
      Array.from({ length: 1_100 }, (_, i) => `v${i}`),
    );
    const started = await rig.run<string>({ createTask: picky(() => true, []) });
    await expect(started.failed).rejects.toThrow('the handler fails on every record');
    expect((await readAll(rig.broker, 'in.dlq')).length).toBeLessThan(1_001);
  }, 90_000);
});

describe('rules that are broken end the process', () => {
  const refused = async (handle: Task<string, Outputs>['handle'], message: RegExp): Promise<void> => {
    rig = await makeRig();
    await rig.send('in', 0, ['a', 'b']);
    const started = await rig.run<string>({ createTask: () => ({ handle }) });
    await expect(started.failed).rejects.toThrow(message);
    expect(await rig.committed(0)).toBeUndefined();
  };
  test('no closing answer', () =>
    refused(async (_, out) => out.done(0), /in-0 offset 1: the handler has ended without closing it/u));
  test('two closing answers', () =>
    refused(async (_, out) => {
      out.done(0);
      out.skip(0, 'by-rule');
    }, /in-0 offset 0: an answer after its closing answer/u));
  test('an answer for no record', () => refused(async (_, out) => out.done(2), /no record 2/u));

  test('offsets that were moved without the state', async () => {
    rig = await makeRig();
    await rig.send('in', 0, ['a', 'b']);
    const first = await rig.run<string>({ ...copying, changelog: 'state' });
    await eventually('both are answered', async () => (await rig.committed(0)) === 2);
    await first.stop(1_000);
    await rig.broker.admin.resetOffsets('g', [{ topic: 'in', partition: 0, offset: 1 }]);
    const second = await rig.run<string>({ ...copying, changelog: 'state' });
    await expect(second.failed).rejects.toThrow('the group has committed 1, the state has applied 2');
  });

  test('a bad world beyond the budget', async () => {
    rig = await makeRig();
    const started = await rig.run<string>({
      retry: { attemptsMax: 3, delayMsFirst: 1, delayMsMax: 1 },
      createTask: () => Promise.reject(new Error('no database')),
    });
    await expect(started.failed).rejects.toThrow('no database');
    expect(started.notReady()).toContain('task 0');
  });
});

test('a silent registry holds the lane, loses nothing and rejects nothing', async () => {
  rig = await makeRig();
  let silent = true;
  let asked = 0;
  const codec = {
    ...textCodec,
    prepare: () => {
      asked++;
      return silent ? Promise.reject(new Error('no answer')) : Promise.resolve();
    },
  };
  await rig.send('in', 0, ['a', 'b']);
  await rig.run<string>({
    ...copying,
    inputs: [{ topic: 'in', codec }],
    retry: { attemptsMax: 2, delayMsFirst: 1, delayMsMax: 2 },
  });
  await eventually('it was asked again and again', () => asked > 5);
  expect(await rig.committed(0)).toBeUndefined();
  silent = false;
  await eventually('both are answered', async () => (await rig.committed(0)) === 2);
  expect(await outValues()).toEqual(['a', 'b']);
  expect(await readAll(rig.broker, 'in.dlq')).toEqual([]);
});

test('a creation that never ends does not hold up the next generation', async () => {
  rig = await makeRig(2);
  let created = 0;
  const letGo: number[] = [];
  await rig.run<string>({
    createTask: async context => {
      const mine = ++created;
      if (mine <= 2)
        await new Promise<void>(resolve =>
          context.signal.addEventListener('abort', () => setTimeout(resolve, 20)),
        );
      return { ...(await copying.createTask(context)), onRevoke: () => void letGo.push(mine) };
    },
  });
  await eventually('both hang', () => created === 2);
  await rig.send('in', 0, ['a']);
  await rig.send('in', 1, ['b']);
  await rig.run(copying);
  await eventually('both are answered', async () => (await outValues()).length === 2);
  await eventually('what came too late was let go', () => letGo.includes(1) && letGo.includes(2));
});
