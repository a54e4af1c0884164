import { renameSync, writeFileSync } from 'node:fs';
import { type Metrics, textfileMetrics } from '@millrace/telemetry';

/** For the textfile collector of Prometheus' node exporter, which must never read half a file. */
export const writeMetricsFile = async (file: string, measure: (metrics: Metrics) => void): Promise<void> => {
  const textfile = textfileMetrics();
  measure(textfile.metrics);
  const half = `${file}.half`;
  writeFileSync(half, await textfile.text());
  renameSync(half, file);
};
