import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { METRICS, type MetricDefinition, type MetricName, type Metrics } from './metrics.ts';
import { type Cell, observeIn, Series } from './series.ts';

export interface PrometheusMetrics extends Metrics {
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
  stop(): void;
}

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

const histogramSamples = (name: string, buckets: readonly number[], cell: Cell): Sample[] => {
  const samples: Sample[] = [];
  let count = 0;
  for (const [at, bucket] of [...buckets, '+Inf'].entries()) {
    count += cell.counts[at]!;
    samples.push({ metricName: `${name}_bucket`, labels: { ...cell.labels, le: bucket }, value: count });
  }
  samples.push({ metricName: `${name}_sum`, labels: cell.labels, value: cell.value });
  samples.push({ metricName: `${name}_count`, labels: cell.labels, value: count });
  return samples;
};

const samplesOf = (
  name: string,
  { definition, cells }: { definition: MetricDefinition; cells: Iterable<Cell> },
) => {
  const samples: Sample[] = [];
  for (const cell of cells) {
    if (definition.kind === 'histogram')
      samples.push(...histogramSamples(name, definition.buckets ?? [], cell));
    else samples.push({ labels: cell.labels, value: cell.value });
  }
  return samples;
};

/**
 * prom-client keeps the process's own metrics and writes the text; our series are kept in plain cells, because hashing
 * labels for every observation is what a hot path would notice.
 */
const register = (registry: Registry, name: MetricName, series: Series): void => {
  const { kind, help } = series.definition;
  const metric = {
    name,
    help,
    type: kind,
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type: kind,
      aggregator: 'sum',
      values: samplesOf(name, { definition: series.definition, cells: series.cells() }),
    }),
  };
  registry.registerMetric(metric as unknown as Metric);
};

type CellOf = (name: MetricName, labels: object) => Cell;

const instruments = (cell: CellOf): Metrics => ({
  count: (name, labels, by = 1) => {
    cell(name, labels).value += by;
  },
  set: (name, labels, value) => {
    cell(name, labels).value = value;
  },
  observe: (name, labels, value, times = 1) => {
    // One NaN would make the sum NaN for good.
    if (Number.isFinite(value)) observeIn(cell(name, labels), METRICS[name].buckets, value, times);
  },
  observeAll: (name, labels, values) => {
    const into = cell(name, labels);
    const { buckets } = METRICS[name];
    // By index: an iterator boxes each number that it gives.
    for (let i = 0; i < values.length; i++)
      if (Number.isFinite(values[i])) observeIn(into, buckets, values[i]!, 1);
  },
});

/** The instruments of one process, and their exposition. */
export const prometheusMetrics = (service: string, version: string): PrometheusMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const all = new Map<MetricName, Series>();
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const series = new Series(METRICS[name]);
    all.set(name, series);
    register(registry, name, series);
  }
  const cell: CellOf = (name, labels) => all.get(name)!.cell(labels as Readonly<Record<string, string>>);
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  loopDelay.enable();
  cell('millrace_build_info', { service, version }).value = 1;
  return {
    ...instruments(cell),
    text: async () => {
      const p99Ns = loopDelay.percentile(99);
      cell('millrace_event_loop_delay_seconds', {}).value = Number.isFinite(p99Ns) ? p99Ns / 1e9 : 0;
      loopDelay.reset();
      return registry.metrics();
    },
    contentType: registry.contentType,
    stop: () => {
      loopDelay.disable();
      registry.clear();
    },
  };
};

/** Figures of a command that ends before anybody asks it, for a file that a collector reads: only what was set. */
export interface TextfileMetrics {
  readonly metrics: Metrics;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

export const textfileMetrics = (): TextfileMetrics => {
  const registry = new Registry();
  const used = new Map<MetricName, Series>();
  const cell: CellOf = (name, labels) => {
    const series = used.get(name) ?? new Series(METRICS[name]);
    if (!used.has(name)) register(registry, name, series);
    used.set(name, series);
    return series.cell(labels as Readonly<Record<string, string>>);
  };
  return { metrics: instruments(cell), text: () => registry.metrics() };
};
