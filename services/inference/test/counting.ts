import { type Metrics, noMetrics } from '@millrace/telemetry';

export interface Counted {
  readonly metrics: Metrics;
  readonly seen: Map<string, number>;
}

/** Counts how often and how much was measured, by name and labels. */
export const counting = (): Counted => {
  const seen = new Map<string, number>();
  const key = (name: string, labels: object): string => `${name} ${Object.values(labels).join(' ')}`;
  return {
    seen,
    metrics: {
      ...noMetrics,
      count: (name, labels, by = 1) => {
        seen.set(key(name, labels), (seen.get(key(name, labels)) ?? 0) + by);
      },
      observe: (name, labels, _value, times = 1) => {
        seen.set(key(name, labels), (seen.get(key(name, labels)) ?? 0) + times);
      },
      observeAll: (name, labels, values) => {
        seen.set(key(name, labels), (seen.get(key(name, labels)) ?? 0) + values.length);
      },
    },
  };
};
