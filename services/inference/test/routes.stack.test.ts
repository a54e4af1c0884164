import { afterAll, expect } from '@jest/globals';
import { field, ge, type Route } from '@millrace/define';
import type { Logger } from '@millrace/telemetry';
import { stackTest } from '../../../test/jest/stack.ts';
import { until, vectorOf } from './harness.ts';
import { nightIn } from './nightIn.ts';
import { openStackWorld, type StackWorld } from './stackWorld.ts';

const LIMIT_MS = 180_000;
const ROWS = 900;
const opened: StackWorld[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});

const open = async (): Promise<StackWorld['world']> => {
  const one = await openStackWorld();
  opened.push(one);
  return one.world;
};

const passed = ({ ground, topics }: StackWorld['world'], what: string): Promise<void> =>
  until(async () => {
    const { admin } = ground.broker;
    const ends = await admin.endOffsets(topics.features);
    const at = await admin.committed(`millrace.inference.${ground.pipeline.name}`, [topics.features]);
    return ends.every(
      ({ partition, offset }) =>
        offset === 0 || at.some(one => one.partition === partition && one.offset >= offset),
    );
  }, what);

/** From this amount on at once, and the others by night. */
const from = (amount: number): readonly Route[] => [
  { name: 'large', to: 'stream', when: ge(field('amount'), amount) },
  { name: 'small', to: 'night' },
];

interface Said {
  readonly partition: number;
  readonly offset: number;
  readonly routeVersion: number;
}
const IN_FORCE = 'routes in force from here on';

stackTest(
  'on Kafka: what rules put off is answered by the night after it, also what is put off while one is at work',
  async () => {
    const world = await open();
    await world.control({ kind: 'routes', name: 'default', value: { version: 2, rules: from(500) } });
    const signal = new AbortController().signal;
    await world.start().start(signal);
    const night = (run: string) => nightIn(world, { run: `${world.ground.pipeline.name}-${run}`, lagMax: 100_000 });
    const rows = Array.from({ length: ROWS }, (_, i) => vectorOf(100 + i));
    const [before, meanwhile] = [rows.filter((_, i) => i % 2 === 0), rows.filter((_, i) => i % 2 === 1)];
    await world.vectors(before);
    await passed(world, 'all are passed');
    const first = night('n1');
    await world.vectors(meanwhile);
    const { report } = await first;
    await passed(world, 'those of meanwhile are passed');
    const second = (await night('n2')).report;
    const small = rows.filter(({ sequence }) => sequence < 500).length;
    expect(report.putOff.scored + second.putOff.scored).toBe(small);
    expect(second.putOff).toMatchObject({ deadLettered: 0, repeated: 0 });
    const live = (await world.predictions()).filter(({ runId }) => runId === 'live');
    expect(live.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(rows.map(({ sequence }) => sequence));
    expect(new Set(live.map(({ predictionId }) => predictionId)).size).toBe(ROWS);
    for (const { sequence, route, routeVersion, outputs } of live)
      expect([route, routeVersion, outputs['score']]).toEqual([sequence < 500 ? 'small' : 'large', 2, Math.fround(sequence / 1024)]);
  },
  LIMIT_MS,
); // prettier-ignore

stackTest(
  'on Kafka: rules that change hold from the offset that is told, and no vector is answered twice or left out',
  async () => {
    const world = await open();
    const said: Said[] = [];
    const quiet = { debug: () => undefined, warn: () => undefined, error: () => undefined };
    const info: Logger['info'] = (fields, message) => void (message === IN_FORCE && said.push(fields as Said));
    const logger: Logger = { ...quiet, info, child: () => logger };
    const change = (version: number, amount: number): Promise<number> =>
      world.control({ kind: 'routes', name: 'default', value: { version, rules: from(amount) } });
    await change(1, 500);
    await world.start({ logger }).start(new AbortController().signal);
    const amounts = new Map<number, number>();
    const send = (sequence: number, amount: number) => {
      amounts.set(sequence, amount);
      const one = vectorOf(sequence);
      return { ...one, event: { ...one.event, amount } };
    };
    const many = (first: number) => Array.from({ length: ROWS / 3 }, (_, i) => send(first + i, 100 + 3 * i));
    await world.vectors(many(100));
    await change(2, 300);
    await world.vectors(many(1_000));
    // What the two sets of rules answer differently, until each partition has come to the second.
    let next = 2_000;
    await until(async () => {
      await world.vectors([send(next++, 400)]);
      return said.filter(({ routeVersion }) => routeVersion === 2).length === world.ground.pipeline.partitions;
    }, 'the second rules are in force');
    await world.vectors(many(10_000));
    await passed(world, 'all are passed');
    expect((await nightIn(world, { run: `${world.ground.pipeline.name}-n1`, lagMax: 100_000 })).report.putOff).toMatchObject({ deadLettered: 0, repeated: 0 });
    const live = (await world.predictions()).filter(({ runId }) => runId === 'live');
    expect(live.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual([...amounts.keys()].sort((a, b) => a - b));
    for (const { sequence, route, routeVersion } of live)
      expect(route).toBe(amounts.get(sequence)! >= (routeVersion === 1 ? 500 : 300) ? 'large' : 'small');
    for (const { partition, offset } of said.filter(({ routeVersion }) => routeVersion === 2))
      for (const one of live.filter(of => of.partition === partition)) expect(one.routeVersion).toBe(one.vectorOffset < offset ? 1 : 2);
  },
  LIMIT_MS,
); // prettier-ignore
