import { afterAll, expect } from '@jest/globals';
import { field, ge } from '@millrace/define';
import { stackTest } from '../../../test/jest/stack.ts';
import { until, vectorOf } from './harness.ts';
import { nightIn } from './nightIn.ts';
import { openStackWorld, type StackWorld } from './stackWorld.ts';

const LIMIT_MS = 180_000;
const ROWS = 900;
let opened: StackWorld | undefined;
afterAll(() => opened?.close());

stackTest(
  'on Kafka: what rules put off is answered by the night after it, also what is put off while one is at work',
  async () => {
    opened = await openStackWorld();
    const { world } = opened;
    const { pipeline, broker } = world.ground;
    const rules = [{ name: 'large', to: 'stream', when: ge(field('amount'), 500) }, { name: 'small', to: 'night' }] as const;
    await world.control({ kind: 'routes', name: 'default', value: { version: 2, rules } });
    const signal = new AbortController().signal;
    await world.start().start(signal);
    const night = (run: string) => nightIn(world, { run, lagMax: 100_000 });
    const passed = async (count: number): Promise<void> => {
      const ends = await broker.admin.endOffsets(world.topics.features);
      await until(async () => {
        const at = await broker.admin.committed(`millrace.inference.${pipeline.name}`, [world.topics.features]);
        return ends.every(({ partition, offset }) => offset === 0 || at.some(one => one.partition === partition && one.offset >= offset));
      }, `${count} vectors are passed`);
    };
    const rows = Array.from({ length: ROWS }, (_, i) => vectorOf(100 + i));
    const [before, meanwhile] = [rows.filter((_, i) => i % 2 === 0), rows.filter((_, i) => i % 2 === 1)];
    await world.vectors(before);
    await passed(before.length);
    const first = night('n1');
    await world.vectors(meanwhile);
    const { report } = await first;
    await passed(ROWS);
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
