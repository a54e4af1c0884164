/** Vectors answered in the stream or by the next night, by rules that change while everything runs. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FeaturesValue, predictionId, replayHeaders } from '@millrace/contracts';
import { eq, type Expression, field, ge, lt, type Route, threshold } from '@millrace/define';
import { murmur2Partition } from '@millrace/stream';
import type { NightResult } from '../src/index.ts';
import { type Prediction, until, utf8, vectorOf, World, writeModel } from './harness.ts';
import { nightIn } from './nightIn.ts';

const signal = new AbortController().signal;
const LARGE = 300;
const COUNT = 400;
const many = (from: number, count: number): ReturnType<typeof vectorOf>[] =>
  Array.from({ length: count }, (_, i) => vectorOf(from + i));
/** The large ones at once. */
const bySize = (when: Expression = ge(field('amount'), LARGE)): readonly Route[] => [
  { name: 'large', to: 'stream', when },
  { name: 'small', to: 'night' },
];

let world: World;
beforeEach(async () => {
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1_024 });
});
afterEach(() => world.close());

const routes = (version: number, rules: readonly Route[]): Promise<number> =>
  world.control({ kind: 'routes', name: 'default', value: { version, rules } });
const start = async (): Promise<void> => {
  const service = world.start();
  await service.start(signal);
  await until(() => service.notReady?.() === undefined, 'ready');
};
const night = (run: string): Promise<NightResult> => nightIn(world, { run, sessionTimeoutMs: 300 });
const live = async (): Promise<Prediction[]> =>
  (await world.predictions())
    .filter(({ runId }) => runId === 'live')
    .toSorted((a, b) => a.sequence - b.sequence);
const deferred = async (): Promise<number> =>
  (await world.ground.broker.admin.endOffsets(world.topics.deferred)).reduce(
    (sum, { offset }) => sum + offset,
    0,
  );
const passed = async (count: number): Promise<void> => {
  const group = 'millrace.inference.fraud';
  await until(async () => {
    const at = await world.ground.broker.admin.committed(group, [world.topics.features]);
    return at.reduce((sum, { offset }) => sum + offset, 0) >= count;
  }, 'everything is passed');
};

