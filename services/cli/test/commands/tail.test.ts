import { expect, test } from '@jest/globals';
import { memoryRegistry, openCodec } from '@millrace/avro';
import { catalogue, type PushValue, topicsOf } from '@millrace/contracts';
import { credit, fraud } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { followed, tail } from '../../src/commands/tail.ts';
import { prepare } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

const alert: PushValue = {
  predictionId: 'p1', eventId: 'e1', revision: 0, sequence: 1, entity: 'taiwan-1', eventTime: 0, scoredAt: 3, decision: 'act', model: 'credit',
  modelVersion: '1', modelDigest: 'd', controlRevision: 1, route: 'usual', routeVersion: 1, review: false, fallback: null, late: false, sourceTopic: 't',
  sourcePartition: 0, sourceOffset: 0, runId: 'n1', traceparent: null, unknown: ['falseAlarmCost: missing, or resting on something missing'],
  values: { score: 0.75, segment: 'mass', creditLimit: 20_000, exposure: 1234.56789, expectedLoss: 925.9, falseAlarmCost: null },
}; // prettier-ignore

test('what is pushed is followed by its name, with its values', async () => {
  const clock = turnedClock(0);
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [credit], () => '1');
  const topic = topicsOf(credit).pushes['alerts']!;
  const codec = await openCodec<PushValue>(world.registry, catalogue([credit]).find(({ name }) => name === topic)!.value!); // prettier-ignore
  const producer = await world.broker.producer();
  await producer.send([{ topic, partition: 0, key: Buffer.from('taiwan-1'), value: codec.encode(alert) }]);
  await producer.close();
  const shown = async (output: 'table' | 'json'): Promise<readonly string[]> => {
    const io = fakeIo();
    const options = { limit: 1, fromBeginning: true, output };
    expect(await tail(io, world, credit, followed(credit, 'alerts'), options)).toBe(0);
    return io.data;
  };
  const [header, , line] = await shown('table');
  expect(header!.split(/ {2,}/).slice(-7)).toEqual(['PREDICTION', 'SCORE', 'SEGMENT', 'CREDITLIMIT', 'EXPOSURE', 'EXPECTEDLOSS', 'FALSEALARMCOST']); // prettier-ignore
  expect(line!.trim().split(/ {2,}/)).toEqual(['1970-01-01T00:00:00.000Z', 'taiwan-1', 'e1', 'act', 'n1', 'p1', '0.75', 'mass', '20000', '1234.57', '925.9']); // prettier-ignore
  expect(JSON.parse((await shown('json')).at(-1)!)).toMatchObject({ ...alert, partition: 0 });
});

test('what cannot be followed is told with what can', () => {
  expect(() => followed(credit, 'alarms')).toThrow("there is nothing to tail called 'alarms'; there is: predictions, alerts");
  expect(() => followed(fraud, 'alerts')).toThrow('there is: predictions');
}); // prettier-ignore
