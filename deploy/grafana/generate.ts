/** Writes the dashboards as Grafana's JSON: `node deploy/grafana/generate.ts`. */
import { writeFileSync } from 'node:fs';
import { pipelineDashboard } from './pipeline.ts';

writeFileSync(
  new URL('./dashboards/millrace-pipeline.json', import.meta.url),
  `${JSON.stringify(pipelineDashboard(), null, 2)}\n`,
);
