import { afterEach, describe, expect, test } from '@jest/globals';
import type { Broker } from '../../src/broker/port.ts';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import { bytes, eventually, makeRig, type Outputs, readAll, type Rig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const COUNT = 100;
const MARK = 8;
const values = Array.from({ length: COUNT }, (_, i) => `v${i}`);

/** Notes how many records each transaction carried. */
const noting =
  (sizes: number[]) =>
  (broker: Broker): Broker => ({
    ...broker,
    transactionalProducer: async id => {
      const taken = await broker.transactionalProducer(id);
      return {
        send: records => {
          sizes.push(records.length);
          return taken.send(records);
        },
        sendOffsets: (group, offsets) => taken.sendOffsets(group, offsets),
        commit: () => taken.commit(),
        abort: () => taken.abort(),
        close: () => taken.close(),
      };
    },
  });

/** Answers all in one stretch; `extra` does so too. */
const allAtOnce =
  (
    extra: (also: { readonly put: () => void; readonly emit: () => void }) => void,
  ): ProcessorOptions<string, Outputs>['createTask'] =>
  context => ({
    handle: async (batch, out) => {
      await new Promise(resolve => setImmediate(resolve));
      for (let i = 0; i < batch.length; i++) {
        for (const copy of ['a', 'b']) out.emitFor(i, 'out', bytes(copy), batch.value(i) as string);
        out.done(i);
      }
      extra({
        put: () => context.state.put('n', bytes(String(batch.length))),
        emit: () => out.emit('out', bytes('plain'), 'plain'),
      });
    },
  });

const commit = { intervalMs: 1, recordsMax: MARK };
const run = async (
  extra: Parameters<typeof allAtOnce>[0],
  more: Partial<ProcessorOptions<string, Outputs>> = {},
): Promise<number[]> => {
  const sizes: number[] = [];
  rig = await makeRig(1, noting(sizes));
  await rig.send('in', 0, values);
  await rig.run<string>({ commit, createTask: allAtOnce(extra), ...more });
  await eventually('all is committed', async () => (await rig.committed(0)) === COUNT);
  return sizes;
};

describe('a backlog', () => {
  test('of records with output of their own goes in transactions of twice the mark at most, whole and in order', async () => {
    const sizes = await run(() => undefined);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * MARK);
    expect(sizes.length).toBeGreaterThan(COUNT / MARK / 2);
    const out = (await readAll(rig.broker, 'out')).map(({ key, value }) => `${key} ${value}`);
    expect(out).toEqual(values.flatMap(value => [`a ${value}`, `b ${value}`]));
  });

  test('with changes of state is never divided', async () => {
    const sizes = await run(({ put }) => put(), { changelog: 'state' });
    expect(Math.max(...sizes)).toBeGreaterThan(2 * COUNT);
  });

  test('with plain output is never divided', async () => {
    const sizes = await run(({ emit }) => emit());
    expect(sizes).toEqual([2 * COUNT + 1]);
  });
});
