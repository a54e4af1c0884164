/** How long answers wait at a load, and what load a wish leaves room for. Pure. */
import type { Measured } from './coefficients.ts';
import { SETTINGS } from './settings.ts';
import type { Shape, Wish } from './wish.ts';

/**
 * p99 of one service: `fixedMs + waitMs * (1 - measuredLoad) / (1 - load)`. A service takes what came while it was busy
 * as its next round, and a round of n records takes `f + n * a`: at a rate r that comes to rest at `f / (1 - r * a)`.
 */
export interface Wait {
  /** Milliseconds that no load changes: the commit interval, or the epoch. No answer is sure to come sooner. */
  readonly fixedMs: number;
  readonly fixedBy: string;
  readonly waitMs: number;
  readonly measuredLoad: number;
}

export const p99At = ({ fixedMs, waitMs, measuredLoad }: Wait, load: number): number =>
  load >= 1 ? Number.POSITIVE_INFINITY : fixedMs + (waitMs * (1 - measuredLoad)) / (1 - load);

/** Load at which the waits add up to the wish, each service with its load the same; below zero where none is low enough. */
export const loadFor = (waits: readonly Wait[], p99Ms: number): number => {
  const fixedMs = waits.reduce((sum, wait) => sum + wait.fixedMs, 0);
  const idleMs = waits.reduce((sum, wait) => sum + wait.waitMs * (1 - wait.measuredLoad), 0);
  return p99Ms <= fixedMs ? -1 : 1 - idleMs / (p99Ms - fixedMs);
};

/** @param rateMax of one process, records/s */
export const inferenceWait = (wish: Wish, measured: Measured, rateMax: number): Wait => {
  const measuredLoad = measured('inference.waitRate') / rateMax;
  return wish.delivery === 'exactly_once'
    ? {
        fixedMs: wish.commitIntervalMs,
        fixedBy: 'the commit interval of inference',
        waitMs: measured('inference.exactlyOnceWaitMs'),
        measuredLoad,
      }
    : {
        fixedMs: 0,
        fixedBy: 'nothing',
        waitMs: measured('inference.atLeastOnceWaitMs'),
        measuredLoad,
      };
};

export const featureWait = ({ epochMs, hopsBetween }: Shape, measured: Measured, rateMax: number): Wait => {
  const measuredLoad = measured('feature.waitRate') / rateMax;
  return epochMs === undefined
    ? { fixedMs: 0, fixedBy: 'nothing', waitMs: measured('feature.oneKeyWaitMs'), measuredLoad }
    : {
        fixedMs: epochMs + SETTINGS.epochMarginMs,
        fixedBy: 'the epoch and its margin',
        // Of one key an epoch is committed once, as events are without epochs.
        waitMs: measured(hopsBetween === 0 ? 'feature.oneKeyWaitMs' : 'feature.epochsWaitMs'),
        measuredLoad,
      };
};
