/** From a wish to cores, memory and partitions, or to why it cannot be. Pure; docs/CAPACITY.md has the formulas. */
import type { Measured } from './coefficients.ts';
import { type Demand, demandsOf, modelUsOf, partOf, waitsOf } from './demand.ts';
import { loadFor, p99At } from './latency.ts';
import { type Refusal, refuseP99, refuseSpread } from './refuse.ts';
import { SETTINGS } from './settings.ts';
import { busiestShare, fewestPartitions, fewestProcesses, takenOver } from './spread.ts';
import { type StateSize, stateOf, writtenPerS } from './state.ts';
import { type Topic, topicsFor } from './traffic.ts';
import { markersPerS, type Planned, type Shape, shapeOf, type Wish } from './wish.ts';

export interface Loss {
  /** Load of the busiest process that is left, at the peak. */
  readonly load: number;
  /** How long the partitions of the lost one stand still, seconds. */
  readonly stillS: number;
  /** Records that wait by then at the busiest successor. */
  readonly backlog: number;
  /** From then until it has caught up; infinite where it never does at the peak. */
  readonly catchUpS: number;
}

/** NaN, in any figure: not measured. */
export interface ServicePlan {
  readonly service: Planned;
  readonly processes: number;
  readonly recordsPerSMean: number;
  readonly recordsPerSPeak: number;
  readonly rateMaxPerProcess: number;
  /** Of the busiest process at the peak, 0 to 1. */
  readonly load: number;
  readonly coresMean: number;
  readonly coresPeak: number;
  readonly memoryMbPerProcess: number;
  readonly limitedBy: string;
  readonly loss: Loss;
}

export interface Plan {
  readonly partitions: number;
  /** Fewest with which the wish can be met. */
  readonly partitionsNeeded: number;
  readonly services: readonly ServicePlan[];
  readonly brokerCoresMean: number;
  readonly brokerCoresPeak: number;
  readonly databaseCoresPeak: number | undefined;
  readonly p99Ms: number;
  readonly p99Parts: readonly { readonly service: Planned; readonly ms: number }[];
  readonly state: StateSize | undefined;
  readonly topics: readonly Topic[];
  /** The service that is full first, and the scored events a second at which it is. */
  readonly bottleneck: { readonly service: Planned; readonly rate: number; readonly limitedBy: string };
}

const lossOf = (
  wish: Wish,
  demand: Demand,
  processes: number,
  partitions: number,
  still: { readonly s: number; readonly restoreSPerPartition: number },
): Loss => {
  const recordsPerS = wish.peak * demand.recordsPerEvent;
  const moved = takenOver(partitions, processes);
  const left = Math.max(1, processes - 1);
  const load = (recordsPerS * busiestShare(partitions, left, wish.hotKeyShare)) / demand.rateMax;
  const stillS = still.s + moved * still.restoreSPerPartition;
  const backlog = (recordsPerS * moved * stillS) / partitions;
  const catchUpS = load >= 1 ? Number.POSITIVE_INFINITY : backlog / (demand.rateMax * (1 - load));
  return { load, stillS, backlog, catchUpS };
}; // prettier-ignore

interface Laid {
  readonly demand: Demand;
  readonly processes: number;
}

const processesOf = (wish: Wish, demand: Demand, load: number, partitions: number): number => {
  const part = partOf(demand, wish.peak, load);
  if (wish.instances !== undefined) return wish.instances;
  return Number.isNaN(part) ? Number.NaN : fewestProcesses(partitions, part, wish.hotKeyShare)!;
};

const memoryMb = ({ demand, processes }: Laid, partitions: number, state: StateSize | undefined): number => {
  const { service, memoryMb: base } = demand;
  if (service === 'feature') return base + (state?.memoryBytes ?? 0) / 1e6;
  return service === 'inference'
    ? base + (Math.ceil(partitions / processes) * SETTINGS.laneBytesMax) / 1e6
    : base;
};

/** Records that are written and read once on their way, for one scored event: that is what brokers are measured by. */
const hopsOf = (wish: Wish, shape: Shape): { readonly plain: number; readonly inTransactions: number } => {
  const records = 1 + wish.labelsPerEvent;
  const has = (service: Planned): number => (wish.services.includes(service) ? 1 : 0);
  // The changelog is written and not read.
  const between = records * shape.hopsBetween;
  const changelog = (records * shape.keys) / 2;
  const isExactlyOnce = wish.delivery === 'exactly_once';
  return {
    plain: has('feature') * records + (isExactlyOnce ? 0 : has('inference')) + has('sink') / 2,
    inTransactions: has('feature') * (between + changelog) + (isExactlyOnce ? has('inference') : 0),
  };
};

