/** Why a wish cannot be met, and what to do about it. Pure. */
import { type Demand, partOf, waitsOf } from './demand.ts';
import { p99At } from './latency.ts';
import { busiestShare, fewestPartitions, fewestProcesses, isWithin } from './spread.ts';
import type { Wish } from './wish.ts';

export interface Refusal {
  readonly why: string;
  readonly remedy: string;
}

const whole = (n: number): string => Math.round(n).toLocaleString('en-US');

/** Why the wish for p99 cannot be met. */
export const refuseP99 = (wish: Wish, demands: readonly Demand[], modelUs: number): readonly Refusal[] => {
  const { p99Ms } = wish;
  if (p99Ms === undefined) return [];
  const waits = waitsOf(demands);
  const fixedMs = waits.reduce((sum, wait) => sum + wait.fixedMs, 0);
  if (p99Ms <= fixedMs) {
    const by = waits.filter(wait => wait.fixedMs > 0).map(wait => `${wait.fixedBy} (${whole(wait.fixedMs)} ms)`);
    return [{ why: `p99 of ${p99Ms} ms is not above what every answer may have to wait for: ${by.join(' and ')}`, remedy: 'shorten these (--commit-interval, delivery.epochMs of the pipeline), or wish for more' }];
  }
  if (modelUs / 1_000 >= p99Ms)
    return [{ why: `a row of the model takes ${modelUs / 1_000} ms, p99 is to be ${p99Ms} ms`, remedy: 'take a faster model' }];
  const leastMs = waits.reduce((sum, wait) => sum + p99At(wait, wait.measuredLoad), 0);
  if (leastMs > p99Ms)
    return [{ why: `no figure says that p99 of ${p99Ms} ms can be met: at hardly any load it is ${whole(leastMs)} ms`, remedy: 'measure your machine (docs/CAPACITY.md) and give --coefficients, shorten the commit interval or the epoch, or wish for more' }];
  return [];
}; // prettier-ignore

const refuseService = (wish: Wish, demand: Demand, load: number, partitions: number): readonly Refusal[] => {
  const part = partOf(demand, wish.peak, load);
  const { service, rateMax, recordsPerEvent, limitedBy } = demand;
  if (Number.isNaN(part)) return [];
  const can = `one process of ${service} takes ${whole(rateMax * load)} records/s (${limitedBy}, load ${load.toFixed(2)})`;
  const needed = fewestPartitions(part, wish.hotKeyShare);
  if (!Number.isFinite(needed))
    return [{ why: `the hottest entity alone has ${whole(wish.hotKeyShare * wish.peak * recordsPerEvent)} records/s, and ${can}`, remedy: 'no number of partitions or processes divides an entity: a cheaper model or fewer features for it, or a key that divides it' }];
  if (needed > partitions)
    return [{ why: `${partitions} partitions are too few for ${service}: ${can}, so ${needed} are needed`, remedy: `give the pipeline ${needed} partitions before it runs: those of topics with state cannot be added to (docs/OPERATING.md, Partitions)` }];
  if (wish.instances !== undefined && !isWithin(busiestShare(partitions, wish.instances, wish.hotKeyShare), part))
    return [{ why: `${wish.instances} processes are too few for ${service}: ${can}`, remedy: `give it ${fewestProcesses(partitions, part, wish.hotKeyShare)}` }];
  return [];
}; // prettier-ignore

const refuseInstances = (wish: Wish, partitions: number): readonly Refusal[] =>
  wish.instances !== undefined && wish.instances > partitions
    ? [{ why: `of ${wish.instances} processes ${wish.instances - partitions} would have no partition: there are ${partitions}`, remedy: `take --instances ${partitions}, or more partitions` }]
    : []; // prettier-ignore

/** Why so many partitions and processes cannot do it. */
export const refuseSpread = (
  wish: Wish,
  demands: readonly Demand[],
  load: number,
  partitions: number,
): readonly Refusal[] => [
  ...refuseInstances(wish, partitions),
  ...demands.flatMap(demand => refuseService(wish, demand, load, partitions)),
];
