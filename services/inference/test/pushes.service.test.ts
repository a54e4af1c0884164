/** Pushes of the service and of a night: each exactly once with its prediction, whatever fails on the way. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { memoryRegistry } from '@millrace/avro';
import { type PushValue, replayHeaders } from '@millrace/contracts';
import { field, ge, type Pipeline, type Route } from '@millrace/define';
import { type Broker, BrokerError, memoryBroker } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { faulty, type Strike } from '../../../packages/stream/test/processor/faulty.ts';
import { counting } from './counting.ts';
import { type Prediction, until, utf8, vectorOf, World, writeModel } from './harness.ts';
import { nightIn } from './nightIn.ts';
import { LARGE, LOSS, pushed, PUSHING, type PushRecord } from './pushing.ts';

const signal = new AbortController().signal;
const COUNT = 600;
let world: World;
afterEach(() => world.close());

const open = async (pipeline: Pipeline, strike: Strike = () => undefined): Promise<void> => {
  const broker = memoryBroker({ clock: systemClock });
  const connect = (): Broker => faulty(broker.connect(), strike);
  world = await World.open({ pipeline, registry: memoryRegistry(), broker, connect });
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1_024 });
  await world.alias('1');
};
const vectors = (from: number, count = COUNT) => Array.from({ length: count }, (_, i) => vectorOf(from + i));
const answered = async (count: number): Promise<readonly Prediction[]> => {
  await until(
    async () => new Set((await world.predictions()).map(one => one.predictionId)).size >= count,
    `${count} are answered`,
  );
  return world.predictions();
};
const isAlert = ({ decision, kpis }: Prediction): boolean =>
  decision === 'block' || (kpis['expectedLoss'] as number) >= LOSS;
const isLarge = ({ kpis }: Prediction): boolean => kpis['size'] === 'large';
const idsOf = (records: readonly Pick<PushValue, 'predictionId'>[]): readonly string[] =>
  records.map(({ predictionId }) => predictionId).toSorted();
const repeated = (records: readonly PushRecord[]): number => records.length - new Set(idsOf(records)).size;

/** Every fourth commit fails: half of them never arrive, of the others the answer is lost. */
const striking = (call: string): { readonly strike: Strike; readonly count: () => number } => {
  let [calls, struck] = [0, 0];
  return {
    count: () => struck,
    strike: name => {
      if (name !== call || ++calls % 4 !== 0) return undefined;
      struck++;
      return {
        when: struck % 2 === 0 ? 'after' : 'before',
        error: () => new BrokerError('the broker is away', { retriable: true }),
      };
    },
  };
};

