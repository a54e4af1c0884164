/** What each service has to do, and what one process of it can. Pure. */
import type { Measured } from './coefficients.ts';
import { featureWait, inferenceWait, type Wait } from './latency.ts';
import type { Planned, Shape, Wish } from './wish.ts';

export interface Demand {
  readonly service: Planned;
  /** Its records for one scored event. */
  readonly recordsPerEvent: number;
  readonly usPerRecord: number;
  readonly awakeCores: number;
  /** Most that one process does, records/s. */
  readonly rateMax: number;
  readonly limitedBy: string;
  /** Undefined where nothing waits for it. */
  readonly wait: Wait | undefined;
  /** Without state and lanes. */
  readonly memoryMb: number;
}

/** NaN where nobody has measured the model and nothing is said of it. */
export const modelUsOf = ({ modelUs, pipeline }: Pick<Wish, 'modelUs' | 'pipeline'>, measured: Measured): number =>
  modelUs ?? (pipeline.model.name === 'fraud' ? measured('model.fraud.usPerRow') : Number.NaN); // prettier-ignore

const featureDemand = (wish: Wish, shape: Shape, measured: Measured): Demand => {
  const usPerRecord =
    shape.keys * measured('feature.usPerRecordAndKey') +
    shape.aggregations * measured('feature.usPerAggregation');
  const rateMax = 1e6 / usPerRecord;
  return {
    service: 'feature',
    recordsPerEvent: 1 + wish.labelsPerEvent,
    usPerRecord,
    awakeCores: shape.keys * measured('feature.awakeCores'),
    rateMax,
    limitedBy: 'its one thread',
    wait: featureWait(shape, measured, rateMax),
    memoryMb: measured('feature.memoryMb'),
  };
};

const inferenceDemand = (wish: Wish, measured: Measured): Demand => {
  const isExactlyOnce = wish.delivery === 'exactly_once';
  const modelUs = modelUsOf(wish, measured);
  const rateOfModel = modelUs === 0 ? Number.POSITIVE_INFINITY : 1e6 / modelUs;
  const rateOfRest = measured(
    isExactlyOnce ? 'inference.exactlyOnceRateMax' : 'inference.atLeastOnceRateMax',
  );
  const rateMax = Math.min(rateOfRest, rateOfModel);
  const share = isExactlyOnce ? 1 : measured('inference.atLeastOnceShare');
  return {
    service: 'inference',
    recordsPerEvent: 1,
    usPerRecord: (measured('inference.usPerRecord') + modelUs) * share,
    awakeCores: measured('inference.awakeCores'),
    rateMax,
    limitedBy: rateOfModel < rateOfRest ? "the model's one thread" : 'its main thread',
    wait: inferenceWait(wish, measured, rateMax),
    memoryMb: measured('inference.memoryMb'),
  };
};

const sinkDemand = (measured: Measured): Demand => ({
  service: 'sink',
  recordsPerEvent: 1,
  usPerRecord: measured('sink.usPerRecord'),
  awakeCores: 0,
  rateMax: measured('sink.rateMax'),
  limitedBy: 'the database',
  wait: undefined,
  memoryMb: measured('sink.memoryMb'),
});

export const demandsOf = (wish: Wish, shape: Shape, measured: Measured): readonly Demand[] =>
  wish.services.map(service =>
    service === 'feature'
      ? featureDemand(wish, shape, measured)
      : service === 'inference'
        ? inferenceDemand(wish, measured)
        : sinkDemand(measured),
  );

export const waitsOf = (demands: readonly Demand[]): readonly Wait[] =>
  demands.flatMap(({ wait }) => wait ?? []);

/** Part of all its records that one process may have at the peak. */
export const partOf = ({ rateMax, recordsPerEvent }: Demand, peak: number, load: number): number =>
  (rateMax * load) / (peak * recordsPerEvent);
