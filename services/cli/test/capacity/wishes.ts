import { fraud } from '@millrace/pipelines';
import {
  coefficientsFor,
  type Coefficients,
  type CoefficientName,
  measuredBy,
} from '../../src/capacity/coefficients.ts';
import type { Wish } from '../../src/capacity/wish.ts';

/** The fraud pipeline at 1,000 payments a second, whatever changes. */
export const wishOf = (changes: Partial<Wish> = {}): Wish => ({
  pipeline: fraud,
  services: ['feature', 'inference'],
  rate: 1_000,
  peak: changes.rate ?? 1_000,
  p99Ms: undefined,
  modelUs: undefined,
  delivery: 'exactly_once',
  commitIntervalMs: 25,
  instances: undefined,
  partitions: undefined,
  replication: 1,
  labelsPerEvent: 1,
  keys: 0,
  windowRows: 60,
  stateBytesPerKey: undefined,
  hotKeyShare: 0,
  loadMax: 0.7,
  ...changes,
});

const SOURCE = { command: 'none', date: 'today', machine: 'made up' };

/** Round figures of the tests, so that results can be worked out by hand; the others as they ship. */
export const madeUp = (values: Partial<Record<CoefficientName, number | null>>): Coefficients =>
  coefficientsFor(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, source: SOURCE }])),
  );

export const ROUND = measuredBy(
  madeUp({
    'feature.usPerRecordAndKey': 20,
    'feature.usPerAggregation': 5,
    'feature.awakeCores': 0.1,
    'feature.epochsWaitMs': 90,
    'feature.waitRate': 0,
    'feature.memoryMb': 200,
    'feature.cacheBytesPerRow': 200,
    'feature.heapPerCacheByte': 2,
    'inference.usPerRecord': 8,
    'inference.awakeCores': 0.2,
    'inference.exactlyOnceRateMax': 50_000,
    'inference.exactlyOnceWaitMs': 75,
    'inference.waitRate': 0,
    'inference.memoryMb': 300,
    'model.fraud.usPerRow': 2,
    'state.bytesPerRow': 30,
    'state.diskPerByte': 3,
    'state.restoreMbPerSecond': 10,
    'broker.exactlyOnceUsPerHop': 4,
    'broker.atLeastOnceUsPerHop': 2,
    'takeover.pauseMs': 1_000,
    'bytes.event': 100,
    'bytes.label': 80,
    'bytes.repartition': 200,
    'bytes.release': 300,
    'bytes.changelog': 500,
    'bytes.vector': 340,
    'bytes.prediction': 640,
    'sink.usPerRecord': null,
  }),
);
