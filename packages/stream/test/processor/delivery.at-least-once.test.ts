import { afterEach, expect, test } from '@jest/globals';
import { BrokerError } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import { faulty } from './faulty.ts';
import { eventually, makeRig, type Outputs, readAll, type Rig } from './rig.ts';

const values = Array.from({ length: 60 }, (_, i) => `v${i}`);
let rig: Rig;
afterEach(() => rig.close());

const cases = ['producer', 'send', 'memberCommit', 'committed', 'heartbeat'].flatMap(call =>
  (['before', 'after'] as const).map(when => ({ call, when })),
);

test.each(cases)('loses nothing when $call fails $when it took effect', async ({ call, when }) => {
  let calls = 0;
  const error = (): Error => new BrokerError('the connection was lost', { retriable: true });
  rig = await makeRig(1, broker =>
    faulty(broker, name => (name === call && ++calls <= 2 ? { when, error } : undefined)),
  );
  await rig.send('in', 0, values);
  await rig.run<string>({
    delivery: 'at_least_once',
    createTask: () => ({
      handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
    }),
  });
  await eventually('everything is committed', async () => (await rig.committed(0)) === values.length);
  expect(calls).toBeGreaterThan(0);
  // Repeats are whole redeliveries from the committed offset: without them the order is that of the input.
  const out = (await readAll(rig.broker, 'out')).map(({ value }) => value);
  expect([...new Set(out)]).toEqual(values);
});