const serviceOf = (wish: Wish, laid: Laid, partitions: number, state: StateSize | undefined, measured: Measured): ServicePlan => {
  const { demand, processes } = laid;
  const { service, recordsPerEvent, rateMax, awakeCores, usPerRecord, limitedBy } = demand;
  const cores = (rate: number): number => processes * awakeCores + (rate * recordsPerEvent * usPerRecord) / 1e6;
  const restoreSPerPartition = service === 'feature' && state !== undefined ? state.changelogBytesPerPartition / 1e6 / measured('state.restoreMbPerSecond') : 0;
  const still = { s: (SETTINGS.sessionMs[service] + measured('takeover.pauseMs')) / 1_000, restoreSPerPartition };
  return {
    service,
    processes,
    recordsPerSMean: wish.rate * recordsPerEvent,
    recordsPerSPeak: wish.peak * recordsPerEvent,
    rateMaxPerProcess: rateMax,
    load: (wish.peak * recordsPerEvent * busiestShare(partitions, processes, wish.hotKeyShare)) / rateMax,
    coresMean: cores(wish.rate),
    coresPeak: cores(wish.peak),
    memoryMbPerProcess: memoryMb(laid, partitions, state),
    limitedBy,
    loss: lossOf(wish, demand, processes, partitions, still),
  };
}; // prettier-ignore

const bottleneckOf = (services: readonly ServicePlan[], peak: number): Plan['bottleneck'] => {
  const known = services.filter(({ load }) => !Number.isNaN(load));
  const [first] = known.toSorted((a, b) => b.load - a.load);
  return first === undefined
    ? { service: services[0]!.service, rate: Number.NaN, limitedBy: 'not measured' }
    : { service: first.service, rate: peak / first.load, limitedBy: first.limitedBy };
};

const laidOut = (wish: Wish, demands: readonly Demand[], load: number, partitions: number): readonly Laid[] =>
  demands.map(demand => ({ demand, processes: processesOf(wish, demand, load, partitions) }));

/** @returns the plan, or why there is none; one of the two is empty */
export const planOf = (
  wish: Wish,
  measured: Measured,
): { readonly plan?: Plan; readonly refusals: readonly Refusal[] } => {
  const shape = shapeOf(wish.pipeline);
  const demands = demandsOf(wish, shape, measured);
  const waits = waitsOf(demands);
  const ofP99 = refuseP99(wish, demands, modelUsOf(wish, measured));
  if (ofP99.length > 0) return { refusals: ofP99 };
  const load = wish.p99Ms === undefined ? wish.loadMax : Math.min(wish.loadMax, loadFor(waits, wish.p99Ms));
  const needed = demands.map(demand => fewestPartitions(partOf(demand, wish.peak, load), wish.hotKeyShare));
  const partitionsNeeded = Math.max(1, ...needed.filter(n => Number.isFinite(n)));
  const partitions = wish.partitions ?? Math.max(wish.pipeline.partitions, partitionsNeeded);
  const refusals = refuseSpread(wish, demands, load, partitions);
  if (refusals.length > 0) return { refusals };
  const laid = laidOut(wish, demands, load, partitions);
  const feature = laid.find(({ demand }) => demand.service === 'feature');
  const state = feature && wish.keys > 0 ? stateOf(wish, {
    partitions,
    partitionsOfOne: Math.ceil(partitions / feature.processes),
    writtenPerS: writtenPerS(wish.rate * feature.demand.recordsPerEvent, shape, measured),
    cacheBytesMax: SETTINGS.cacheBytesMax,
  }, measured) : undefined;
  const services = laid.map(one => serviceOf(wish, one, partitions, state, measured));
  const loadOf = (service: Planned): number => services.find(one => one.service === service)!.load;
  const p99Parts = demands.flatMap(({ service, wait }) => wait === undefined ? [] : [{ service, ms: p99At(wait, loadOf(service)) }]);
  const hops = hopsOf(wish, shape);
  const [plainUs, inTransactionUs] = [measured('broker.atLeastOnceUsPerHop'), measured('broker.exactlyOnceUsPerHop')];
  const markers = feature === undefined ? 0 : markersPerS(shape, partitions);
  const brokerCores = (rate: number): number =>
    ((rate * (hops.plain * plainUs + hops.inTransactions * inTransactionUs) + markers * inTransactionUs) * wish.replication) / 1e6;
  return { refusals: [], plan: {
    partitions,
    partitionsNeeded,
    services,
    brokerCoresMean: brokerCores(wish.rate),
    brokerCoresPeak: brokerCores(wish.peak),
    databaseCoresPeak: wish.services.includes('sink') ? (wish.peak * measured('sink.databaseUsPerRecord')) / 1e6 : undefined,
    p99Ms: p99Parts.reduce((sum, { ms }) => sum + ms, 0),
    p99Parts,
    state,
    topics: topicsFor(wish, shape, measured),
    bottleneck: bottleneckOf(services, wish.peak),
  } };
}; // prettier-ignore
