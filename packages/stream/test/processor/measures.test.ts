import { afterEach, expect, test } from '@jest/globals';
import { type Metrics, noMetrics, turnedClock } from '@millrace/telemetry';
import { BrokerError } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import { faulty } from './faulty.ts';
import { eventually, makeRig, type Outputs, type Rig, textCodec } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

test('every record is counted once, in = done + skipped + rejected, also when commits fail', async () => {
  let calls = 0;
  const lost = (): Error => new BrokerError('the connection was lost', { retriable: true });
  rig = await makeRig(1, broker =>
    faulty(broker, call => (call === 'commit' && ++calls <= 4 ? { when: 'before', error: lost } : undefined)),
  );
  const counts = new Map<string, number>();
  const metrics: Metrics = {
    ...noMetrics,
    count: (name, labels, by = 1) => {
      const key = [name, ...Object.values(labels)].join(' ');
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
  };
  const values = ['a', 'b', 'skip', '!bad', 'c', '!bad too'];
  await rig.send('in', 0, values);
  await rig.run<string>({
    metrics,
    changelog: 'state',
    createTask: () => ({
      handle: perRecord<string, Outputs>((record, out) => {
        if (record.value === 'skip') out.skip('duplicate');
        else out.emit('out', record.key!, record.value);
      }),
    }),
  });
  await eventually('all is counted', () => counts.get('millrace_records_in_total in') === values.length);
  expect(Object.fromEntries(counts)).toEqual({
    'millrace_rebalances_total g': 1,
    'millrace_retries_total task': 4,
    'millrace_commits_total g failed': 4,
    'millrace_commits_total g committed': 1,
    'millrace_records_in_total in': 6,
    'millrace_records_done_total in': 3,
    'millrace_records_skipped_total in duplicate': 1,
    'millrace_records_rejected_total in bad-value': 2,
    'millrace_records_out_total out': 3,
    'millrace_records_out_total in.dlq': 2,
    'millrace_paused_seconds_total in 0': expect.any(Number),
  });
});

test('lag of a paused partition goes on to be seen, under both names, with the rows and bytes that it holds', async () => {
  rig = await makeRig(1);
  const clock = turnedClock(Date.now());
  const gauges = new Map<string, number>();
  const metrics: Metrics = {
    ...noMetrics,
    set: (name, labels, value) => void gauges.set([name, ...Object.values(labels)].join(' '), value),
  };
  await rig.send('in', 0, ['a', 'b', 'c']);
  const lane = { rowsHigh: 2, rowsLow: 1, bytesHigh: 1_000, bytesLow: 500 };
  const running = await rig.run<string>({
    metrics,
    clock,
    inputs: [{ topic: 'in', codec: textCodec, lane }],
    createTask: () => ({ handle: () => new Promise(() => undefined) }),
    drainMsMax: 0,
  });
  const turned = (what: string, holds: () => boolean): Promise<void> =>
    eventually(what, async () => {
      await clock.turn(100);
      return holds();
    });
  await turned('it is paused', () => gauges.get('millrace_partition_paused in 0') === 1);
  await turned('its rows are seen', () => gauges.get('millrace_lane_rows in 0') === 3);
  expect(gauges.get('millrace_lane_bytes in 0')).toBeGreaterThan(0);
  await rig.send(
    'in',
    0,
    Array.from({ length: 100 }, () => 'more'),
  );
  await turned('it lags', () => gauges.get('millrace_consumer_lag_records in 0') === 103);
  expect(gauges.get('kafka_consumergroup_group_lag g in 0')).toBe(103);
  expect(gauges.get('kafka_consumergroup_group_lag_seconds g in 0')).toBeGreaterThan(0);
  expect(gauges.get('millrace_lane_rows in 0')).toBe(3);
  let stopped = false;
  void running.stop(1_000).then(() => (stopped = true));
  await turned('it has stopped', () => stopped);
  // Whoever reads the partition now tells of it.
  expect(gauges.get('kafka_consumergroup_group_lag g in 0')).toBe(0);
});