describe('pushes', () => {
  test.each(['alerts', 'partners'])('%s: each that a rule asks for once, with the id of its prediction, though commits fail', async name => {
    const { strike, count } = striking('commit');
    await open(PUSHING, strike);
    await world.start().start(signal);
    for (let from = 100; from < 100 + COUNT; from += 50) {
      await world.vectors(vectors(from, 50));
      await answered(from - 50);
    }
    const all = await answered(COUNT);
    const wanted = all.filter(name === 'alerts' ? isAlert : isLarge);
    expect(wanted.length).toBeGreaterThan(100);
    expect(wanted.length).toBeLessThan(COUNT);
    expect(count()).toBeGreaterThan(2);
    const found = await pushed(world, name);
    expect(idsOf(found)).toEqual(idsOf(wanted));
    const of = new Map(all.map(one => [one.predictionId, one]));
    for (const { predictionId, eventId, runId, sourceOffset, key, values } of found) {
      const prediction = of.get(predictionId)!;
      expect([eventId, runId, sourceOffset]).toEqual([prediction.eventId, 'live', prediction.sourceOffset]);
      expect(key).toBe(name === 'alerts' ? prediction.entity : 't');
      if (name === 'alerts') expect(values).toMatchObject({ lost: prediction.kpis['expectedLoss'] });
    }
  });

  test('at least once: nothing is left out, and what comes again has the id that it had', async () => {
    const { strike } = striking('memberCommit');
    await open({ ...PUSHING, delivery: { ...PUSHING.delivery, inference: 'at_least_once' } }, strike);
    await world.start().start(signal);
    for (let from = 100; from < 100 + COUNT; from += 50) {
      await world.vectors(vectors(from, 50));
      await answered(from - 50);
    }
    const all = await answered(COUNT);
    const wanted = new Set(idsOf(all.filter(isAlert)));
    await until(async () => new Set(idsOf(await pushed(world, 'alerts'))).size === wanted.size, 'every alert is there');
    const found = await pushed(world, 'alerts');
    expect(new Set(idsOf(found))).toEqual(wanted);
    // So the test above would see one that is pushed twice.
    expect(repeated(found)).toBeGreaterThan(0);
  });

  test('what is put off is pushed by the night that answers it, what a night or a replay answers with its run', async () => {
    await open(PUSHING);
    const rules: readonly Route[] = [{ name: 'large', to: 'stream', review: true, when: ge(field('amount'), 500) }, { name: 'small', to: 'night' }];
    await world.control({ kind: 'routes', name: 'default', value: { version: 3, rules } });
    await world.start().start(signal);
    await world.vectors(vectors(100));
    await answered(200);
    expect((await pushed(world, 'partners')).every(({ review, route }) => review && route === 'large')).toBe(true);
    await nightIn(world, { run: 'n1', sessionTimeoutMs: 300 });

    const live = (await world.predictions()).filter(({ runId }) => runId === 'live');
    const ofNight = (await world.predictions()).filter(({ runId }) => runId === 'n1');
    expect([live.length, ofNight.length]).toEqual([COUNT, 10]);
    // The portfolio goes by the rules too, but for when it is answered.
    expect(ofNight.every(({ sequence, route, review }) => (route === 'large') === sequence >= 500 && review === (route === 'large'))).toBe(true);
    const found = await pushed(world, 'partners');
    expect(idsOf(found.filter(({ runId }) => runId === 'live'))).toEqual(idsOf(live.filter(isLarge)));
    expect(idsOf(found.filter(({ runId }) => runId === 'n1'))).toEqual(idsOf(ofNight.filter(isLarge)));
    expect(found.every(({ runId, values }) => values['isLive'] === (runId === 'live'))).toBe(true);
    expect(found.filter(({ runId, review }) => runId === 'live' && review).length).toBe(live.filter(({ sequence }) => sequence >= 500).length);

    // A replay of one vector that was put off.
    const codec = await world.codec(world.topics.aside);
    const one = vectorOf(LARGE + 1);
    const source = { topic: world.topics.features, partition: 0, offset: 1 };
    const headers = replayHeaders({ run: 'again', source });
    await world.send([{ topic: world.topics.aside, partition: 0, key: utf8(one.entity), value: codec.encode(one), headers }]);
    await until(async () => (await pushed(world, 'partners')).some(({ runId }) => runId === 'again'), 'it is pushed again');
    expect((await pushed(world, 'partners')).filter(({ runId }) => runId === 'again').map(({ eventId }) => eventId)).toEqual([one.eventId]);
  });

  test('a value that cannot be worked out is missing with its reason, is counted, and costs no prediction', async () => {
    await open(PUSHING);
    const { metrics, seen } = counting();
    await world.start({ metrics }).start(signal);
    await world.vectors(vectors(395, 10));
    await answered(10);
    const found = await pushed(world, 'partners');
    expect(found).toHaveLength(10);
    expect(found.filter(({ unknown }) => unknown.length > 0)).toMatchObject([
      { sequence: 400, values: { ratio: null, terminal: 't' }, unknown: ['ratio: missing, or resting on something missing'] },
    ]);
    expect(seen.get('millrace_push_values_unknown_total fraud partners')).toBe(1);
    expect(await world.deadLetters()).toEqual([]);
  });
}); // prettier-ignore
