/** What somebody wants of Millrace, and what follows from the pipeline alone. */
import { featureNames, type Pipeline } from '@millrace/define';
import { cutsLiveEpochs } from '@millrace/feature';

/** Services that are planned for; the brokers and the database follow. */
export const PLANNED = ['feature', 'inference', 'sink'] as const;
export type Planned = (typeof PLANNED)[number];
export type Delivery = 'exactly_once' | 'at_least_once';

export interface Wish {
  readonly pipeline: Pipeline;
  readonly services: readonly Planned[];
  /** Scored events a second, in the mean and at the peak. */
  readonly rate: number;
  readonly peak: number;
  /** Longest wait of 99 of 100 answers, milliseconds: from the event, or from the vector where feature is not planned for. */
  readonly p99Ms: number | undefined;
  /** CPU of the engine for a row, microseconds; undefined: what was measured for the model of the pipeline. */
  readonly modelUs: number | undefined;
  readonly delivery: Delivery;
  readonly commitIntervalMs: number;
  /** Processes of each service; undefined: as many as it takes. */
  readonly instances: number | undefined;
  /** Undefined: those of the pipeline, or more where it takes more. */
  readonly partitions: number | undefined;
  readonly replication: number;
  /** Labels for each scored event. */
  readonly labelsPerEvent: number;
  /**
   * Entities of all keys together, and rows that each has in its windows in the mean: an event is a row, its label
   * another. No entities: state is left out.
   */
  readonly keys: number;
  readonly windowRows: number;
  /** Instead of rows: bytes of an entity in the changelog. */
  readonly stateBytesPerKey: number | undefined;
  /** Share of all records that one entity has, 0 to 1: it cannot be divided. */
  readonly hotKeyShare: number;
  /** Load that a process is planned for at the peak, 0 to 1. */
  readonly loadMax: number;
}

/** What of a pipeline costs something. */
export interface Shape {
  /** Entity keys: stages of the feature service. */
  readonly keys: number;
  readonly aggregations: number;
  readonly features: number;
  /** Topics between stages, with the one that leads back to the pipeline's entity. */
  readonly hopsBetween: number;
  /** Milliseconds; undefined where one key over one stream needs no epochs. */
  readonly epochMs: number | undefined;
}

export const shapeOf = (pipeline: Pipeline): Shape => {
  const { features, entity, delivery } = pipeline;
  const keys = new Set([entity, ...features.views.flatMap(({ key }) => key ?? [])]).size;
  const definitions = features.views.flatMap(view => Object.values(view.features));
  return {
    keys,
    aggregations: definitions.filter(definition => 'aggregate' in definition).length,
    features: featureNames(features).length,
    hopsBetween: keys === 1 ? 0 : keys,
    epochMs: cutsLiveEpochs(pipeline) ? delivery.epochMs : undefined,
  };
};

/**
 * Markers a second, where every partition has records in every epoch: each of them tells each partition of the next
 * stage where its epoch ends.
 */
export const markersPerS = ({ epochMs, hopsBetween }: Shape, partitions: number): number =>
  epochMs === undefined || hopsBetween === 0 ? 0 : (partitions ** 2 * 1_000) / epochMs;

/** Labels for each scored event, where nothing else is said: one of each stream that labels it. */
export const labelStreams = ({ events, scores }: Pipeline): number =>
  Object.values(events).filter(({ of }) => of === scores).length;
