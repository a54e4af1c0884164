import { afterEach, describe, expect, test } from '@jest/globals';
import { Bad, type Codec } from '@millrace/avro';
import { type Clock, type Logger, type Metrics, noLogger, noMetrics, systemClock } from '@millrace/telemetry';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import { processor } from '../../src/processor/processor.ts';
import { eventually, makeRig, type Outputs, readAll, type Rig, textCodec } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

/** Waits of seconds pass in milliseconds. */
const FASTER = 100;
const beganMs = systemClock.now();
const fastClock: Clock = {
  now: () => beganMs + (systemClock.now() - beganMs) * FASTER,
  sleep: (ms, signal) => systemClock.sleep(ms / FASTER, signal),
};

/** Values that begin with `?` have a schema that nobody has registered yet. */
const unknownFirst = (): { readonly codec: Codec<string>; known: boolean; asked: number } => {
  const registry = {
    known: false,
    asked: 0,
    codec: {
      ...textCodec,
      prepare: () => {
        registry.asked++;
        return Promise.resolve();
      },
      decode: (value: Uint8Array) => {
        const found = textCodec.decode(value);
        if (found instanceof Bad || !found.startsWith('?') || registry.known) return found;
        return new Bad('unknown-schema', 'there is no such schema');
      },
    },
  };
  return registry;
};

const copy: ProcessorOptions<string, Outputs>['createTask'] = () => ({
  handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
});
const outOf = async (partition: number): Promise<string[]> =>
  (await readAll(rig.broker, 'out')).flatMap(seen => (seen.key === `k${partition}` ? [seen.value] : []));
const holding = { 'unknown-schema': 'hold' } as const;

describe('a record on hold', () => {
  test('lets what came before it through, stops its own lane alone, and goes on by itself', async () => {
    rig = await makeRig(2);
    const registry = unknownFirst();
    const gauges = new Map<string, number>();
    const metrics: Metrics = { ...noMetrics, set: (name, labels, value) => gauges.set([name, ...Object.values(labels)].join(' '), value) }; // prettier-ignore
    const warned: string[] = [];
    const logger: Logger = { ...noLogger, child: () => logger, warn: (_, text) => void warned.push(text) };
    await rig.send('in', 0, ['a', '?b', 'c', '?d'], () => 'k0');
    const started = await rig.run<string>({
      inputs: [{ topic: 'in', codec: registry.codec }],
      createTask: copy,
      rejects: holding,
      clock: fastClock,
      metrics,
      logger,
    });
    await eventually('it was asked again', () => registry.asked > 4);
    await rig.send('in', 0, ['e'], () => 'k0');
    await rig.send('in', 1, ['x', 'y'], () => 'k1');
    await eventually('the other lane flows', async () => (await rig.committed(1)) === 2);

    expect([await rig.committed(0), await outOf(0), await outOf(1)]).toEqual([1, ['a'], ['x', 'y']]);
    expect(started.notReady()).toContain('in-0 holds at offset 1: unknown-schema');
    expect(gauges.get('millrace_lane_held in 0 unknown-schema')).toBe(1);
    expect(gauges.get('millrace_partition_paused in 0')).toBe(1);
    expect(warned).toEqual(['the lane stands still until this record can be used']);

    registry.known = true;
    await eventually('the lane goes on', async () => (await rig.committed(0)) === 5);
    expect(await outOf(0)).toEqual(['a', '?b', 'c', '?d', 'e']);
    expect(started.notReady()).toBeUndefined();
    expect(gauges.get('millrace_lane_held in 0 unknown-schema')).toBe(0);
    expect(gauges.get('millrace_partition_paused in 0')).toBe(0);
    expect(await readAll(rig.broker, 'in.dlq')).toEqual([]);
  });

  test('is neither lost nor answered by a process that ends, and is found by the next one', async () => {
    rig = await makeRig();
    const registry = unknownFirst();
    const options: Parameters<Rig['run']>[0] = {
      inputs: [{ topic: 'in', codec: registry.codec as Codec<never> }],
      createTask: copy as never,
      rejects: holding,
    };
    await rig.send('in', 0, ['?a', 'b'], () => 'k0');
    const first = await rig.run(options);
    await eventually('it holds', () => first.notReady()?.includes('holds at offset 0') === true);
    await first.stop(1_000);
    expect([await rig.committed(0), await outOf(0)]).toEqual([undefined, []]);
    registry.known = true;
    await rig.run(options);
    await eventually('all is answered', async () => (await rig.committed(0)) === 2);
    expect(await outOf(0)).toEqual(['?a', 'b']);
  });

  test('is not for a task with offsets of its own, which pass it', () => {
    expect(() =>
      processor({
        broker: undefined as never,
        group: 'g',
        inputs: [],
        outputs: { out: { topic: 'out', codec: textCodec } },
        delivery: 'external',
        createTask: copy,
        rejects: holding,
      }),
    ).toThrow('must not hold');
  });
});

describe('a record that must stop the process', () => {
  test.each(['exactly_once', 'at_least_once'] as const)(
    'is named, and neither it nor what follows is committed (%s)',
    async delivery => {
      rig = await makeRig();
      await rig.send('in', 0, ['a', '!b', 'c'], () => 'k0');
      const started = await rig.run<string>({
        delivery,
        createTask: copy,
        rejects: { 'bad-value': 'stop' },
      });
      await expect(started.failed).rejects.toThrow('in-0 offset 1: rejected as bad-value');
      expect((await rig.committed(0)) ?? 0).toBeLessThanOrEqual(1);
      expect(await readAll(rig.broker, 'in.dlq')).toEqual([]);
      expect(await outOf(0)).not.toContain('c');
    },
  );
});
