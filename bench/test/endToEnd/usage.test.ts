import { expect, test } from '@jest/globals';
import { MEASURED } from '../../src/endToEnd/chain.ts';
import { USAGE_FIGURES, usageOf } from '../../src/endToEnd/usage.ts';
import type { Sample } from '../../src/figures.ts';

const look = (atMs: number, records: number, cpuS: readonly number[], brokerCpuS: number): Sample[] =>
  MEASURED.map((_, i) => ({ atMs, records, cpuS: cpuS[i]!, runQueueS: 0, brokerCpuS, othersCpuS: 0 }));

const memory = {
  feature: { rssMaxMb: 300, anonymousMb: 200 },
  inference: { rssMaxMb: 310, anonymousMb: 210 },
  sink: { rssMaxMb: 320, anonymousMb: 220 },
};

test('each process has its own CPU, of the same payments in the same time', () => {
  const looks = [look(0, 1, [1, 2, 3, 4], 10), look(10_000, 100_001, [5, 4, 4, 6], 13)];
  const { usage, costs } = usageOf(looks, 2, memory);
  expect(usage).toEqual({
    featureCpuPerMillion: 40,
    inferenceCpuPerMillion: 20,
    sinkCpuPerMillion: 10,
    postgresCpuPerMillion: 20,
    brokerCpuPerMillion: 30,
    featureCores: 0.4,
    inferenceCores: 0.2,
    sinkCores: 0.1,
    postgresCores: 0.2,
    brokerCores: 0.3,
    featureAnonymousMb: 200,
    inferenceAnonymousMb: 210,
    sinkAnonymousMb: 220,
    featureRssMaxMb: 300,
    inferenceRssMaxMb: 310,
    sinkRssMaxMb: 320,
  });
  expect(costs.map(({ recordsPerSecond }) => recordsPerSecond)).toEqual([10_000, 10_000, 10_000, 10_000]);
  expect([...USAGE_FIGURES].sort()).toEqual(Object.keys(usage).sort());
});