describe('routes', () => {
  test('what a rule puts off is answered by the next night, once, under the id that the stream would have given', async () => {
    await routes(3, bySize());
    await world.alias('1');
    await start();
    await world.vectors(many(100, COUNT));
    await passed(COUNT);
    const large = COUNT + 100 - LARGE;
    expect((await live()).map(({ sequence, route, routeVersion }) => [sequence, route, routeVersion])).toEqual(
      Array.from({ length: large }, (_, i) => [LARGE + i, 'large', 3]),
    );

    const { report } = await night('n1');
    expect(report).toMatchObject({ deferred: { records: COUNT - large }, putOff: { scored: COUNT - large, deadLettered: 0, repeated: 0 } });
    const all = await live();
    expect(all.map(({ sequence }) => sequence)).toEqual(many(100, COUNT).map(({ sequence }) => sequence));
    for (const { eventId, predictionId: id, sequence, route, routeVersion, outputs } of all) {
      expect(id).toBe(predictionId('fraud', eventId, 0, 'live', 'answer', 0));
      expect([route, routeVersion]).toEqual([sequence >= LARGE ? 'large' : 'small', 3]);
      expect(outputs['score']).toBe(Math.fround(sequence / 1_024));
    }
    // Where each vector stood on its topic is told, whoever answered.
    expect(new Set(all.map(({ partition, vectorOffset }) => `${partition} ${vectorOffset}`)).size).toBe(COUNT);

    // Another night finds nothing, and one after it only what came since.
    expect((await night('n2')).report.putOff.scored).toBe(0);
    await world.vectors(many(100 + COUNT, 1).map(one => ({ ...one, event: { ...one.event, amount: 1 } })));
    await passed(COUNT + 1);
    expect((await night('n3')).report.putOff.scored).toBe(1);
    expect(await live()).toHaveLength(COUNT + 1);
  });

  test('changed at work, they hold from one vector on in each partition, and each is answered once', async () => {
    await routes(1, bySize());
    await world.alias('1');
    await start();
    const rules = [bySize(lt(field('amount'), LARGE)), [], bySize(eq(field('terminalId'), 'none')), bySize(ge(field('amount'), threshold('block')))];
    let sent = 100;
    for (const [i, one] of [bySize(), ...rules].entries()) {
      await world.vectors(many(sent, COUNT));
      sent += COUNT;
      if (i > 0) await routes(i + 1, one);
    }
    await passed(5 * COUNT);
    await night('n1');
    const all = await live();
    expect(all.map(({ sequence }) => sequence)).toEqual(many(100, 5 * COUNT).map(({ sequence }) => sequence));
    // Rule and version are of one set of rules: in each of them, what makes an amount a large one.
    const isLarge = [(n: number) => n >= LARGE, (n: number) => n < LARGE, undefined, () => false, (n: number) => n >= 0.8];
    const ruleFor = (n: number, version: number): string => {
      const of = isLarge[version - 1];
      return of === undefined ? 'default' : of(n) ? 'large' : 'small';
    };
    for (const { sequence, route, routeVersion } of all)
      expect([sequence, routeVersion, route]).toEqual([sequence, routeVersion, ruleFor(sequence, routeVersion)]);
    for (const ofPartition of Map.groupBy(all, ({ partition }) => partition).values()) {
      const versions = ofPartition.toSorted((a, b) => a.vectorOffset - b.vectorOffset).map(one => one.routeVersion);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    }
    // Which of them meet a vector depends on how quickly they come.
    expect(['large', 'small', 'default']).toEqual(expect.arrayContaining(all.map(({ route }) => route)));
    expect(new Set(all.map(({ routeVersion }) => routeVersion)).size).toBeGreaterThan(1);
  });

  test('do not fall back where a process takes over that has heard of new ones later than the owner before it', async () => {
    await routes(1, bySize());
    await world.alias('1');
    const broker = world.ground.connect();
    const deaf = {
      ...broker,
      // It has the control topic as it is at its start, and hears nothing of it any more by itself.
      read: (options: Parameters<typeof broker.read>[0]) =>
        'until' in options ? broker.read(options) : broker.read({ ...options, from: [] }),
    };
    const [quick, late] = [world.start(), world.start({ broker: deaf })];
    await Promise.all([quick.start(signal), late.start(signal)]);
    let sent = 0;
    const send = (): Promise<void> => world.vectors(many(LARGE + 40 * sent++, 40));
    await send();
    await passed(40);
    await routes(2, bySize());
    await until(async () => {
      await send();
      return (await live()).some(({ routeVersion }) => routeVersion === 2);
    }, 'the second rules are in force somewhere');
    await quick.stop(5_000);
    await send();
    await passed(40 * sent);
    const all = await live();
    expect(all).toHaveLength(40 * sent);
    for (const ofPartition of Map.groupBy(all, ({ partition }) => partition).values()) {
      const versions = ofPartition.toSorted((a, b) => a.vectorOffset - b.vectorOffset).map(one => one.routeVersion);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    }
    expect(new Set(all.map(({ routeVersion }) => routeVersion))).toEqual(new Set([1, 2]));
  });

  test('what was put off is answered by the rule that put it off, and by no other, whatever the rules are by then', async () => {
    await routes(1, [{ name: 'small', to: 'night', review: true, when: lt(field('amount'), LARGE) }, { name: 'large', to: 'stream' }]);
    await world.alias('1');
    await start();
    await world.vectors(many(100, 20));
    await passed(20);
    await routes(2, [{ name: 'whatever', to: 'night' }]);
    expect((await night('n1')).report.putOff).toEqual({ scored: 20, deadLettered: 0, repeated: 0 });
    expect((await live()).map(({ sequence, route, routeVersion, review }) => [sequence, route, routeVersion, review])).toEqual(
      many(100, 20).map(({ sequence }) => [sequence, 'small', 1, true]),
    );
    // Nothing was put off anew.
    expect((await night('n2')).report.putOff.scored).toBe(0);
  });

  test('rules that read what is not there change nothing', async () => {
    await routes(1, bySize());
    await world.alias('1');
    await start();
    await routes(2, [
      { name: 'Odd', to: 'stream', when: ge(field('weather'), 1) },
      { name: 'all', to: 'night' },
    ]);
    await routes(3, [{ name: 'all', to: 'moon' as 'night' }]);
    await routes(4, [{ name: 'all', to: 'night', engine: 'tpu' as 'gpu' }]);
    const revision = await world.control({ kind: 'thresholds', name: 'default', value: { block: 0.9 } });
    let sent = LARGE;
    let last: Prediction | undefined;
    // What comes after a change on the control topic is known once that change is in force.
    await until(async () => {
      await world.vectors([vectorOf(++sent)]);
      last = (await live()).at(-1);
      return last?.controlRevision === revision;
    }, 'the last change is in force');
    expect([last!.route, last!.routeVersion]).toEqual(['large', 1]);
    expect(await deferred()).toBe(0);
  });

  test('who replays a vector that a rule puts off has its answer at once, of the run; the live one is answered by the night', async () => {
    await routes(1, [{ name: 'all', to: 'night' }]);
    await world.alias('1');
    await start();
    const rows = many(100, 20);
    await world.vectors(rows);
    await passed(20);
    const codec = await world.codec<FeaturesValue>(world.topics.aside);
    const copies = rows.map((vector, offset) => {
      const key = utf8(vector.entity);
      const partition = murmur2Partition(key, world.ground.pipeline.partitions);
      const source = { topic: world.topics.features, partition, offset };
      return { topic: world.topics.aside, partition, key, value: codec.encode(vector), headers: replayHeaders({ run: 'again', source }) };
    });
    await world.send(copies);
    const ofRun = await world.scored(20);
    const told = (of: readonly unknown[]): string => of.join(' ');
    expect(ofRun.map(one => told([one.eventId, one.predictionId, one.runId, one.route, one.routeVersion])).toSorted()).toEqual(
      rows.map(({ eventId }) => told([eventId, predictionId('fraud', eventId, 0, 'again', 'answer', 0), 'again', 'all', 1])).toSorted(),
    );
    expect((await night('n1')).report.putOff).toEqual({ scored: 20, deadLettered: 0, repeated: 0 });
    expect((await live()).map(({ eventId }) => eventId)).toEqual(rows.map(({ eventId }) => eventId));
    expect((await night('n2')).report.putOff.scored).toBe(0);
    expect((await world.predictions()).filter(({ runId }) => runId === 'again')).toHaveLength(20);
  });

  test('what was put off and cannot be used is a dead letter, and the rest is answered', async () => {
    await routes(1, [{ name: 'all', to: 'night' }]);
    await world.alias('1');
    await start();
    await world.vectors(many(100, 20));
    await passed(20);
    const partition = 0;
    await world.send([{ topic: world.topics.deferred, partition, key: utf8('x'), value: utf8('no vector') }]);
    const { report } = await night('n1');
    expect(report.putOff).toEqual({ scored: 20, deadLettered: 1, repeated: 0 });
    expect(await world.deadLetters(world.topics.deferred)).toHaveLength(1);
  });
}); // prettier-ignore
