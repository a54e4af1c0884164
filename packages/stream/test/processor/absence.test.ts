/** A Kafka that is away for hours, by a turned clock. */
import { afterEach, expect, test } from '@jest/globals';
import { type Logger, noLogger, noMetrics, turnedClock } from '@millrace/telemetry';
import { BrokerError } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import { globalTable } from '../../src/table/table.ts';
import { faulty } from './faulty.ts';
import { eventually, makeRig, type Outputs, readAll, type Rig, textCodec } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const HOURS = 2;
const MINUTE_MS = 60_000;

const copying: Pick<ProcessorOptions<string, Outputs>, 'createTask'> = {
  createTask: () => ({
    handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
  }),
};

const world = () => {
  const said: string[] = [];
  const gauge: number[] = [];
  const logger: Logger = {
    ...noLogger,
    child: () => logger,
    warn: (_, text) => said.push(text),
    info: (_, text) => said.push(text),
  };
  const metrics = {
    ...noMetrics,
    set: (name: string, _labels: object, value: number) => {
      if (name === 'millrace_dependency_away') gauge.push(value);
    },
  };
  return { clock: turnedClock(0), said, gauge, logger, metrics };
};

test.each(['heartbeat', 'fence', 'committed', 'commit'])(
  'away for two hours at each %s: it is waited for, said once, and the work goes on with nothing lost or doubled',
  async call => {
    let away = false;
    let struck = 0;
    const error = (): Error => new BrokerError('nobody answers', { retriable: true });
    const strike = (name: string) =>
      away && name === call && struck++ >= 0 ? ({ when: 'before', error } as const) : undefined;
    const { clock, said, gauge, logger, metrics } = world();
    rig = await makeRig(2, broker => faulty(broker, strike));
    away = call !== 'commit';
    const running = await rig.run<string>({ ...copying, clock, logger, metrics, retry: {} });
    let failure: unknown;
    running.failed.catch((reason: unknown) => (failure = reason));
    const moves = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
      eventually(what, async () => {
        await clock.turn(1_000);
        return holds();
      });
    if (call === 'commit') await moves('it runs', () => running.notReady() === undefined);
    away = true;
    await rig.send('in', 0, ['a', 'b']);
    await rig.send('in', 1, ['c']);
    await moves('it is missed', () => struck > 0);
    for (let minute = 0; minute < HOURS * 60; minute++) await clock.turn(MINUTE_MS);
    expect([failure, struck > 100]).toEqual([undefined, true]);
    const times = (text: string): number => said.filter(line => line.startsWith(text)).length;
    if (call !== 'commit') {
      // What a commit needs is asked for last: in between Kafka has answered.
      expect(running.notReady()).toMatch(/waits for Kafka, for 7\d\d\d s by now: nobody answers/u);
      expect([times('Kafka is away'), times('nobody answers'), gauge]).toEqual([1, 0, [1]]);
    }
    away = false;
    await moves('all are answered', async () => (await readAll(rig.broker, 'out')).length >= 3);
    await moves('it is ready', () => running.notReady() === undefined);
    expect(gauge.at(-1)).toBe(0);
    const values = (await readAll(rig.broker, 'out')).map(({ value }) => value);
    expect(values.toSorted()).toEqual(['a', 'b', 'c']);
  },
);

test('a table that is filled waits for Kafka too', async () => {
  const { clock, said, logger, metrics } = world();
  let away = false;
  let asked = 0;
  rig = await makeRig();
  await rig.send('in', 0, ['one'], () => 'x');
  const { broker } = rig;
  const table = globalTable({
    broker: {
      ...broker,
      read: async function* (options) {
        asked++;
        if (away) throw new BrokerError('nobody answers', { retriable: true });
        for await (const run of broker.read(options)) {
          if (away) throw new BrokerError('nobody answers', { retriable: true });
          yield run;
        }
      },
    },
    topic: 'in',
    codec: textCodec,
    clock,
    logger,
    metrics,
  });
  let failure: unknown;
  table.failed.catch((reason: unknown) => (failure = reason));
  await table.start(new AbortController().signal);
  away = true;
  await rig.send('in', 0, ['two'], () => 'x');
  await eventually('it was asked often', async () => {
    await clock.turn(MINUTE_MS);
    return asked > 120 || failure !== undefined;
  });
  expect([failure, table.get('x')]).toEqual([undefined, 'one']);
  away = false;
  await eventually('it reads on', async () => {
    await clock.turn(MINUTE_MS);
    return table.get('x') === 'two';
  });
  expect([table.notReady(), said.at(-1)]).toEqual([undefined, 'Kafka answers again: the work goes on']);
  await table.stop(0);
});
