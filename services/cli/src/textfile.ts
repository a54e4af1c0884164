/** Metrics for the textfile collector of Prometheus' node exporter, which must never read half a file. */
import { renameSync, writeFileSync } from 'node:fs';
import { type Metrics, textfileMetrics } from '@millrace/telemetry';

export const writeTextfile = (file: string, text: string): void => {
  const half = `${file}.half`;
  writeFileSync(half, text);
  renameSync(half, file);
};

export const writeMetricsFile = async (file: string, measure: (metrics: Metrics) => void): Promise<void> => {
  const textfile = textfileMetrics();
  measure(textfile.metrics);
  writeTextfile(file, await textfile.text());
};
