import { afterEach, expect, test } from '@jest/globals';
import type { Broker } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import { bytes, eventually, makeRig, type Outputs, type Rig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

/** Notes the offsets of each transaction. */
const noting =
  (offsets: number[]) =>
  (broker: Broker): Broker => ({
    ...broker,
    transactionalProducer: async id => {
      const taken = await broker.transactionalProducer(id);
      return {
        send: records => taken.send(records),
        sendOffsets: (group, of) => {
          offsets.push(...of.map(({ offset }) => offset));
          return taken.sendOffsets(group, of);
        },
        commit: () => taken.commit(),
        abort: () => taken.abort(),
        close: () => taken.close(),
      };
    },
  });

const copying = {
  createTask: () => ({
    handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
  }),
};

/** One record and the marker that commits or aborts it: two offsets. */
const sendInTransaction = async (end: 'commit' | 'abort'): Promise<void> => {
  const producer = await rig.broker.transactionalProducer('upstream');
  await producer.send([{ topic: 'in', partition: 0, key: bytes('k'), value: bytes('v') }]);
  await producer[end]();
  await producer.close();
};

const readPast = async (commit: { intervalMs: number; quietMs?: number }): Promise<number[]> => {
  const offsets: number[] = [];
  rig = await makeRig(1, noting(offsets));
  await sendInTransaction('commit');
  await rig.run<string>({ ...copying, changelog: 'state', commit });
  await eventually('the record is committed', async () => (await rig.committed(0)) === 2);
  await sendInTransaction('abort');
  return offsets;
};

test('a quiet task commits the gap behind its last record once, so that retention may remove it', async () => {
  const offsets = await readPast({ intervalMs: 2, quietMs: 50 });
  await eventually('the gap is passed', async () => (await rig.committed(0)) === 4);
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(offsets).toEqual([2, 4]);
});

test('until then a gap alone is no reason to commit', async () => {
  const offsets = await readPast({ intervalMs: 2 });
  await new Promise(resolve => setTimeout(resolve, 100));
  expect(offsets).toEqual([2]);
});
